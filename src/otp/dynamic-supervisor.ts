/**
 * The supervisor of many alike: OTP's `simple_one_for_one`. Children have no ids, are started one by one
 * with arguments of their own, and are all stopped at once under one timer.
 *
 * Starting a child can be asked for by a message like anything else, or, from code that runs in the same OS
 * process, by `DynamicSupervisor.startNow`: the same thing without the wait, for the path of an accepted socket.
 */
import { CallMessage, request } from "./call.js";
import { type CheckedSpec, type ChildSpec, checkSpec, childReport, type RestartType, type Started } from "./child-spec.js";
import { clock } from "./clock.js";
import type { Duration } from "./duration.js";
import { type ErrorContext, supervisorReports } from "./events.js";
import { type ExitReason, isNormal, reasonOf } from "./exit.js";
import { type CheckedFlags, checkFlags } from "./flags.js";
import { addRestart, type Restarts } from "./intensity.js";
import type { Pid } from "./pid.js";
import { ExitMessage, Process, processOf } from "./process.js";
import { stopAll, stopChild } from "./shutdown.js";
import type { ChildCounts, ChildInfo } from "./supervisor.js";

export interface DynamicSupervisorOptions<A extends readonly unknown[]> {
  /** Starts one child, linked to `parent`. Default: `args` is one child spec, which is started (its other keys do not count). */
  start?(parent: Pid, ...args: A): Started | Promise<Started>;
  /** Children at most; one more is refused with `max_children`. Default `Infinity`. */
  readonly maxChildren?: number;
  /** Default `temporary`. */
  readonly restart?: RestartType;
  /** One time for all of them. Default `5000`. */
  readonly shutdown?: "brutal_kill" | Duration | typeof Infinity;
  readonly type?: "worker" | "supervisor";
  /** Default 5. */
  readonly intensity?: number;
  /** Default `"60s"`. */
  readonly period?: Duration;
  readonly mfargs?: ChildSpec["mfargs"];
}

/** A failed restart that is tried again. */
class TryAgain<A> {
  readonly args: A;
  readonly old: Pid;
  constructor(args: A, old: Pid) {
    this.args = args;
    this.old = old;
  }
}

export class DynamicSupervisor<A extends readonly unknown[] = readonly unknown[]> extends Process {
  readonly id: string;
  maxChildren: number;
  readonly #flags: CheckedFlags;
  readonly #spec: CheckedSpec;
  readonly #options: DynamicSupervisorOptions<A>;
  /** Arguments by child, for a restart; temporary children keep none, as in OTP. */
  readonly #children = new Map<Pid, A | undefined>();
  #restarts: Restarts = [];
  #restarting = 0;

  constructor(id: string, options: DynamicSupervisorOptions<A>, parent: Process | undefined) {
    super(parent);
    const { intensity = 5, period = "60s", restart = "temporary", shutdown = 5000, type = "worker" } = options;
    this.id = id;
    this.trapExit = true;
    this.maxChildren = options.maxChildren ?? Infinity;
    this.#options = options;
    this.#flags = checkFlags(id, { intensity, period });
    const mfargs = options.mfargs ?? [id, "start_link", []];
    this.#spec = checkSpec({ id, start: () => "ignore", restart, shutdown, type, mfargs });
  }

  get label(): string {
    return this.id;
  }

  /** Living children. */
  get active(): number {
    return this.#children.size;
  }

  /** How long its children get to end. */
  get shutdown(): CheckedSpec["shutdown"] {
    return this.#spec.shutdown;
  }

  /** The living children, oldest first. */
  children(): Pid[] {
    return [...this.#children.keys()];
  }

  /**
   * Starts a child now.
   * @returns its pid, `undefined` when its start said `ignore`, or the reason why there is none
   */
  startNow(...args: A): Pid | undefined | { error: ExitReason } | Promise<Pid | undefined | { error: ExitReason }> {
    if (!this.alive) return { error: "noproc" };
    if (this.active >= this.maxChildren) return { error: "max_children" };
    try {
      const started = this.#options.start ? this.#options.start(this.pid, ...args) : startSpec(this.pid, args[0]);
      if (!(started instanceof Promise)) return this.#add(started, args);
      return started.then(
        (pid) => this.#add(pid, args),
        (thrown) => ({ error: reasonOf(thrown) }),
      );
    } catch (thrown) {
      return { error: reasonOf(thrown) };
    }
  }

  #add(started: Started, args: A): Pid | undefined {
    if (started === "ignore") return undefined;
    this.#children.set(started, this.#spec.restart === "temporary" ? undefined : args);
    return started;
  }

