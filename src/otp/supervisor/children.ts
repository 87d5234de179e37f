/**
 * Children of a supervisor: the list in the order of the specs, and start and stop of one or several children. The
 * supervisor decides when.
 */

import { type ErrorContext, progressReports, supervisorReports } from "../events.js";
import { type ExitReason, reasonOf } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { type Process, processOf } from "../process/process.js";
import { childReport } from "./child-report.js";
import { stopChild } from "./child-shutdown.js";
import type { CheckedSpec } from "./child-spec.js";
import type { ChildCounts, ChildInfo } from "./requests.js";

/** A child: running, without a process, or `restarting` (a pending restart), as in OTP. */
export interface Child {
  readonly spec: CheckedSpec;
  pid: Pid | undefined;
  restarting: boolean;
  /** The process that exited, for reports, until the restart. */
  previousPid: Pid | undefined;
  /** The start that is under way, of a concurrent child. */
  starting: ConcurrentStart | undefined;
}

export interface ConcurrentStart {
  readonly abort: AbortController;
  /** Resolves after it, however it ended. */
  readonly ended: Promise<unknown>;
}

/** A child that failed to start, and the reason. */
export interface FailedStart {
  readonly child: Child;
  readonly reason: ExitReason;
}

export class Children {
  readonly #supervisor: Process;
  #list: Child[] = [];

  constructor(supervisor: Process) {
    this.#supervisor = supervisor;
  }

  /** The label of the supervisor. */
  get supervisorLabel(): string {
    return this.#supervisor.label;
  }

  add(spec: CheckedSpec): Child {
    const child: Child = {
      ...{ spec, pid: undefined, restarting: false },
      ...{ previousPid: undefined, starting: undefined },
    };
    this.#list.push(child);
    return child;
  }

  remove(child: Child): void {
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

  /** Whether a concurrent child is being started. */
  get someStarting(): boolean {
    return this.#list.some(({ starting }) => starting !== undefined);
  }

  /** In the order of the specs: this child and all after it; without an argument all. */
  from(first?: Child): readonly Child[] {
    return this.#list.slice(first ? this.#list.indexOf(first) : 0);
  }

  /** Whether a significant child is running or restarting. */
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

  /** Starts from left to right, concurrent ones side by side. Stops at the first failed start and reports it. */
  async startAll(children: readonly Child[]): Promise<FailedStart | undefined> {
    for (const group of groupsOf(children)) {
      const failed = await this.#startGroup(group);
      if (failed) return failed;
    }
    return undefined;
  }

  async #startGroup(group: readonly Child[]): Promise<FailedStart | undefined> {
    let failed: FailedStart | undefined;
    const startOne = async (child: Child): Promise<void> => {
      const reason = await this.start(child);
      if (reason === undefined || failed) return;
      failed = { child, reason };
      this.report("start_error", reason, child);
      for (const { starting } of group) starting?.abort.abort();
    };
    await Promise.all(group.map(startOne));
    return failed;
  }

  /** Starts one child. @returns the reason of a failed start */
  async start(child: Child): Promise<ExitReason | undefined> {
    // A supervisor that was killed during the start of the previous child starts no more.
    if (!this.#supervisor.alive) return "noproc";
    if (!child.spec.concurrent) return this.#start(child);
    const abort = new AbortController();
    const ended = this.#start(child, abort.signal);
    child.starting = { abort, ended };
    const reason = await ended;
    child.starting = undefined;
    return reason;
  }

  async #start(child: Child, aborted?: AbortSignal): Promise<ExitReason | undefined> {
    const { spec } = child;
    let started: Pid | "ignore";
    try {
      started = await spec.start(this.#supervisor.pid, aborted);
    } catch (thrown) {
      return reasonOf(thrown);
    }
    if (!this.#supervisor.alive) return this.#discardLateStart(started);
    child.restarting = false;
    child.previousPid = undefined;
    child.pid = started === "ignore" ? undefined : started;
    if (started === "ignore") {
      if (spec.restart === "temporary") this.remove(child);
    } else if (progressReports.hasSubscribers) {
      progressReports.publish({ supervisor: this.supervisorLabel, started: childReport(spec, started) });
    }
    return undefined;
  }

  /** The supervisor exited during the start. The link has signalled its own child; any other process is killed here. */
  #discardLateStart(started: Pid | "ignore"): ExitReason {
    const process = started === "ignore" ? undefined : processOf(started);
    if (process && process.parent !== this.#supervisor) process.receiveExit(this.#supervisor.pid, "kill");
    return "noproc";
  }

  // -- stopping -----------------------------------------------------------------------------------------

  /** Stops from right to left, concurrent ones side by side; temporary children are removed. */
  async stopAll(children: readonly Child[]): Promise<void> {
    for (const group of groupsOf(children.toReversed()))
      await Promise.all(group.map((child) => this.stop(child)));
  }

  /** Stops one child, or cancels its start or restart. Its spec is kept, unless it is temporary. */
  async stop(child: Child): Promise<void> {
    const { starting } = child;
    if (starting) {
      starting.abort.abort();
      await starting.ended;
    }
    // After the exit of the supervisor links have already signalled its children.
    if (!this.#supervisor.alive) return;
    const { pid, spec } = child;
    child.restarting = false;
    if (pid) {
      const error = await stopChild(this.#supervisor, pid, spec.shutdown, spec.restart);
      if (error !== undefined) this.report("shutdown_error", error, child);
    }
    child.pid = child.previousPid = undefined;
    if (spec.restart === "temporary") this.remove(child);
  }

  report(errorContext: ErrorContext, reason: ExitReason, child: Child): void {
    // A killed supervisor publishes no reports, even if it resumes from an `await`.
    if (!supervisorReports.hasSubscribers || !this.#supervisor.alive) return;
    const offender = childReport(child.spec, child.pid ?? child.previousPid);
    supervisorReports.publish({ supervisor: this.supervisorLabel, errorContext, reason, offender });
  }
}

/** Neighbours that are concurrent are a group; any other child is one alone. */
function groupsOf(children: readonly Child[]): Child[][] {
  const groups: Child[][] = [];
  for (const child of children) {
    const last = groups.at(-1);
    if (last && child.spec.concurrent && last[0]?.spec.concurrent) last.push(child);
    else groups.push([child]);
  }
  return groups;
}
