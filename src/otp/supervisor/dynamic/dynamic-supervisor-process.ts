/**
 * Dynamic supervisor, OTP's `simple_one_for_one`: children of one kind, without ids, each started with its own
 * arguments; all are stopped at once under one timer.
 *
 * `startChild` starts a child by a message. `DynamicSupervisor.startNow` does so without one, from code of the same OS
 * process: for the path of an accepted socket.
 */

import { type ErrorContext, supervisorReports } from "../../events.js";
import { CallMessage } from "../../gen-server/call-message.js";
import { type ExitReason, isNormal, reasonOf } from "../../process/exit-reason.js";
import type { LinkedProcess } from "../../process/links/links.js";
import type { Pid } from "../../process/pid.js";
import { ExitMessage, Process, processOf } from "../../process/process.js";
import { clock, type TimerRef } from "../../time/clock.js";
import { childReport } from "../child-report.js";
import { stopAll } from "../child-shutdown.js";
import {
  type CheckedSpec,
  type ChildSpec,
  checkSpec,
  type RestartType,
  type Started,
} from "../child-spec.js";
import { PendingRestart } from "../pending-restart.js";
import { delayOf } from "../restart-delay.js";
import { addRestart, type Restarts, restartsLeft } from "../restart-intensity.js";
import type { CheckedFlags } from "../supervisor-flags.js";
import { type DynamicSupervisorView, handleDynamicAdminCall } from "./administration.js";
import { DynamicChildren } from "./children.js";
import { checkOptions, type DynamicSupervisorOptions } from "./options.js";

/** The result of `startNow` and `startChild`. */
type Result = Pid | undefined | { error: ExitReason };

export class DynamicSupervisor<A extends readonly unknown[] = readonly unknown[]> extends Process {
  readonly id: string;
  maxChildren: number;
  readonly #flags: CheckedFlags;
  readonly #spec: CheckedSpec;
  readonly #options: DynamicSupervisorOptions<A>;
  readonly #children: DynamicChildren<A>;
  /** Arguments of children with a pending restart, by the pid that exited. */
  readonly #restarting = new Map<Pid, A>();
  /** Timers of delayed restarts. */
  readonly #timers = new Set<TimerRef>();
  #restarts: Restarts = [];
  /** Number of starts whose promise is pending. */
  #starting = 0;
  /** Exits of unknown pids during pending starts: perhaps of a child that exited before its start returned. */
  readonly #earlyExits = new Map<Pid, ExitReason>();
  #stopping = false;

  constructor(id: string, options: DynamicSupervisorOptions<A>, parent: Process | undefined) {
    const { flags, spec } = checkOptions(id, options);
    super(parent);
    this.id = id;
    this.trapExit = true;
    this.maxChildren = options.maxChildren ?? Infinity;
    this.#options = options;
    this.#flags = flags;
    this.#spec = spec;
    this.#children = new DynamicChildren(this, spec.restart === "temporary");
  }

  get label(): string {
    return this.id;
  }

  override get initialCall(): string {
    return "supervisor:init/1";
  }

  /** Number of running children. */
  get active(): number {
    return this.#children.size;
  }

  /** Shutdown time of its children. */
  get shutdown(): CheckedSpec["shutdown"] {
    return this.#spec.shutdown;
  }

  get restart(): RestartType {
    return this.#spec.restart;
  }

  override get systemState(): unknown {
    return { flags: this.#flags, maxChildren: this.maxChildren, active: this.active };
  }

  /** Number of restarts that the intensity still allows now. */
  get restartsLeft(): number {
    return restartsLeft(this.#restarts, clock.now(), this.#flags.intensity, this.#flags.period);
  }

  /** Pids of running children; the order is approximate. */
  children(): Pid[] {
    return this.#children.pids;
  }

  // -- starting -----------------------------------------------------------------------------------------

  /**
   * Starts a child without a message.
   * @returns its pid, `undefined` for `ignore`, or the reason of the failure
   */
  startNow(...args: A): Result | Promise<Result> {
    const taken = this.active + this.#restarting.size + this.#starting;
    if (taken >= this.maxChildren) return this.#refusal ?? { error: "max_children" };
    return this.#refusal ?? this.#start(args);
  }

  /** As `startNow`, for a child that has had a place since before `maxChildren` was lowered. */
  startBeyond(...args: A): Result | Promise<Result> {
    return this.#refusal ?? this.#start(args);
  }

  /** Why it starts none at all. */
  get #refusal(): { readonly error: ExitReason } | undefined {
    if (this.#stopping) return { error: "shutdown" };
    return this.alive ? undefined : { error: "noproc" };
  }

  #start(args: A): Result | Promise<Result> {
    try {
      const { start } = this.#options;
      const started = start ? start(this.pid, ...args) : checkSpec(args[0] as ChildSpec).start(this.pid);
      return started instanceof Promise ? this.#startLater(started, args) : this.#add(started, args);
    } catch (thrown) {
      return { error: reasonOf(thrown) };
    }
  }

  async #startLater(starting: Promise<Started>, args: A): Promise<Result> {
    this.#starting++;
    try {
      return this.#add(await starting, args);
    } catch (thrown) {
      return { error: reasonOf(thrown) };
    } finally {
      if (--this.#starting === 0) this.#earlyExits.clear();
    }
  }

  #add(started: Started, args: A): Result {
    if (started === "ignore") return undefined;
    if (this.#stopping || !this.alive) {
      this.#discardLateStart(processOf(started));
      return { error: "shutdown" };
    }
    this.#children.add(started, args);
    const end = this.#earlyExits.get(started);
    if (end !== undefined) this.deliver(new ExitMessage(started, end));
    return started;
  }

