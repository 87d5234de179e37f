/** Runs a scenario on the supervisors of `src/otp`. */
import { channel } from "node:diagnostics_channel";
import type { ChildReport, ProgressReport, SupervisorReport } from "../../../../src/otp/events.js";
import { type ExitReason, formatReason, ProcessExit } from "../../../../src/otp/process/exit-reason.js";
import type { Pid } from "../../../../src/otp/process/pid.js";
import { onDown, type Process, processOf } from "../../../../src/otp/process/process.js";
import { exit, send } from "../../../../src/otp/process/signals.js";
import type { ChildSpec, Started } from "../../../../src/otp/supervisor/child-spec.js";
import { dynamicSupervisor } from "../../../../src/otp/supervisor/dynamic/dynamic-supervisor.js";
import { supervisor } from "../../../../src/otp/supervisor/supervisor.js";
import { ManualClock, settle, useClock } from "../../../../src/otp/time/clock.js";
import type { Entry } from "../terms.js";
import { Actor, Caller, Quit } from "./actor.js";
import { ask, nameOf } from "./ask.js";
import {
  type DynamicNode,
  type Node,
  type Op,
  type Scenario,
  type StaticNode,
  TOP,
  type WorkerNode,
} from "./scenario.js";
import { CALLS } from "./trace.js";

const infinite = <T>(value: T | "infinity") => (value === "infinity" ? Number.POSITIVE_INFINITY : value);

export class Stage {
  readonly entries: Entry[] = [];
  readonly names = new Map<Pid, string>();
  readonly #latest = new Map<string, Pid>();
  readonly #counts = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  readonly clock = new ManualClock();
  step = 0;
  #calls = 0;

  write(group: string, line: string, orphan = false): void {
    this.entries.push({ step: this.step, time: this.clock.now(), group, orphan, line });
  }

  latest(id: string): Pid | undefined {
    return this.#latest.get(id);
  }

  // -- who comes and goes --

