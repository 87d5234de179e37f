/**
 * The supervisor: starts its children from left to right, stops them from right to left, and when one ends
 * does what its restart type and the strategy say, within the restart intensity. The rules, their order and
 * their reports are those of OTP's supervisor.erl.
 *
 *   a child ended ── temporary, or transient and normal ──▶ forgotten or left stopped
 *                 └─ else report child_terminated ─▶ within the intensity? ── no ─▶ report, stop all, exit shutdown
 *                                                     └─ yes ─▶ restart by strategy; a failed start is tried
 *                                                               again by a message to itself, and counts again
 */
import { CallMessage, request } from "./call.js";
import { type CheckedSpec, type ChildSpec, checkChildren, checkSignificant, checkSpec, childReport } from "./child-spec.js";
import { clock } from "./clock.js";
import { type ErrorContext, progressReports, supervisorReports } from "./events.js";
import { type ExitReason, isNormal, ProcessExit, reasonOf } from "./exit.js";
import { type CheckedFlags, checkFlags, type SupervisorFlags } from "./flags.js";
import { addRestart, type Restarts, restartsLeft } from "./intensity.js";
import type { Pid } from "./pid.js";
import { ExitMessage, onDown, Process, processOf } from "./process.js";
import { stopChild } from "./shutdown.js";

/** A child as the supervisor holds it: `pid` as in OTP is a process, nothing, or `restarting`. */
interface Child {
  readonly spec: CheckedSpec;
  pid: Pid | undefined;
  restarting: boolean;
}

/** An entry of `whichChildren`. */
export interface ChildInfo {
  /** `undefined` for children of a dynamic supervisor. */
  readonly id: string | undefined;
  readonly pid: Pid | "restarting" | undefined;
  readonly type: "worker" | "supervisor";
}

/** The result of `countChildren`. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** What a supervisor says when it cannot do as asked. */
export type AdminError = "running" | "restarting" | "not_found" | "already_present" | { readonly already_started: Pid };

/** A retry that a supervisor sends to itself. */
class TryAgain {
  readonly child: Child;
  constructor(child: Child) {
    this.child = child;
  }
}

/** Asks a supervisor to stop, as `supervisor:stop/3`. */
class StopRequest {
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

export class Supervisor extends Process {
  readonly id: string;
  readonly flags: CheckedFlags;
  #children: Child[] = [];
  #restarts: Restarts = [];

  constructor(id: string, flags: CheckedFlags, parent: Process | undefined, pid?: Pid) {
    super(parent, pid);
    this.id = id;
    this.flags = flags;
    this.trapExit = true;
  }

  get label(): string {
    return this.id;
  }

  override get initialCall(): string {
    return "supervisor:init/1";
  }

  /** Restarts that are left before the supervisor gives up, at this moment. */
  get restartsLeft(): number {
    return restartsLeft(this.#restarts, clock.now(), this.flags.intensity, this.flags.period);
  }

  /** @throws ProcessExit when a child cannot be started: those before it are stopped again */
  async init(specs: readonly CheckedSpec[]): Promise<void> {
    this.busy = true;
    this.#children = specs.map((spec) => ({ spec, pid: undefined, restarting: false }));
    const failed = await this.#startAll(this.#children);
    if (failed) {
      await this.#terminateAll(this.#children);
      const reason = { shutdown: { failed_to_start_child: failed.child.spec.id, reason: failed.reason } };
      this.die(reason);
      throw new ProcessExit(reason, `supervisor ${this.id}: child "${failed.child.spec.id}" failed to start`);
    }
    this.release();
  }

  protected receive(message: unknown): void | Promise<void> {
    if (message instanceof ExitMessage) return this.#exited(message.exit, message.reason);
    if (message instanceof CallMessage) return this.#answer(message);
    if (message instanceof TryAgain) return this.#tryAgain(message.child);
    if (message instanceof StopRequest) return this.#stop(message.reason);
  }

  // -- a child has ended ------------------------------------------------------------------------------

  async #exited(pid: Pid, reason: ExitReason): Promise<void> {
    if (pid === this.parent?.pid) return this.#stop(reason);
    const child = this.#children.find((one) => one.pid === pid);
    if (!child) return;
    const { restart } = child.spec;
    if (restart === "permanent" || (restart === "transient" && !isNormal(reason))) {
      this.#report("child_terminated", reason, child);
      return this.#restart(child);
    }
    if (!isNormal(reason)) this.#report("child_terminated", reason, child);
    child.pid = undefined;
    if (restart === "temporary") this.#forget(child);
    if (this.#endsWith(child)) return this.#stop("shutdown");
  }

  /** Whether the end of this child ends the supervisor (`auto_shutdown`). */
  #endsWith(child: Child): boolean {
    if (!child.spec.significant || this.flags.autoShutdown === "never") return false;
    if (this.flags.autoShutdown === "any_significant") return true;
    return !this.#children.some((other) => other.spec.significant && (other.pid !== undefined || other.restarting));
  }

