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

import { CallMessage } from "../gen-server/call.js";
import { type ExitReason, isNormal, ProcessExit } from "../process/exit-reason.js";
import { rejectOnDown } from "../process/monitors.js";
import type { Pid } from "../process/pid.js";
import { ExitMessage, Process } from "../process/process.js";
import { clock } from "../time/clock.js";
import { administer } from "./administration.js";
import type { CheckedSpec } from "./child-spec.js";
import { type Child, Children, type Failed } from "./children.js";
import { TryAgain } from "./pending-restart.js";
import { delayOf } from "./restart-delay.js";
import { addRestart, type Restarts, restartsLeft } from "./restart-intensity.js";
import type { CheckedFlags } from "./supervisor-flags.js";

/** Asks a supervisor to stop, as `supervisor:stop/3`. */
export class StopRequest {
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

export class Supervisor extends Process {
  readonly id: string;
  readonly flags: CheckedFlags;
  readonly #children: Children;
  #restarts: Restarts = [];
  /** Restarts that wait, by child: what the last of its timers will say. */
  #delayed: Map<Child, TryAgain<Child>> | undefined = undefined;

  constructor(id: string, flags: CheckedFlags, parent: Process | undefined, pid?: Pid) {
    super(parent, pid);
    this.id = id;
    this.flags = flags;
    this.trapExit = true;
    this.#children = new Children(this);
  }

  get label(): string {
    return this.id;
  }

  override get initialCall(): string {
    return "supervisor:init/1";
  }

  override get systemState(): unknown {
    return { flags: this.flags, children: this.#children.infos() };
  }

  /** Restarts that are left before the supervisor gives up, at this moment. */
  get restartsLeft(): number {
    return restartsLeft(this.#restarts, clock.now(), this.flags.intensity, this.flags.period);
  }

  /** @throws ProcessExit when a child cannot be started: those before it are stopped again */
  async init(specs: readonly CheckedSpec[]): Promise<void> {
    this.busy = true;
    const failed = await rejectOnDown(this.pid, this.#startAll(specs));
    if (!failed) return this.unblock();
    const { id } = failed.child.spec;
    const reason = { shutdown: { failed_to_start_child: id, reason: failed.reason } };
    this.die(reason);
    throw new ProcessExit(reason, `supervisor ${this.id}: child "${id}" failed to start`);
  }

  async #startAll(specs: readonly CheckedSpec[]): Promise<Failed | undefined> {
    for (const spec of specs) this.#children.add(spec);
    const failed = await this.#children.startAll(this.#children.from());
    if (failed) await this.#children.stopAll(this.#children.from());
    return failed;
  }

  protected receive(message: unknown): void | Promise<void> {
    if (message instanceof ExitMessage) return this.#exited(message.exit, message.reason);
    if (message instanceof CallMessage) return administer(this.#children, this.flags.autoShutdown, message);
    if (message instanceof TryAgain) return this.#tryAgain(message);
    if (message instanceof StopRequest) return this.#stop(message.reason);
  }

  // -- a child has ended ------------------------------------------------------------------------------

  async #exited(pid: Pid, reason: ExitReason): Promise<void> {
    if (pid === this.parent?.pid) return this.#stop(reason);
    const child = this.#children.findPid(pid);
    if (!child) return;
    const { restart } = child.spec;
    const again = restart === "permanent" || (restart === "transient" && !isNormal(reason));
    if (again || !isNormal(reason)) this.#children.report("child_terminated", reason, child);
    child.pid = undefined;
    if (again) {
      child.old = pid;
      return this.#restart(child);
    }
    if (restart === "temporary") this.#children.forget(child);
    if (this.#endsWith(child)) return this.#stop("shutdown");
  }

  /** Whether the end of this child ends the supervisor (`auto_shutdown`). */
  #endsWith(child: Child): boolean {
    if (!child.spec.significant || this.flags.autoShutdown === "never") return false;
    return this.flags.autoShutdown === "any_significant" || !this.#children.significantLeft;
  }

  async #restart(child: Child): Promise<void> {
    const { intensity, period } = this.flags;
    const { allowed, restarts } = addRestart(this.#restarts, clock.now(), intensity, period);
    this.#restarts = restarts;
    if (!allowed) {
      this.#children.report("shutdown", "reached_max_restart_intensity", child);
      return this.#stop("shutdown");
    }
    const delay = delayOf(this.flags.restartDelay, restarts.length);
    return delay > 0 ? this.#delay(child, delay) : this.#restartNow(child);
  }

  /** Meanwhile the child is `restarting`, and the supervisor does other things. */
  #delay(child: Child, ms: number): void {
    const again = new TryAgain(child, true);
    child.restarting = true;
    (this.#delayed ??= new Map()).set(child, again);
    again.timer = clock.setTimeout(() => this.deliver(again), ms);
  }

  async #restartNow(child: Child): Promise<void> {
    const failed = await (this.flags.strategy === "one_for_one"
      ? this.#restartOne(child)
      : this.#restartGroup(child));
    if (!failed) return;
    failed.restarting = true;
    this.deliver(new TryAgain(failed));
  }

  /** Returns the child if it failed to start. */
  async #restartOne(child: Child): Promise<Child | undefined> {
    const reason = await this.#children.start(child);
    if (reason === undefined) return undefined;
    this.#children.report("start_error", reason, child);
    return child;
  }

  /** Restarts those that the strategy ties to the child, and returns the one that failed to start. */
  async #restartGroup(child: Child): Promise<Child | undefined> {
    const { old } = child;
    const first = this.flags.strategy === "rest_for_one" ? child : undefined;
    await this.#children.stopAll(this.#children.from(first));
    const failed = await this.#children.startAll(this.#children.from(first));
    // Its retries are still about the process that ended, and the last report is to name it.
    if (failed?.child === child) child.old = old;
    return failed?.child;
  }

  async #tryAgain(again: TryAgain<Child>): Promise<void> {
    const { what: child, counted } = again;
    if (counted) {
      if (this.#delayed?.get(child) !== again) return;
      this.#delayed.delete(child);
    }
    // Since the retry was asked for, somebody may have stopped or deleted the child.
    if (!child.restarting || !this.#children.has(child)) return;
    await (counted ? this.#restartNow(child) : this.#restart(child));
  }

  protected override ended(): void {
    for (const { timer } of this.#delayed?.values() ?? []) clock.clearTimeout(timer);
  }

  override systemTerminate(reason: ExitReason): void {
    this.awaitHandler(this.#stop(reason));
  }

  async #stop(reason: ExitReason): Promise<void> {
    await this.#children.stopAll(this.#children.from());
    this.exitWith(reason);
  }
}
