/**
 * The supervisor of many alike: OTP's `simple_one_for_one`. Children have no ids, are started one by one
 * with arguments of their own, and are all stopped at once under one timer.
 *
 * Starting a child can be asked for by a message like anything else, or, from code that runs in the same OS
 * process, by `DynamicSupervisor.startNow`: the same thing without the wait, for the path of an accepted socket.
 */

import { type ErrorContext, supervisorReports } from "../../events.js";
import { CallMessage } from "../../gen-server/call.js";
import { type ExitReason, isNormal, reasonOf } from "../../process/exit-reason.js";
import type { LinkedProcess } from "../../process/links.js";
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
import { TryAgain } from "../pending-restart.js";
import { delayOf } from "../restart-delay.js";
import { addRestart, type Restarts, restartsLeft } from "../restart-intensity.js";
import type { CheckedFlags } from "../supervisor-flags.js";
import { type Administered, administerDynamic } from "./administration.js";
import { DynamicChildren } from "./children.js";
import { checkOptions, type DynamicSupervisorOptions } from "./options.js";

/** What `startNow` and `startChild` give back. */
type Result = Pid | undefined | { error: ExitReason };

export class DynamicSupervisor<A extends readonly unknown[] = readonly unknown[]> extends Process {
  readonly id: string;
  maxChildren: number;
  readonly #flags: CheckedFlags;
  readonly #spec: CheckedSpec;
  readonly #options: DynamicSupervisorOptions<A>;
  readonly #children: DynamicChildren<A>;
  /** Those whose restart failed and is tried again, by the process that had ended. */
  readonly #retrying = new Map<Pid, A>();
  /** Of restarts that wait. */
  readonly #timers = new Set<TimerRef>();
  #restarts: Restarts = [];
  /** Starts that are promises and have not settled. */
  #starting = 0;
  /** Ends heard of while starts were outstanding: perhaps of a child that lived shorter than its start took. */
  readonly #early = new Map<Pid, ExitReason>();
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

  /** Living children. */
  get active(): number {
    return this.#children.size;
  }

  /** How long its children get to end. */
  get shutdown(): CheckedSpec["shutdown"] {
    return this.#spec.shutdown;
  }

  get restart(): RestartType {
    return this.#spec.restart;
  }

  override get systemState(): unknown {
    return { flags: this.#flags, maxChildren: this.maxChildren, active: this.active };
  }

  /** Restarts that are left before the supervisor gives up, at this moment. */
  get restartsLeft(): number {
    return restartsLeft(this.#restarts, clock.now(), this.#flags.intensity, this.#flags.period);
  }

  /** The living children, oldest first as far as they are alike. */
  children(): Pid[] {
    return this.#children.pids;
  }

  // -- starting -----------------------------------------------------------------------------------------

  /**
   * Starts a child now.
   * @returns its pid, `undefined` when its start said `ignore`, or the reason why there is none
   */
  startNow(...args: A): Result | Promise<Result> {
    if (this.#stopping) return { error: "shutdown" };
    if (!this.alive) return { error: "noproc" };
    const taken = this.active + this.#retrying.size + this.#starting;
    return taken < this.maxChildren ? this.#start(args) : { error: "max_children" };
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
      if (--this.#starting === 0) this.#early.clear();
    }
  }

  #add(started: Started, args: A): Result {
    if (started === "ignore") return undefined;
    if (this.#stopping || !this.alive) {
      this.#tooLate(processOf(started));
      return { error: "shutdown" };
    }
    this.#children.add(started, args);
    const end = this.#early.get(started);
    if (end !== undefined) this.deliver(new ExitMessage(started, end));
    return started;
  }

  /** Nobody waits for it any more. When the supervisor ended, its own child has been told by the link. */
  #tooLate(process: Process | undefined): void {
    if (this.alive) process?.receiveExit(this.pid, "shutdown");
    else if (process?.parent !== this) process?.receiveExit(this.pid, "kill");
  }

  // -- a child has ended --------------------------------------------------------------------------------

  protected receive(message: unknown): void | Promise<void> {
    if (message instanceof ExitMessage) return this.#exited(message.exit, message.reason);
    if (message instanceof CallMessage) return administerDynamic(this.#administered, message);
    if (message instanceof TryAgain) return this.#tryAgain(message);
  }

  /** Where nothing is to be decided or reported no message is made of it: so does every connection end that is closed. */
  override childExited(child: LinkedProcess, reason: ExitReason): void {
    const routine = isNormal(reason) && !this.#spec.significant && this.#idle;
    if (routine && this.#children.removeMarked(child)) return;
    this.#children.keep(child);
    super.childExited(child, reason);
  }

  override childUnlinked(child: LinkedProcess): void {
    if (this.alive) this.#children.keep(child);
  }

  /** Nothing is under way, or before it, that another order could change. */
  get #idle(): boolean {
    return !this.busy && !this.#stopping && this.sys === undefined && this.messageQueueLength === 0;
  }

  #exited(pid: Pid, reason: ExitReason): void | Promise<void> {
    if (pid === this.parent?.pid) return this.#stop(reason);
    if (!this.#children.has(pid)) {
      if (this.#starting > 0) this.#early.set(pid, reason);
      return;
    }
    const args = this.#children.argsOf(pid);
    const { restart } = this.#spec;
    const again = restart === "permanent" || (restart === "transient" && !isNormal(reason));
    if (again || !isNormal(reason)) this.#report("child_terminated", reason, pid);
    this.#children.remove(pid);
    if (again) return this.#restart(args as A, pid);
    if (this.#endsWithChild()) return this.#stop("shutdown");
  }

  /** Whether the end of a child ends the supervisor (`auto_shutdown`). */
  #endsWithChild(): boolean {
    if (!this.#spec.significant) return false;
    return this.#flags.autoShutdown === "any_significant" || this.active + this.#retrying.size === 0;
  }

  #tryAgain({ what: old, counted }: TryAgain<Pid>): void | Promise<void> {
    const args = this.#retrying.get(old);
    this.#retrying.delete(old);
    if (args) return counted ? this.#restartNow(args, old) : this.#restart(args, old);
  }

  async #restart(args: A, old: Pid): Promise<void> {
    const { intensity, period } = this.#flags;
    const { allowed, restarts } = addRestart(this.#restarts, clock.now(), intensity, period);
    this.#restarts = restarts;
    if (!allowed) {
      this.#report("shutdown", "reached_max_restart_intensity", old);
      return this.#stop("shutdown");
    }
    const delay = delayOf(this.#flags.restartDelay, restarts.length);
    if (delay === 0) return this.#restartNow(args, old);
    this.#retrying.set(old, args);
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      this.deliver(new TryAgain(old, true));
    }, delay);
    this.#timers.add(timer);
  }

  async #restartNow(args: A, old: Pid): Promise<void> {
    const result = await this.#start(args);
    if (result === undefined || !("error" in result) || !this.alive) return;
    this.#report("start_error", result.error, old);
    this.#retrying.set(old, args);
    this.deliver(new TryAgain(old));
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

  get #administered(): Administered {
    return {
      supervisor: this,
      spec: this.#spec,
      children: this.#children,
      retrying: this.#retrying,
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
