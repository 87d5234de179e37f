/**
 * Helpers of these tests: a process that records its messages, reports as lines of text, and the manual clock.
 */
import { channel } from "node:diagnostics_channel";
import { afterEach, beforeEach } from "vitest";
import type { CrashReport, ProgressReport, SupervisorReport } from "../../src/otp/events.js";
import { type ExitReason, formatReason } from "../../src/otp/process/exit-reason.js";
import type { Pid } from "../../src/otp/process/pid.js";
import { Process } from "../../src/otp/process/process.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";

export interface ListenerOptions {
  readonly parent?: Process;
  readonly trapExit?: boolean;
  readonly label?: string;
  /** Called with each message, in addition to recording it. */
  on?(self: Listener, message: unknown): void | Promise<void>;
}

/** A process that records its messages and its exit reason. */
export class Listener extends Process {
  readonly got: unknown[] = [];
  end: ExitReason | undefined = undefined;
  readonly label: string;
  readonly #on: ListenerOptions["on"];

  constructor(options: ListenerOptions = {}) {
    super(options.parent);
    this.label = options.label ?? "listener";
    this.trapExit = options.trapExit ?? false;
    this.#on = options.on;
  }

  protected receive(message: unknown): void | Promise<void> {
    this.got.push(message);
    return this.#on?.(this, message);
  }

  protected override ended(reason: ExitReason): void {
    this.end = reason;
  }

  /** Exits by its own decision. */
  quit(reason: ExitReason): void {
    this.exitWith(reason);
  }
}

/** A manual clock for every test of the file. */
export function manualClock(startAt = 0): { readonly clock: ManualClock } {
  const holder = { clock: new ManualClock(startAt) };
  let restore = () => {};
  beforeEach(() => {
    holder.clock = new ManualClock(startAt);
    restore = useClock(holder.clock);
  });
  afterEach(() => restore());
  return holder;
}

/** All reports of the report channels. */
export interface Reports {
  readonly supervisor: SupervisorReport[];
  readonly crash: CrashReport[];
  readonly progress: ProgressReport[];
  /**
   * All of them in order, as lines: `root: child_terminated a killed`, `root: progress a`,
   * `root: shutdown_error 3 killed` (dynamic children have no id, but a number), `crash a Error: oops`.
   */
  readonly lines: string[];
  /** The lines since the last time. */
  take(): string[];
}

/** Listens to the report channels during every test of the file. */
export function listenToReports(): Reports {
  const reports: Reports = {
    supervisor: [],
    crash: [],
    progress: [],
    lines: [],
    take: () => reports.lines.splice(0),
  };
  const listeners: Record<string, (message: any) => void> = {
    "otp.supervisor": (report: SupervisorReport) => {
      const { supervisor, errorContext, reason, offender } = report;
      const who = offender.id ?? offender.nbChildren ?? "child";
      reports.supervisor.push(report);
      reports.lines.push(`${supervisor}: ${errorContext} ${who} ${formatReason(reason)}`);
    },
    "otp.progress": (report: ProgressReport) => {
      reports.progress.push(report);
      reports.lines.push(`${report.supervisor}: progress ${report.started.id}`);
    },
    "otp.crash": (report: CrashReport) => {
      reports.crash.push(report);
      reports.lines.push(`crash ${report.label} ${formatReason(report.reason)}`);
    },
  };
  beforeEach(() => {
    for (const kept of [reports.supervisor, reports.crash, reports.progress, reports.lines]) kept.length = 0;
    for (const [name, listener] of Object.entries(listeners)) channel(name).subscribe(listener);
  });
  afterEach(() => {
    for (const [name, listener] of Object.entries(listeners)) channel(name).unsubscribe(listener);
  });
  return reports;
}

/** A promise with its resolvers. */
export function gate<T = void>(): {
  readonly promise: Promise<T>;
  open(value: T): void;
  fail(e: unknown): void;
} {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

/** The value or the error of a promise. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
}

/** Pids as texts, for literal comparisons. */
export function texts(pids: readonly Pid[]): string[] {
  return pids.map(String);
}
