/**
 * Supervisor: starts its children from left to right, stops them from right to left, and restarts them by restart type
 * and strategy, within the restart intensity. Rules, order and reports are those of OTP's supervisor.erl.
 *
 *   child exit ── temporary, or transient and normal ──▶ removed or left stopped
 *              └─ else report child_terminated ─▶ within the intensity? ── no ─▶ report, stop all, exit shutdown
 *                                                  └─ yes ─▶ restart by strategy; a failed start is retried by a
 *                                                            message to itself, and each retry counts again
 *                                                            (unless the child's `retryDelay` sets a delay)
 */

import { CallMessage } from "../gen-server/call-message.js";
import { type ExitReason, isNormal, ProcessExit } from "../process/exit-reason.js";
import { rejectOnDown } from "../process/links/monitors.js";
import type { Pid } from "../process/pid.js";
import { ExitMessage, Process } from "../process/process.js";
import { clock } from "../time/clock.js";
import { handleAdminCall } from "./administration.js";
import type { CheckedSpec } from "./child-spec.js";
import { type Child, Children, type FailedStart } from "./children.js";
import { PendingRestart } from "./pending-restart.js";
import { delayOf } from "./restart-delay.js";
import { addRestart, type Restarts, restartsLeft } from "./restart-intensity.js";
import type { CheckedFlags } from "./supervisor-flags.js";

/** Request to stop a supervisor, as `supervisor:stop/3`. */
export class StopRequest {
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

/** To itself: the start of a concurrent child has ended. */
class StartEnded {
  /** A restart that has failed. */
  readonly failed: FailedStart | undefined;
  constructor(failed: FailedStart | undefined) {
    this.failed = failed;
  }
}

export class Supervisor extends Process {
  readonly id: string;
  flags: CheckedFlags;
  readonly #children: Children;
  #restarts: Restarts = [];
  /** Delayed restarts by child: the message of its latest timer. */
  #delayed: Map<Child, PendingRestart<Child>> | undefined = undefined;
  /** Exits during the start of concurrent children, of processes that are not known yet. */
  readonly #earlyExits = new Map<Pid, ExitReason>();

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

  /** Number of restarts that the intensity still allows now. */
  get restartsLeft(): number {
    return restartsLeft(this.#restarts, clock.now(), this.flags.intensity, this.flags.period);
  }

  /** @throws ProcessExit when a child fails to start; the children before it are stopped */
  async init(specs: readonly CheckedSpec[]): Promise<void> {
    this.busy = true;
    const failed = await rejectOnDown(this.pid, this.#startAll(specs));
    if (!failed) return this.unblock();
    const { id } = failed.child.spec;
    const reason = { shutdown: { failed_to_start_child: id, reason: failed.reason } };
    this.die(reason);
    throw new ProcessExit(reason, `supervisor ${this.id}: child "${id}" failed to start`);
  }

  async #startAll(specs: readonly CheckedSpec[]): Promise<FailedStart | undefined> {
    for (const spec of specs) this.#children.add(spec);
    const failed = await this.#children.startAll(this.#children.from());
    if (failed) await this.#children.stopAll(this.#children.from());
    return failed;
  }

  protected receive(message: unknown): void | Promise<void> {
    if (message instanceof ExitMessage) return this.#exited(message.exit, message.reason);
    if (message instanceof CallMessage)
      return handleAdminCall(this.#children, this.flags.autoShutdown, message, () =>
        this.deliver(new StartEnded(undefined)),
      );
    if (message instanceof PendingRestart) return this.#retryRestart(message);
    if (message instanceof StartEnded) return this.#startEnded(message);
    if (message instanceof StopRequest) return this.#stop(message.reason);
  }

  // -- exits of children -----------------------------------------------------------------------------

  async #exited(pid: Pid, reason: ExitReason): Promise<void> {
    if (pid === this.parent?.pid) return this.#stop(reason);
    const child = this.#children.findPid(pid);
    if (!child) {
      if (this.#children.someStarting) this.#earlyExits.set(pid, reason);
      return;
    }
    const { restart } = child.spec;
    const restarts = restart === "permanent" || (restart === "transient" && !isNormal(reason));
    if (restarts || !isNormal(reason)) this.#children.report("child_terminated", reason, child);
    child.pid = undefined;
    if (restarts) {
      child.previousPid = pid;
      return this.#restart(child);
    }
    if (restart === "temporary") this.#children.remove(child);
    if (this.#autoShutdown(child)) return this.#stop("shutdown");
  }

  /** Whether the exit of this child stops the supervisor (`auto_shutdown`). */
  #autoShutdown(child: Child): boolean {
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

  /** Meanwhile the child is `restarting`, and the supervisor handles other messages. */
  #delay(child: Child, ms: number): void {
    const pending = new PendingRestart(child, true);
    child.restarting = true;
    (this.#delayed ??= new Map()).set(child, pending);
    pending.timer = clock.setTimeout(() => this.deliver(pending), ms);
  }

  async #restartNow(child: Child): Promise<void> {
    if (child.spec.concurrent && this.flags.strategy === "one_for_one") return this.#startBeside(child);
    const failed = await (this.flags.strategy === "one_for_one"
      ? this.#restartOne(child)
      : this.#restartGroup(child));
    if (failed) this.#restartFailed(failed);
  }

  #restartFailed(failed: FailedStart): void {
    const retryMs = failed.child.spec.retryDelay?.(failed.reason);
    if (retryMs !== undefined) return this.#delay(failed.child, retryMs);
    failed.child.restarting = true;
    this.deliver(new PendingRestart(failed.child));
  }

  /** Meanwhile the child is `restarting`, and the supervisor handles other messages. */
  #startBeside(child: Child): void {
    child.restarting = true;
    const start = this.#children.start(child);
    const aborted = child.starting?.abort.signal;
    void start.then((reason) => {
      const failed = reason === undefined || aborted?.aborted ? undefined : { child, reason };
      this.deliver(new StartEnded(failed));
    });
  }

  async #startEnded({ failed }: StartEnded): Promise<void> {
    for (const [pid, reason] of this.#earlyExits) {
      if (!this.#children.findPid(pid)) continue;
      this.#earlyExits.delete(pid);
      await this.#exited(pid, reason);
    }
    if (!this.#children.someStarting) this.#earlyExits.clear();
    if (!failed?.child.restarting || !this.#children.has(failed.child)) return;
    this.#children.report("start_error", failed.reason, failed.child);
    this.#restartFailed(failed);
  }

  async #restartOne(child: Child): Promise<FailedStart | undefined> {
    const reason = await this.#children.start(child);
    if (reason === undefined) return undefined;
    this.#children.report("start_error", reason, child);
    return { child, reason };
  }

  /** Restarts the group of the child by strategy. */
  async #restartGroup(child: Child): Promise<FailedStart | undefined> {
    const { previousPid } = child;
    const first = this.flags.strategy === "rest_for_one" ? child : undefined;
    await this.#children.stopAll(this.#children.from(first));
    const failed = await this.#children.startAll(this.#children.from(first));
    // Reports of its retries still name the process that exited.
    if (failed?.child === child) child.previousPid = previousPid;
    return failed;
  }

  async #retryRestart(pending: PendingRestart<Child>): Promise<void> {
    const { child, counted } = pending;
    if (counted) {
      if (this.#delayed?.get(child) !== pending) return;
      this.#delayed.delete(child);
    }
    // The child may have been stopped or deleted in the meantime.
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
