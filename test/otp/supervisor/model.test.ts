/**
 * A supervisor against a model of it: random children under a random strategy, random exits, admin calls and
 * steps of time on the manual clock. The model is the rule book written down a second time, as plainly as
 * possible and without processes: who should run, who comes and goes in which order, and when it is enough.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ExitReason, formatReason, isNormal } from "../../../src/otp/process/exit-reason.js";
import { processOf } from "../../../src/otp/process/process.js";
import type { RestartType } from "../../../src/otp/supervisor/child-spec.js";
import {
  countChildren,
  deleteChild,
  restartChild,
  type Supervisor,
  startChild,
  startSupervisor,
  terminateChild,
  whichChildren,
} from "../../../src/otp/supervisor/supervisor.js";
import type { AutoShutdown, Strategy } from "../../../src/otp/supervisor/supervisor-flags.js";
import { ManualClock, settle, useClock } from "../../../src/otp/time/clock.js";
import { endOf, Stage } from "../stage.js";

interface Plan {
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly period: number;
  readonly autoShutdown: AutoShutdown;
  readonly children: readonly { readonly restart: RestartType; readonly significant: boolean }[];
  readonly steps: readonly Step[];
}

type Step =
  | { readonly do: "exit"; readonly child: number; readonly reason: ExitReason; readonly failures: number }
  | { readonly do: "start" | "terminate" | "restart" | "delete"; readonly child: number }
  | { readonly do: "wait"; readonly ms: number };

interface ModelChild {
  readonly id: string;
  readonly restart: RestartType;
  readonly significant: boolean;
  running: boolean;
}

class Model {
  readonly log: string[] = [];
  children: ModelChild[] = [];
  ended = false;
  restarts: number[] = [];
  /** Starts of this child that still fail. */
  failing: { id: string; times: number } = { id: "", times: 0 };
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Returns whether it runs now. */
  #start(child: ModelChild): boolean {
    if (this.failing.id === child.id && this.failing.times > 0) {
      this.failing.times--;
      return false;
    }
    child.running = true;
    this.log.push(`+${child.id}`);
    return true;
  }

  #stop(children: readonly ModelChild[]): void {
    for (const child of [...children].reverse()) {
      if (child.running) this.log.push(`-${child.id} shutdown`);
      child.running = false;
      if (child.restart === "temporary") this.#forget(child);
    }
  }

  #forget(child: ModelChild): void {
    this.children = this.children.filter((other) => other !== child);
  }

  #end(): void {
    this.#stop(this.children);
    this.ended = true;
  }

  exit(child: ModelChild, reason: ExitReason, now: number): void {
    child.running = false;
    this.log.push(`-${child.id} ${formatReason(reason)}`);
    if (child.restart === "permanent" || (child.restart === "transient" && !isNormal(reason))) {
      return this.restart(child, now);
    }
    if (child.restart === "temporary") this.#forget(child);
    const { autoShutdown } = this.#plan;
    const left = this.children.some((other) => other.significant && other.running);
    if (
      child.significant &&
      (autoShutdown === "any_significant" || (autoShutdown === "all_significant" && !left))
    ) {
      this.#end();
    }
  }

  restart(child: ModelChild, now: number): void {
    const { strategy, intensity, period } = this.#plan;
    const seconds = Math.floor(now / 1000);
    this.restarts.push(seconds);
    if (this.restarts.filter((at) => at >= seconds - period).length > intensity) return this.#end();
    const group = this.#group(strategy, child);
    if (strategy !== "one_for_one") this.#stop(group);
    const failed = group.filter((one) => this.children.includes(one)).find((one) => !this.#start(one));
    if (failed) this.restart(failed, now);
  }

  #group(strategy: Strategy, child: ModelChild): ModelChild[] {
    if (strategy === "one_for_one") return [child];
    return strategy === "one_for_all"
      ? [...this.children]
      : this.children.slice(this.children.indexOf(child));
  }

  terminate(child: ModelChild): void {
    this.#stop([child]);
  }

  add(child: ModelChild): void {
    this.children.push(child);
    this.#start(child);
  }

  delete(child: ModelChild): void {
    this.#forget(child);
  }

  restartByHand(child: ModelChild): void {
    this.#start(child);
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("exit" as const),
      child: fc.nat(6),
      reason: fc.constantFrom<ExitReason>("normal", "shutdown", { shutdown: "x" }, "oops", "killed"),
      failures: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("start" as const, "terminate" as const, "restart" as const, "delete" as const),
      child: fc.nat(6),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(3500) }) },
);