  protected receive(message: unknown): void | Promise<void> {
    if (message instanceof ExitMessage) return this.#exited(message.exit, message.reason);
    if (message instanceof CallMessage) return this.#answer(message);
    if (message instanceof TryAgain) {
      this.#restarting--;
      return this.#restart(message.args as A, message.old);
    }
  }

  #exited(pid: Pid, reason: ExitReason): void | Promise<void> {
    if (pid === this.parent?.pid) return this.#stop(reason);
    if (!this.#children.has(pid)) return;
    const args = this.#children.get(pid);
    const { restart } = this.#spec;
    const again = restart === "permanent" || (restart === "transient" && !isNormal(reason));
    if (again || !isNormal(reason)) this.#report("child_terminated", reason, pid);
    this.#children.delete(pid);
    if (again) return this.#restart(args as A, pid);
  }

  async #restart(args: A, old: Pid): Promise<void> {
    const { allowed, restarts } = addRestart(this.#restarts, clock.now(), this.#flags.intensity, this.#flags.period);
    this.#restarts = restarts;
    if (!allowed) {
      this.#report("shutdown", "reached_max_restart_intensity", old);
      return this.#stop("shutdown");
    }
    const result = await this.startNow(...args);
    if (result === undefined || !("error" in result) || !this.alive) return;
    this.#report("start_error", result.error, old);
    this.#restarting++;
    this.deliver(new TryAgain(args, old));
  }

  async #stop(reason: ExitReason): Promise<void> {
    const living = this.children().flatMap((pid) => processOf(pid) ?? []);
    const errors = await stopAll(this, living, this.#spec.shutdown, this.#spec.restart);
    for (const [error, count] of errors) this.#report("shutdown_error", error, undefined, count);
    this.exitWith(reason);
  }

  #report(errorContext: ErrorContext, reason: ExitReason, pid: Pid | undefined, nbChildren?: number): void {
    if (!supervisorReports.hasSubscribers) return;
    const offender = { ...childReport(this.#spec, pid), id: undefined, ...(nbChildren === undefined ? {} : { nbChildren }) };
    supervisorReports.publish({ supervisor: this.id, errorContext, reason, offender });
  }

  #answer(message: CallMessage): void | Promise<void> {
    switch (message.name) {
      case "whichChildren":
        return message.reply(this.children().reverse().map((pid): ChildInfo => ({ id: undefined, pid, type: this.#spec.type })));
      case "countChildren":
        return message.reply(this.#count());
      case "startChild": {
        const result = this.startNow(...(message.args as unknown as A));
        if (result instanceof Promise) return result.then((value) => message.reply(value));
        return message.reply(result);
      }
      case "terminateChild":
        return this.#terminateChild(message.args[0] as Pid).then((result) => message.reply(result));
      case "getChildspec":
        return message.reply(this.#spec);
      default:
        return message.reply({ error: "simple_one_for_one" });
    }
  }

  #count(): ChildCounts {
    const counted = this.active + this.#restarting;
    const supervisors = this.#spec.type === "supervisor" ? counted : 0;
    return { specs: 1, active: this.active, supervisors, workers: counted - supervisors };
  }

  async #terminateChild(pid: Pid | string): Promise<"ok" | "not_found" | "simple_one_for_one"> {
    if (typeof pid === "string") return "simple_one_for_one";
    if (!this.#children.has(pid)) return processOf(pid) ? "not_found" : "ok";
    const error = await stopChild(this, pid, this.#spec.shutdown, this.#spec.restart);
    if (error !== undefined) this.#report("shutdown_error", error, pid);
    this.#children.delete(pid);
    return "ok";
  }
}

function startSpec(parent: Pid, spec: unknown): Started | Promise<Started> {
  return checkSpec(spec as ChildSpec).start(parent);
}

/** A dynamic supervisor as a child of another supervisor. */
export function dynamicSupervisor<A extends readonly unknown[] = readonly [ChildSpec]>(id: string, options: DynamicSupervisorOptions<A>): ChildSpec {
  return {
    id,
    type: "supervisor",
    mfargs: ["supervisor", "start_link", [id]],
    start: (parent) => new DynamicSupervisor(id, options, processOf(parent)).pid,
  };
}

/**
 * Starts a child under a supervisor: a spec under a static one, the arguments of one child under a dynamic one.
 * @returns the pid, `undefined` when the start said `ignore`, or `{ error }` as OTP names it
 */
export function startChild(supervisor: Pid, ...args: readonly unknown[]): Promise<Pid | undefined | { error: ExitReason }> {
  return request(supervisor, "startChild", args, Infinity) as Promise<Pid | undefined | { error: ExitReason }>;
}
