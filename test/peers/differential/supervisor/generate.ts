/** Random supervision trees: small trees, and steps that mostly have an effect. */
import type { RestartType } from "../../../../src/otp/supervisor/child-spec.js";
import type { AutoShutdown, Strategy } from "../../../../src/otp/supervisor/supervisor-flags.js";
import type { Random } from "../random.js";
import type { DynamicNode, Node, Op, Plan, Reason, Scenario, Shutdown } from "./scenario.js";
import { type StaticNode, TOP, type WorkerNode } from "./scenario.js";

const RESTARTS: readonly RestartType[] = ["permanent", "transient", "temporary"];
const STRATEGIES: readonly Strategy[] = ["one_for_one", "one_for_all", "rest_for_one"];
const AUTOS: readonly AutoShutdown[] = ["never", "never", "any_significant", "all_significant"];
const REASONS: readonly Reason[] = ["normal", "shutdown", { shutdown: "why" }, "kill", "killed", "oops"];
/** Never a time at which something else comes due. */
const SHUTDOWNS: readonly Shutdown[] = ["brutal_kill", 50, 110, "infinity"];
const LINGERS: readonly Plan["lingers"][] = [0, 0, 30, 70, "infinity"];
const ADVANCES = [20, 45, 120, 400, 700, 1000, 1300, 2400, 4100];

class Maker {
  readonly #random: Random;
  readonly #workers: string[] = [];
  readonly #statics: string[] = [];
  readonly #dynamics: string[] = [];
  /** Who is under whom; dynamic children too. */
  readonly #under = new Map<string, string[]>();
  #root: string | undefined = undefined;
  #ids = 0;
  /** Starts take time at any depth, and something happens meanwhile. */
  #unrest = false;

  constructor(random: Random) {
    this.#random = random;
  }

