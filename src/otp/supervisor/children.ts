/**
 * The children of a supervisor: the list in the order of their specs, and the starting and stopping of one
 * or several of them. It does as it is told; what is to be done is the supervisor's to decide.
 */

import { type ErrorContext, progressReports, supervisorReports } from "../events.js";
import { type ExitReason, reasonOf } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { type Process, processOf } from "../process/process.js";
import { childReport } from "./child-report.js";
import { stopChild } from "./child-shutdown.js";
import type { CheckedSpec } from "./child-spec.js";
import type { ChildCounts, ChildInfo } from "./requests.js";

/** A child: as in OTP it has a process, or none, or waits for its restart to be tried again. */
export interface Child {
  readonly spec: CheckedSpec;
  pid: Pid | undefined;
  restarting: boolean;
  /** The process that ended, for reports, until there is a new one. */
  old: Pid | undefined;
}

/** A child that could not be started, and why. */
export interface Failed {
  readonly child: Child;
  readonly reason: ExitReason;
}

export class Children {
  readonly #supervisor: Process;
  #list: Child[] = [];

  constructor(supervisor: Process) {
    this.#supervisor = supervisor;
  }

  /** What the supervisor of these children is called. */
  get owner(): string {
    return this.#supervisor.label;
  }

  add(spec: CheckedSpec): Child {
    const child: Child = { spec, pid: undefined, restarting: false, old: undefined };
    this.#list.push(child);
    return child;
  }

  forget(child: Child): void {
    const at = this.#list.indexOf(child);
    if (at !== -1) this.#list.splice(at, 1);
  }

  has(child: Child): boolean {
    return this.#list.includes(child);
  }

  find(id: string): Child | undefined {
    return this.#list.find((child) => child.spec.id === id);
  }

  findPid(pid: Pid): Child | undefined {
    return this.#list.find((child) => child.pid === pid);
  }

  /** In the order of their specs, from this child on; without one, all of them. */
  from(first?: Child): readonly Child[] {
    return this.#list.slice(first ? this.#list.indexOf(first) : 0);
  }

  /** Whether a significant child is left that runs or is about to. */
  get significantLeft(): boolean {
    return this.#list.some(
      ({ spec, pid, restarting }) => spec.significant && (pid !== undefined || restarting),
    );
  }

  /** Newest first. */
  infos(): ChildInfo[] {
    return this.#list.toReversed().map(({ spec, pid, restarting }) => {
      return { id: spec.id, pid: restarting ? "restarting" : pid, type: spec.type };
    });
  }

  count(): ChildCounts {
    const specs = this.#list.length;
    const supervisors = this.#list.filter(({ spec }) => spec.type === "supervisor").length;
    const active = this.#list.filter(({ pid }) => pid !== undefined && processOf(pid)).length;
    return { specs, active, supervisors, workers: specs - supervisors };
  }

  // -- starting -----------------------------------------------------------------------------------------

  /** From left to right; stops at the first that fails, and reports it. */
  async startAll(children: readonly Child[]): Promise<Failed | undefined> {
    for (const child of children) {
      const reason = await this.start(child);
      if (reason === undefined) continue;
      this.report("start_error", reason, child);
      return { child, reason };
    }
    return undefined;
  }

  /** Starts one child; returns why it failed. */
  async start(child: Child): Promise<ExitReason | undefined> {
    const { spec } = child;
    // A supervisor that was killed while the child before was starting must not go on.
    if (!this.#supervisor.alive) return "noproc";
    let started: Pid | "ignore";
    try {
      started = await spec.start(this.#supervisor.pid);
    } catch (thrown) {
      return reasonOf(thrown);
    }
    if (!this.#supervisor.alive) return this.#tooLate(started);
    child.restarting = false;
    child.old = undefined;
    child.pid = started === "ignore" ? undefined : started;
    if (started === "ignore") {
      if (spec.restart === "temporary") this.forget(child);
    } else if (progressReports.hasSubscribers) {
      progressReports.publish({ supervisor: this.owner, started: childReport(spec, started) });
    }
    return undefined;
  }

  /** The supervisor ended while the child was starting. Its own child has been told by the link; nobody else will end another. */
  #tooLate(started: Pid | "ignore"): ExitReason {
    const process = started === "ignore" ? undefined : processOf(started);
    if (process && process.parent !== this.#supervisor) process.receiveExit(this.#supervisor.pid, "kill");
    return "noproc";
  }

  // -- stopping -----------------------------------------------------------------------------------------

  /** From right to left; temporary children are forgotten. */
  async stopAll(children: readonly Child[]): Promise<void> {
    for (const child of children.toReversed()) await this.stop(child);
  }

  /** Stops one child, or calls its restart off. It is kept without a process, or forgotten if it is temporary. */
  async stop(child: Child): Promise<void> {
    // The dead stop nobody: who was linked has been told, and who was asked already.
    if (!this.#supervisor.alive) return;
    const { pid, spec } = child;
    child.restarting = false;
    if (pid) {
      const error = await stopChild(this.#supervisor, pid, spec.shutdown, spec.restart);
      if (error !== undefined) this.report("shutdown_error", error, child);
    }
    child.pid = child.old = undefined;
    if (spec.restart === "temporary") this.forget(child);
  }

  report(errorContext: ErrorContext, reason: ExitReason, child: Child): void {
    // The dead have nothing to say: a killed supervisor only notices later that it stood in the middle of something.
    if (!supervisorReports.hasSubscribers || !this.#supervisor.alive) return;
    const offender = childReport(child.spec, child.pid ?? child.old);
    supervisorReports.publish({ supervisor: this.owner, errorContext, reason, offender });
  }
}