const plan: fc.Arbitrary<Plan> = fc
  .record({
    strategy: fc.constantFrom<Strategy>("one_for_one", "one_for_all", "rest_for_one"),
    intensity: fc.nat(6),
    period: fc.integer({ min: 1, max: 4 }),
    autoShutdown: fc.constantFrom<AutoShutdown>("never", "any_significant", "all_significant"),
    children: fc.array(
      fc.record({
        restart: fc.constantFrom<RestartType>("permanent", "transient", "temporary"),
        significant: fc.boolean(),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    steps: fc.array(step, { maxLength: 30 }),
  })
  .map((made) => ({
    ...made,
    children: made.children.map(({ restart, significant }) => ({
      restart,
      significant: significant && restart !== "permanent" && made.autoShutdown !== "never",
    })),
  }));

/** One run of both; the log of one step has to be the same on both sides before the next begins. */
class Run {
  readonly stage = new Stage();
  readonly clock: ManualClock;
  readonly plan: Plan;
  readonly model: Model;
  #root: Awaited<ReturnType<typeof startSupervisor>> | undefined;

  constructor(clock: ManualClock, plan: Plan) {
    this.clock = clock;
    this.plan = plan;
    this.model = new Model(plan);
  }

  get root() {
    if (!this.#root) throw new Error("not begun");
    return this.#root;
  }

  async begin(): Promise<void> {
    const { strategy, intensity, period, autoShutdown, children } = this.plan;
    const specs = children.map((child, n) => this.stage.child(`c${n}`, child));
    const flags = { strategy, intensity, period: `${period}s`, autoShutdown } as const;
    this.#root = await startSupervisor("root", flags, specs);
    for (const [n, child] of children.entries()) this.model.add({ id: `c${n}`, ...child, running: false });
  }

  async step(one: Step): Promise<void> {
    if (one.do === "wait") return this.clock.advance(one.ms);
    const id = `c${one.child}`;
    const child = this.model.children.find((other) => other.id === id);
    if (one.do === "exit") {
      if (!child?.running) return;
      this.#fail(id, one.failures);
      this.stage.at(id).quit(one.reason);
      this.model.exit(child, one.reason, this.clock.now());
      return settle();
    }
    await this.#admin(one.do, id, child);
  }

  /** From now on only this child fails to start, so often. */
  #fail(id: string, times: number): void {
    this.stage.fail(this.model.failing.id, 0);
    this.stage.fail(id, times);
    this.model.failing = { id, times };
  }

  async #admin(
    what: "start" | "terminate" | "restart" | "delete",
    id: string,
    child: ModelChild | undefined,
  ): Promise<void> {
    const { root, model } = this;
    this.#fail(id, 0);
    if (what === "terminate") {
      if (child) model.terminate(child);
      expect(await terminateChild(root, id)).toBe(child ? "ok" : "not_found");
    } else if (what === "delete") {
      const answer = child ? (child.running ? "running" : "ok") : "not_found";
      if (child && !child.running) model.delete(child);
      expect(await deleteChild(root, id)).toBe(answer);
    } else if (what === "restart") {
      if (child && !child.running) {
        model.restartByHand(child);
        expect(await restartChild(root, id)).toBe(this.stage.pid(id));
      } else {
        expect(await restartChild(root, id)).toEqual({ error: child ? "running" : "not_found" });
      }
    } else if (child) {
      const error = child.running ? { already_started: this.stage.pid(id) } : "already_present";
      expect(await startChild(root, this.stage.child(id))).toEqual({ error });
    } else {
      model.add({ id, restart: "transient", significant: false, running: false });
      expect(await startChild(root, this.stage.child(id, { restart: "transient" }))).toBe(this.stage.pid(id));
    }
  }

  async compare(): Promise<void> {
    const { model, stage, root } = this;
    expect(stage.take()).toEqual(model.log.splice(0));
    if (model.ended) return;
    expect((await whichChildren(root)).reverse().map(({ id, pid }) => [id, pid !== undefined])).toEqual(
      model.children.map(({ id, running }) => [id, running]),
    );
    expect((await countChildren(root)).active).toBe(model.children.filter(({ running }) => running).length);
    const { intensity, period } = this.plan;
    const since = Math.floor(this.clock.now() / 1000) - period;
    const left = intensity - model.restarts.filter((at) => at >= since).length;
    expect((processOf(root) as Supervisor).restartsLeft).toBe(Math.max(0, left));
  }
}

describe("a supervisor", () => {
  it("does what the model of it says, whatever its children and their owners do", async () => {
    await fc.assert(
      fc.asyncProperty(plan, fc.nat(999), async (made, phase) => {
        const clock = new ManualClock(phase);
        const restore = useClock(clock);
        try {
          const run = new Run(clock, made);
          await run.begin();
          const end = endOf(run.root);
          for (const one of made.steps) {
            await run.step(one);
            await run.compare();
            expect(end.reason).toBe(run.model.ended ? "shutdown" : undefined);
            if (run.model.ended) break;
          }
          if (run.model.ended) expect(run.stage.living()).toEqual([]);
        } finally {
          restore();
        }
      }),
      { numRuns: 500 },
    );
  }, 60_000);
});
