/**
 * Diagnostics channels of the OTP room: crash, supervisor and progress reports, mailbox overflow, traces. Events are
 * built only while a channel has subscribers.
 */
import { channel } from "node:diagnostics_channel";
import type { ExitReason } from "./process/exit-reason.js";
import type { Pid } from "./process/pid.js";
import type { Mfa, RestartType, Shutdown } from "./supervisor/child-spec.js";

export type { Mfa } from "./supervisor/child-spec.js";

/** A child in reports, field for field the offender of a SUPERVISOR REPORT. */
export interface ChildReport {
  /** The pid of the exited process; `undefined` when the start failed. */
  readonly pid: Pid | undefined;
  /** `undefined` for children of a dynamic supervisor. */
  readonly id: string | undefined;
  readonly mfargs: Mfa;
  readonly restartType: RestartType;
  readonly significant: boolean;
  readonly shutdown: Shutdown;
  readonly childType: "worker" | "supervisor";
  /** In a `shutdown_error` of a dynamic supervisor: number of children that exited with this reason. */
  readonly nbChildren?: number;
}

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

/** A process that crashed: its own fault, not an exit signal. */
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
  /** What the process adds (`Process.crashDetails`): text, numbers, or an address and port. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** A promise was rejected and nothing handled it: which process made it is not known. */
export interface UnhandledRejection {
  /** The OS process, as a process of the tree: `<n.1>` is worker n. */
  readonly pid: Pid;
  readonly label: string;
  readonly reason: ExitReason;
}

/** A full mailbox refused a message. Published at refusals 1, 2, 4, 8, … of a process. */
export interface MailboxEvent {
  readonly pid: Pid;
  readonly label: string;
  readonly maxMessages: number;
  /** Number of messages refused so far. */
  readonly refused: number;
}

/** An event of `sys`: a message that a process handles, or its reply. */
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
/** `otp.unhandled_rejection`: an `UnhandledRejection`. */
export const unhandledRejections = channel("otp.unhandled_rejection");
/** `otp.mailbox`: a `MailboxEvent`. */
export const mailboxEvents = channel("otp.mailbox");
/** `otp.trace`: a `TraceEvent` of a traced process (`sys.trace`). */
export const traceEvents = channel("otp.trace");
