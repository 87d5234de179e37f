/**
 * Stage for supervisor tests: children with scripted starts, shutdowns and exits, and a log of starts and exits in
 * their order.
 */

import { type ExitReason, formatReason } from "../../src/otp/process/exit-reason.js";
import type { Pid } from "../../src/otp/process/pid.js";
import { ExitMessage, onDown, Process, processOf } from "../../src/otp/process/process.js";
import type { ChildSpec, Started } from "../../src/otp/supervisor/child-spec.js";
import { clock } from "../../src/otp/time/clock.js";

/** What a child does on `shutdown`. Without a plan it does not trap exits and exits at once. */
export interface Plan {
  /** Delay of its exit in milliseconds; `Infinity`: it ignores the shutdown. */
  readonly lingers?: number;
  /** Its exit reason. Default: that of the shutdown. */
  readonly leaves?: ExitReason;
}

export class Actor extends Process {
  readonly label: string;
  readonly #stage: Stage;
  readonly #plan: Plan | undefined;

  constructor(stage: Stage, id: string, parent: Pid, plan: Plan | undefined) {
    super(processOf(parent));
    this.label = id;
    this.#stage = stage;
    this.#plan = plan;
    this.trapExit = plan !== undefined;
    stage.log.push(`+${id}`);
  }

  protected receive(message: unknown): void {
    const { lingers = 0, leaves } = this.#plan ?? {};
    if (!(message instanceof ExitMessage) || lingers === Infinity) return;
    const leave = () => this.exitWith(leaves ?? message.reason);
    if (lingers === 0) leave();
    else clock.setTimeout(leave, lingers);
  }

  protected override ended(reason: ExitReason): void {
    this.#stage.log.push(`-${this.label} ${formatReason(reason)}`);
  }

  /** Exits by itself. */
  quit(reason: ExitReason): void {
    this.exitWith(reason);
  }
}

export class Stage {
  /** `+a`: a started; `-a killed`: a exited with `killed`. */
  readonly log: string[] = [];
  readonly #actors = new Map<string, Actor>();
  readonly #failures = new Map<string, { times: number; readonly how: ExitReason | "ignore" }>();
  /** Number of starts by id. */
  readonly starts = new Map<string, number>();

  /** A child of this stage. */
  child(id: string, spec: Partial<Omit<ChildSpec, "id" | "start">> = {}, plan?: Plan): ChildSpec {
    return { id, ...spec, start: (parent) => this.start(id, parent, plan) };
  }

  /** Starts an actor, unless `fail` was called for it. */
  start(id: string, parent: Pid, plan?: Plan): Started {
    this.starts.set(id, (this.starts.get(id) ?? 0) + 1);
    const failure = this.#failures.get(id);
    if (failure && failure.times > 0) {
      failure.times--;
      if (failure.how === "ignore") return "ignore";
      throw failure.how;
    }
    const actor = new Actor(this, id, parent, plan);
    this.#actors.set(id, actor);
    return actor.pid;
  }

  /** The next starts of this child fail, or return `ignore`. */
  fail(id: string, times = 1, how: ExitReason | "ignore" = "boom"): void {
    this.#failures.set(id, { times, how });
  }

  /** The child that was started last with this id. */
  at(id: string): Actor {
    const actor = this.#actors.get(id);
    if (!actor) throw new Error(`no child "${id}" was ever started`);
    return actor;
  }

  pid(id: string): Pid {
    return this.at(id).pid;
  }

  /** Ids of living children. */
  living(): string[] {
    return [...this.#actors.values()].filter((one) => one.alive).map((one) => one.label);
  }

  /** The log since the last time. */
  take(): string[] {
    return this.log.splice(0);
  }
}

/** The exit reason of a process; `undefined` while it lives. */
export function endOf(pid: Pid): { readonly reason: ExitReason | undefined } {
  const end: { reason: ExitReason | undefined } = { reason: undefined };
  onDown(pid, (reason) => {
    end.reason = reason;
  });
  return end;
}
