/**
 * What the OTP room tells the world: OTP's three reports, full mailboxes and traces, on diagnostics channels.
 * Nothing is built when nobody listens.
 */
import { channel } from "node:diagnostics_channel";
import type { ExitReason } from "./process/exit-reason.js";
import type { Pid } from "./process/pid.js";
import type { RestartType, Shutdown } from "./supervisor/child-spec.js";

/** A child as the reports describe it; field for field the offender of a SUPERVISOR REPORT. */
export interface ChildReport {
  /** Of the process that ended; `undefined` when it never started. */
  readonly pid: Pid | undefined;
  /** `undefined` for children of a dynamic supervisor. */
  readonly id: string | undefined;
  readonly mfargs: Mfa;
  readonly restartType: RestartType;
  readonly significant: boolean;
  readonly shutdown: Shutdown;
  readonly childType: "worker" | "supervisor";
  /** In a `shutdown_error` of a dynamic supervisor: how many children ended with this reason. */
  readonly nbChildren?: number;
}

/** Module, function and arguments of a start. */
export type Mfa = readonly [module: string, fn: string, args: readonly unknown[]];

export type ErrorContext = "child_terminated" | "start_error" | "shutdown" | "shutdown_error";

export interface SupervisorReport {
  readonly supervisor: string;
  readonly errorContext: ErrorContext;
  readonly reason: ExitReason;
  readonly offender: ChildReport;
}

export interface ProgressReport {
  readonly supervisor: string;
  readonly started: ChildReport;
}

/** A process that ended by its own fault (never one that was killed by a signal). */
export interface CrashReport {
  readonly initialCall: string;
  readonly pid: Pid;
  readonly registeredName: string | undefined;
  readonly label: string;
  readonly reason: ExitReason;
  readonly ancestors: readonly Pid[];
  readonly messageQueueLength: number;
  readonly links: readonly Pid[];
  readonly trapExit: boolean;
}

/** A mailbox was full. Said at the first refused message, the second, the fourth, and so on. */
export interface MailboxEvent {
  readonly pid: Pid;
  readonly label: string;
  readonly maxMessages: number;
  /** Messages that this process has refused so far. */
  readonly refused: number;
}

/** What `sys` sees of a process: a message that it takes, or an answer that it gives. */
export type SystemEvent = { readonly in: unknown } | { readonly out: unknown };

export interface TraceEvent {
  readonly pid: Pid;
  readonly label: string;
  readonly event: SystemEvent;
}

/** `otp.supervisor`: a `SupervisorReport`. */
export const supervisorReports = channel("otp.supervisor");
/** `otp.crash`: a `CrashReport`. */
export const crashReports = channel("otp.crash");
/** `otp.progress`: a `ProgressReport`. */
export const progressReports = channel("otp.progress");
/** `otp.mailbox`: a `MailboxEvent`. */
export const mailboxEvents = channel("otp.mailbox");
/** `otp.trace`: a `TraceEvent`, of processes that are traced (`sys.trace`). */
export const traceEvents = channel("otp.trace");