  scenario(): Scenario {
    this.#unrest = this.#random.chance(0.15);
    const tree = this.#random.chance(0.8) ? this.#static(TOP, "never", 0) : this.#dynamic(TOP, "never");
    if (this.#unrest) return { tree, steps: this.#random.many(1, 4, () => this.#disturbed()).flat() };
    const steps = this.#random.many(2, 12, () => this.#step());
    return { tree, steps: this.#random.chance(0.1) ? [...steps, ...this.#killedStopping()] : steps };
  }

  /** Something ends, and while it is started again something else: one thing at a time, or it were a race. */
  #disturbed(): Op[][] {
    const random = this.#random;
    const sups = [...this.#statics, ...this.#dynamics];
    const end = (): Op =>
      this.#workers.length > 0 && random.chance(0.4)
        ? { op: "quit", id: random.pick(this.#workers), reason: random.pick(REASONS) }
        : { op: "signal", id: random.pick(sups), reason: "kill" };
    const pause: Op = { op: "advance", ms: random.pick([10, 20, 35]) };
    return [[end()], [pause], [end()], [{ op: "advance", ms: 700 }]];
  }

  /** A supervisor that is killed while it stops: a child, or because it was told to. */
  #killedStopping(): Op[][] {
    const random = this.#random;
    const sup = random.pick([...this.#statics, ...this.#dynamics]);
    const id = random.pick(this.#under.get(sup) ?? ["nobody"]);
    const stop = this.#dynamics.includes(sup) ? "finish" : "terminate";
    const first: Op = random.chance(0.5)
      ? { op: stop, sup, id }
      : { op: "quit", id: TOP, reason: "shutdown" };
    const pause: Op = { op: "advance", ms: 20 };
    return [[first], [pause], [{ op: "signal", id: sup, reason: "kill" }], [{ op: "advance", ms: 400 }]];
  }

  // -- trees --

  #id(letter: string, sup: string): string {
    const id = `${letter}${++this.#ids}`;
    this.#under.set(sup, [...(this.#under.get(sup) ?? []), id]);
    return id;
  }

  #ties(auto: AutoShutdown, shutdowns: readonly Shutdown[]) {
    const restart = this.#random.pick(RESTARTS);
    const significant = auto !== "never" && restart !== "permanent" && this.#random.chance(0.6);
    return { restart, significant, shutdown: this.#random.pick(shutdowns) };
  }

  #flags() {
    const r = this.#random;
    return { intensity: r.between(0, 4), period: r.between(1, 3), auto: r.pick(AUTOS) };
  }

  #worker(sup: string, auto: AutoShutdown, of?: Shutdown, again?: string): WorkerNode {
    const random = this.#random;
    const ties = this.#ties(auto, SHUTDOWNS);
    const id = again ?? this.#id("w", sup);
    if (!again) this.#workers.push(id);
    // No ignore under a dynamic supervisor: OTP 25 keeps `undefined` as a child when a restart says so.
    const starts = random.chance(0.3)
      ? random.many(1, 4, () => random.pick(["ok", "ok", "boom", "boom", of === undefined ? "ignore" : "ok"]))
      : [];
    // Below another supervisor than the root, who is asked something meanwhile is in a race with what goes on there.
    const slow = (this.#unrest || sup === this.#root) && random.chance(this.#unrest ? 0.4 : 0.15) ? 25 : 0;
    return {
      kind: "worker",
      id,
      ...ties,
      plan: this.#plan(of ?? ties.shutdown),
      starts: starts as WorkerNode["starts"],
      slow,
    };
  }

  #plan(shutdown: Shutdown): Plan | undefined {
    const random = this.#random;
    if (random.chance(0.5)) return undefined;
    const lingers = random.pick(LINGERS);
    // One that never goes under a supervisor that waits for ever: a test that never ends.
    if (lingers === "infinity") return { lingers: shutdown === "infinity" ? 30 : lingers };
    return random.chance(0.4) ? { lingers, leaves: random.pick(REASONS) } : { lingers };
  }

  #static(sup: string, auto: AutoShutdown, depth: number): StaticNode {
    const random = this.#random;
    const id = this.#id("s", sup);
    this.#statics.push(id);
    this.#root ??= id;
    const flags = this.#flags();
    const ties = this.#ties(auto, ["infinity", "infinity", 41 - depth, "brutal_kill"]);
    const children = random.many(1, depth === 0 ? 5 : 3, (): Node => this.#child(id, flags.auto, depth));
    return { kind: "static", id, ...ties, ...flags, strategy: random.pick(STRATEGIES), children };
  }

  #child(sup: string, auto: AutoShutdown, depth: number): Node {
    if (depth < 2 && this.#random.chance(this.#unrest ? 0.4 : 0.12))
      return this.#static(sup, auto, depth + 1);
    if (this.#random.chance(0.08)) return this.#dynamic(sup, auto, depth + 1);
    return this.#worker(sup, auto);
  }

  #dynamic(sup: string, auto: AutoShutdown, depth = 0): DynamicNode {
    const id = this.#id("d", sup);
    this.#dynamics.push(id);
    this.#root ??= id;
    const ties = this.#ties(auto, ["infinity", "infinity", 41 - depth, "brutal_kill"]);
    const flags = this.#flags();
    const of = this.#ties(flags.auto, SHUTDOWNS);
    this.#shutdowns.set(id, of.shutdown);
    return {
      kind: "dynamic",
      id,
      ...ties,
      ...flags,
      of_restart: of.restart,
      of_shutdown: of.shutdown,
      of_significant: of.significant,
    };
  }

  readonly #shutdowns = new Map<string, Shutdown>();

  // -- steps --

  #step(): Op[] {
    if (this.#random.chance(0.25)) return [{ op: "advance", ms: this.#random.pick(ADVANCES) }];
    if (this.#random.chance(0.75)) return [this.#op()];
    return this.#burst(this.#random.pick([...this.#statics, ...this.#dynamics]));
  }

  /** Several things at once, all to one supervisor: what two do at the same time has no order. */
  #burst(sup: string): Op[] {
    const random = this.#random;
    const workers = (this.#under.get(sup) ?? []).filter((id) => id.startsWith("w"));
    return random.many(2, 4, (): Op => {
      if (workers.length === 0 || random.chance(0.4)) return this.#ask(sup);
      // No signals: who traps exits has a message to read first, and so is later than who is told.
      return { op: "quit", id: random.pick(workers), reason: random.pick(REASONS) };
    });
  }

  #end(id: string): Op {
    return { op: this.#random.chance(0.7) ? "quit" : "signal", id, reason: this.#random.pick(REASONS) };
  }

  #op(): Op {
    const random = this.#random;
    const dice = random.next();
    if (this.#dynamics.length > 0 && dice < 0.35) return this.#onDynamic(random.pick(this.#dynamics));
    if (this.#workers.length > 0 && dice < 0.65) return this.#end(random.pick(this.#workers));
    const sups = [...this.#statics, ...this.#dynamics];
    if (dice < 0.69) return { op: "signal", id: random.pick(sups), reason: random.pick(REASONS) };
    if (dice < 0.7) return { op: "quit", id: TOP, reason: random.pick(REASONS) };
    return this.#ask(random.pick(sups));
  }

  #ask(sup: string): Op {
    const random = this.#random;
    const id = random.chance(0.95) ? random.pick(this.#under.get(sup) ?? ["nobody"]) : "nobody";
    const op = random.pick([
      "which",
      "count",
      "terminate",
      "terminate",
      "restart",
      "restart",
      "delete",
      "spec",
      "add",
    ] as const);
    if (op === "which" || op === "count") return { op, sup };
    if (op !== "add") return { op, sup, id };
    if (this.#dynamics.includes(sup)) return { op: "count", sup };
    // An id that is taken, now and then. Only those of workers: the id says whose process is meant.
    const again = random.chance(0.4) && id.startsWith("w") ? id : undefined;
    return { op, sup, child: this.#worker(sup, "never", undefined, again) };
  }

  #onDynamic(sup: string): Op {
    const random = this.#random;
    const ids = this.#under.get(sup) ?? [];
    if (ids.length === 0 || random.chance(0.5)) {
      return { op: "spawn", sup, child: this.#worker(sup, "never", this.#shutdowns.get(sup) ?? 50) };
    }
    if (random.chance(0.5)) return { op: "quit", id: random.pick(ids), reason: random.pick(REASONS) };
    return random.chance(0.5) ? { op: "finish", sup, id: random.pick(ids) } : { op: "which", sup };
  }
}

export function generate(random: Random): Scenario {
  return new Maker(random).scenario();
}