  /** The supervisor stops or has exited. After its exit the link has signalled its own child. */
  #discardLateStart(process: Process | undefined): void {
    if (this.alive) process?.receiveExit(this.pid, "shutdown");
    else if (process?.parent !== this) process?.receiveExit(this.pid, "kill");
  }

  // -- exits of children -------------------------------------------------------------------------------

  protected receive(message: unknown): void | Promise<void> {
    if (message instanceof ExitMessage) return this.#exited(message.exit, message.reason);
    if (message instanceof CallMessage) return handleDynamicAdminCall(this.#view, message);
    if (message instanceof PendingRestart) return this.#retryRestart(message);
  }

  /** A normal exit that needs no decision and no report makes no message: so with every closed connection. */
  override childExited(child: LinkedProcess, reason: ExitReason): void {
    const routine = isNormal(reason) && !this.#spec.significant && this.#idle;
    if (routine && this.#children.removeFlagged(child)) return;
    this.#children.moveToTable(child);
    super.childExited(child, reason);
  }

  override childUnlinked(child: LinkedProcess): void {
    if (this.alive) this.#children.moveToTable(child);
  }

  /** Nothing is in progress or queued whose outcome would depend on the order. */
  get #idle(): boolean {
    return !this.busy && !this.#stopping && this.sys === undefined && this.messageQueueLength === 0;
  }

  #exited(pid: Pid, reason: ExitReason): void | Promise<void> {
    if (pid === this.parent?.pid) return this.#stop(reason);
    if (!this.#children.has(pid)) {
      if (this.#starting > 0) this.#earlyExits.set(pid, reason);
      return;
    }
    const args = this.#children.argsOf(pid);
    const { restart } = this.#spec;
    const restarts = restart === "permanent" || (restart === "transient" && !isNormal(reason));
    if (restarts || !isNormal(reason)) this.#report("child_terminated", reason, pid);
    this.#children.remove(pid);
    if (restarts) return this.#restart(args as A, pid);
    if (this.#autoShutdown()) return this.#stop("shutdown");
  }

  /** Whether the exit of a child stops the supervisor (`auto_shutdown`). */
  #autoShutdown(): boolean {
    if (!this.#spec.significant) return false;
    return this.#flags.autoShutdown === "any_significant" || this.active + this.#restarting.size === 0;
  }

  #retryRestart({ child: previousPid, counted }: PendingRestart<Pid>): void | Promise<void> {
    const args = this.#restarting.get(previousPid);
    this.#restarting.delete(previousPid);
    if (args) return counted ? this.#restartNow(args, previousPid) : this.#restart(args, previousPid);
  }

  async #restart(args: A, previousPid: Pid): Promise<void> {
    const { intensity, period } = this.#flags;
    const { allowed, restarts } = addRestart(this.#restarts, clock.now(), intensity, period);
    this.#restarts = restarts;
    if (!allowed) {
      this.#report("shutdown", "reached_max_restart_intensity", previousPid);
      return this.#stop("shutdown");
    }
    const delay = delayOf(this.#flags.restartDelay, restarts.length);
    if (delay === 0) return this.#restartNow(args, previousPid);
    this.#restarting.set(previousPid, args);
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      this.deliver(new PendingRestart(previousPid, true));
    }, delay);
    this.#timers.add(timer);
  }

  async #restartNow(args: A, previousPid: Pid): Promise<void> {
    const result = await this.#start(args);
    if (result === undefined || !("error" in result) || !this.alive) return;
    this.#report("start_error", result.error, previousPid);
    this.#restarting.set(previousPid, args);
    this.deliver(new PendingRestart(previousPid));
  }

  protected override ended(): void {
    for (const timer of this.#timers) clock.clearTimeout(timer);
  }

  override systemTerminate(reason: ExitReason): void {
    this.awaitHandler(this.#stop(reason));
  }

  async #stop(reason: ExitReason): Promise<void> {
    this.#stopping = true;
    const { shutdown, restart } = this.#spec;
    const errors = await stopAll(this, this.children(), shutdown, restart);
    for (const { reason, count } of errors) this.#report("shutdown_error", reason, undefined, count);
    this.exitWith(reason);
  }

  get #view(): DynamicSupervisorView {
    return {
      supervisor: this,
      spec: this.#spec,
      children: this.#children,
      retrying: this.#restarting,
      takesSpecs: this.#options.start === undefined,
      start: (args) => this.startNow(...(args as A)),
      report: (context, reason, pid) => this.#report(context, reason, pid),
    };
  }

  #report(errorContext: ErrorContext, reason: ExitReason, pid: Pid | undefined, nbChildren?: number): void {
    if (!supervisorReports.hasSubscribers || !this.alive) return;
    const number = nbChildren === undefined ? {} : { nbChildren };
    const offender = { ...childReport(this.#spec, pid), id: undefined, ...number };
    supervisorReports.publish({ supervisor: this.id, errorContext, reason, offender });
  }
}