  async #restart(child: Child): Promise<void> {
    const { intensity, period } = this.flags;
    const { allowed, restarts } = addRestart(this.#restarts, clock.now(), intensity, period);
    this.#restarts = restarts;
    if (!allowed) {
      this.#report("shutdown", "reached_max_restart_intensity", child);
      this.#forget(child);
      return this.#stop("shutdown");
    }
    const failed = await this.#restartByStrategy(child);
    if (failed && this.alive) this.deliver(new TryAgain(failed));
  }

  /** Restarts the child and those that its strategy ties to it. Returns the child that failed to start. */
  async #restartByStrategy(child: Child): Promise<Child | undefined> {
    const old = child.pid;
    child.pid = undefined;
    child.restarting = false;
    if (this.flags.strategy === "one_for_one") {
      const failure = await this.#start(child);
      if (failure === undefined) return undefined;
      this.#report("start_error", failure, child, old);
      child.restarting = true;
      return child;
    }
    const from = this.flags.strategy === "rest_for_one" ? this.#children.indexOf(child) : 0;
    await this.#terminateAll(this.#children.slice(from));
    const failed = await this.#startAll(this.#children.slice(from));
    if (failed) failed.child.restarting = true;
    return failed?.child;
  }

  async #tryAgain(child: Child): Promise<void> {
    // Since the retry was asked for, somebody may have stopped or deleted the child.
    if (child.restarting && this.#children.includes(child)) await this.#restart(child);
  }

  // -- starting and stopping --------------------------------------------------------------------------

  /** From left to right; stops at the first that fails. */
  async #startAll(children: readonly Child[]): Promise<{ child: Child; reason: ExitReason } | undefined> {
    for (const child of children) {
      const reason = await this.#start(child);
      if (reason === undefined) continue;
      this.#report("start_error", reason, child);
      return { child, reason };
    }
    return undefined;
  }

  /** Starts one child; returns why it failed. */
  async #start(child: Child): Promise<ExitReason | undefined> {
    try {
      const started = await child.spec.start(this.pid);
      child.restarting = false;
      child.pid = started === "ignore" ? undefined : started;
      if (started === "ignore") {
        if (child.spec.restart === "temporary") this.#forget(child);
        return undefined;
      }
    } catch (thrown) {
      return reasonOf(thrown);
    }
    if (progressReports.hasSubscribers) {
      progressReports.publish({ supervisor: this.id, started: childReport(child.spec, child.pid) });
    }
    return undefined;
  }

  /** From right to left; temporary children are forgotten. */
  async #terminateAll(children: readonly Child[]): Promise<void> {
    for (const child of children.toReversed()) {
      await this.#terminate(child);
      if (child.spec.restart === "temporary") this.#forget(child);
    }
  }

  async #terminate(child: Child): Promise<void> {
    child.restarting = false;
    if (child.pid) {
      const error = await stopChild(this, child.pid, child.spec.shutdown, child.spec.restart);
      if (error !== undefined) this.#report("shutdown_error", error, child);
    }
    child.pid = undefined;
  }

  #forget(child: Child): void {
    const at = this.#children.indexOf(child);
    if (at !== -1) this.#children.splice(at, 1);
  }

  async #stop(reason: ExitReason): Promise<void> {
    await this.#terminateAll(this.#children.slice());
    this.exitWith(reason);
  }

  #report(errorContext: ErrorContext, reason: ExitReason, child: Child, pid = child.pid): void {
    if (!supervisorReports.hasSubscribers) return;
    supervisorReports.publish({ supervisor: this.id, errorContext, reason, offender: childReport(child.spec, pid) });
  }

  // -- what may be asked of it ------------------------------------------------------------------------

  #answer(message: CallMessage): void | Promise<void> {
    const [argument] = message.args;
    switch (message.name) {
      case "whichChildren":
        return message.reply(this.#children.toReversed().map(info));
      case "countChildren":
        return message.reply(this.#count());
      case "startChild":
        return this.#startChild(argument as ChildSpec).then((result) => message.reply(result), (error) => message.fail(error));
      case "terminateChild":
        return this.#terminateChild(argument as string).then((result) => message.reply(result));
      case "restartChild":
        return this.#restartChild(argument as string).then((result) => message.reply(result));
      case "deleteChild":
        return message.reply(this.#deleteChild(argument as string));
      case "getChildspec":
        return message.reply(this.#find(argument as string)?.spec ?? "not_found");
      default:
        return message.fail(new Error(`a supervisor has no call "${message.name}"`));
    }
  }

  #find(id: string): Child | undefined {
    return this.#children.find((child) => child.spec.id === id);
  }

  #count(): ChildCounts {
    const supervisors = this.#children.filter((child) => child.spec.type === "supervisor").length;
    const active = this.#children.filter((child) => child.pid !== undefined).length;
    return { specs: this.#children.length, active, supervisors, workers: this.#children.length - supervisors };
  }

  async #startChild(spec: ChildSpec): Promise<Pid | undefined | { error: AdminError | ExitReason }> {
    const checked = checkSpec(spec);
    checkSignificant(this.id, this.flags, checked);
    const present = this.#find(checked.id);
    if (present) return { error: present.pid ? { already_started: present.pid } : "already_present" };
    const child: Child = { spec: checked, pid: undefined, restarting: false };
    this.#children.push(child);
    const reason = await this.#start(child);
    if (reason === undefined) return child.pid;
    this.#forget(child);
    return { error: reason };
  }

  async #terminateChild(id: string): Promise<"ok" | "not_found"> {
    const child = this.#find(id);
    if (!child) return "not_found";
    await this.#terminate(child);
    if (child.spec.restart === "temporary") this.#forget(child);
    return "ok";
  }

  async #restartChild(id: string): Promise<Pid | undefined | { error: AdminError | ExitReason }> {
    const child = this.#find(id);
    if (!child) return { error: "not_found" };
    if (child.restarting) return { error: "restarting" };
    if (child.pid) return { error: "running" };
    const reason = await this.#start(child);
    return reason === undefined ? child.pid : { error: reason };
  }

  #deleteChild(id: string): "ok" | AdminError {
    const child = this.#find(id);
    if (!child) return "not_found";
    if (child.restarting) return "restarting";
    if (child.pid) return "running";
    this.#forget(child);
    return "ok";
  }
}