  #number(counts: Map<string, number>, id: string): number {
    counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts.get(id) as number;
  }

  #born(id: string, group: string): string {
    const name = `${id}#${this.#number(this.#counts, id)}`;
    this.write(group, `+${name}`);
    return name;
  }

  #register(id: string, name: string, pid: Pid): void {
    this.#latest.set(id, pid);
    this.names.set(pid, name);
  }

  #gone(name: string, group: string, parent: Process | undefined, reason: ExitReason): void {
    this.write(group, `-${name} ${formatReason(reason)}`, !parent?.alive);
  }

  spec(node: Node, group: string): ChildSpec {
    return {
      id: node.id,
      restart: node.restart,
      shutdown: infinite(node.shutdown),
      significant: node.significant,
      type: node.kind === "worker" ? "worker" : "supervisor",
      start: (parent) => this.#start(node, parent, group),
    };
  }

  #start(node: Node, parent: Pid, group: string): Started | Promise<Started> {
    return node.kind === "worker" ? this.worker(node, parent, group) : this.#supervisor(node, parent, group);
  }

  worker(node: WorkerNode, parent: Pid, group: string): Started | Promise<Started> {
    const outcome = node.starts[this.#number(this.#attempts, node.id) - 1] ?? "ok";
    const begin = () => this.#begin(node, outcome, parent, group);
    if (node.slow === 0) return begin();
    return new Promise<void>((resolve) => this.clock.setTimeout(resolve, node.slow)).then(begin);
  }

  #begin(node: WorkerNode, outcome: string, pid: Pid, group: string): Started {
    const parent = processOf(pid);
    // In Erlang the start runs in the supervisor and dies with it.
    if (!parent) throw new ProcessExit("noproc");
    if (outcome === "ignore") return "ignore";
    if (outcome === "boom") throw "boom";
    const name = this.#born(node.id, group);
    const actor = new Actor(name, parent, node.plan, (reason) => this.#gone(name, group, parent, reason));
    this.#register(node.id, name, actor.pid);
    return actor.pid;
  }

  #supervisor(node: StaticNode | DynamicNode, pid: Pid, group: string): Started | Promise<Started> {
    const parent = processOf(pid);
    if (!parent) throw new ProcessExit("noproc");
    const name = this.#born(node.id, group);
    const started = this.#make(node, name).start(pid);
    // The process is there, and linked last, before the promise says so.
    const made = parent.links.at(-1) as Pid;
    this.#register(node.id, name, made);
    onDown(made, (reason) => this.#gone(name, group, parent, reason));
    return started;
  }

  #make(node: StaticNode | DynamicNode, name: string): ChildSpec {
    const { intensity, auto } = node;
    const flags = { intensity, autoShutdown: auto, period: `${node.period}s` as const };
    if (node.kind === "static") {
      const children = node.children.map((child) => this.spec(child, name));
      return supervisor(name, { ...flags, strategy: node.strategy }, children);
    }
    return dynamicSupervisor<readonly [WorkerNode]>(name, {
      ...flags,
      restart: node.of_restart,
      shutdown: infinite(node.of_shutdown),
      significant: node.of_significant,
      start: (parent, worker) => this.worker(worker, parent, name),
    });
  }

  // -- the play --

  async play(scenario: Scenario): Promise<void> {
    const top = new Actor(TOP, undefined, { lingers: "infinity" }, () => {});
    this.#register(TOP, TOP, top.pid);
    Promise.resolve(this.#start(scenario.tree, top.pid, TOP)).then(
      () => this.write(TOP, "started"),
      (error) => this.write(TOP, `failed ${formatReason(error)}`),
    );
    await this.clock.advance(2000);
    for (const ops of scenario.steps) {
      this.step++;
      for (const op of ops) {
        const waiting = this.#do(op);
        // Not for nothing: an await would let the processes run between two operations of one step.
        if (waiting) await waiting;
      }
      await settle();
    }
    await this.clock.advance(2000);
  }

  #do(op: Op): Promise<void> | undefined {
    if (op.op === "advance") return this.clock.advance(op.ms);
    const pid = this.latest("sup" in op ? op.sup : op.id);
    const number = "sup" in op ? 100 + this.#calls++ : 0;
    if (!pid) return undefined;
    if (op.op === "quit") send(pid, new Quit(op.reason));
    else if (op.op === "signal") exit(pid, op.reason);
    else new Caller(async () => this.write(CALLS, `${number} ${op.op} ${await ask(this, pid, op)}`));
    return undefined;
  }

  /** Ends everybody who is left. */
  clear(): void {
    for (const pid of this.names.keys()) exit(pid, "kill");
  }

  // -- reports --

  report = (message: unknown): void => {
    const { supervisor, errorContext, reason, offender } = message as SupervisorReport;
    this.write(supervisor, `${errorContext} ${this.#child(offender)} ${formatReason(reason)}`);
  };

  progress = (message: unknown): void => {
    const { supervisor, started } = message as ProgressReport;
    this.write(supervisor, `progress ${this.#child(started)}`);
  };

  #child({ id, pid, nbChildren }: ChildReport): string {
    if (nbChildren !== undefined) return `${nbChildren} children`;
    return `${id === undefined ? "" : `${id}=`}${nameOf(this, pid)}`;
  }
}

export async function playOurs(scenario: Scenario): Promise<Entry[]> {
  const stage = new Stage();
  const restore = useClock(stage.clock);
  const listeners = { "otp.supervisor": stage.report, "otp.progress": stage.progress };
  for (const [name, listener] of Object.entries(listeners)) channel(name).subscribe(listener);
  try {
    await stage.play(scenario);
    return [...stage.entries];
  } finally {
    stage.clear();
    await settle();
    for (const [name, listener] of Object.entries(listeners)) channel(name).unsubscribe(listener);
    restore();
  }
}