function info(child: Child): ChildInfo {
  return { id: child.spec.id, pid: child.restarting ? "restarting" : child.pid, type: child.spec.type };
}

// -- the public face ----------------------------------------------------------------------------------

/**
 * A supervisor as a child of another. The specs are checked now, before anything starts.
 * @throws TypeError on a bad flag or spec, or on two children with one id
 */
export function supervisor(id: string, flags: SupervisorFlags, children: readonly ChildSpec[]): ChildSpec {
  const [checked, specs] = [checkFlags(id, flags), checkChildren(id, flags, children)];
  return {
    id,
    type: "supervisor",
    mfargs: ["supervisor", "start_link", [id]],
    start: async (parent) => {
      const process = new Supervisor(id, checked, processOf(parent));
      await process.init(specs);
      return process.pid;
    },
  };
}

/**
 * Starts a supervisor that nobody supervises: the root of a tree.
 * @throws ProcessExit when one of its children cannot be started; those before it are stopped again
 */
export async function startSupervisor(
  id: string,
  flags: SupervisorFlags,
  children: readonly ChildSpec[],
): Promise<Pid> {
  const [checked, specs] = [checkFlags(id, flags), checkChildren(id, flags, children)];
  const process = new Supervisor(id, checked, undefined);
  await process.init(specs);
  return process.pid;
}

/** Stops a supervisor that nobody supervises: its children in reverse order, then itself. Resolves when all are gone. */
export function stopSupervisor(supervisor: Pid, reason: ExitReason = "shutdown"): Promise<void> {
  return new Promise((resolve) => {
    onDown(supervisor, () => resolve());
    processOf(supervisor)?.deliver(new StopRequest(reason));
  });
}

/** The children, newest first, as `supervisor:which_children/1`. */
export function whichChildren(supervisor: Pid): Promise<ChildInfo[]> {
  return request(supervisor, "whichChildren", [], Infinity) as Promise<ChildInfo[]>;
}

export function countChildren(supervisor: Pid): Promise<ChildCounts> {
  return request(supervisor, "countChildren", [], Infinity) as Promise<ChildCounts>;
}

/** Stops a child; its spec stays, unless it is temporary. */
export function terminateChild(supervisor: Pid, child: string | Pid): Promise<"ok" | "not_found" | "simple_one_for_one"> {
  return request(supervisor, "terminateChild", [child], Infinity) as Promise<"ok" | "not_found" | "simple_one_for_one">;
}
