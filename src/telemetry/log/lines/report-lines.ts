/** Log lines of OTP reports: crash, supervisor and progress reports, and unhandled rejections. */
import type {
  CrashReport,
  ProgressReport,
  SupervisorReport,
  UnhandledRejection,
} from "../../../otp/events.js";
import { crashFields, progressFields, supervisorFields } from "../fields.js";
import { reasonText } from "../safe-text.js";
import { crashText, progressText, supervisorText } from "../sasl.js";
import type { LogEntry } from "./log-entry.js";
import { reasonClass } from "./reason-class.js";

export function supervisorEntry(report: SupervisorReport): LogEntry {
  const { supervisor, errorContext, reason } = report;
  return {
    level: "error",
    message: `supervisor ${supervisor}: ${errorContext}, ${reasonText(reason)}`,
    fields: () => supervisorFields(report),
    text: (time) => supervisorText(report, time),
    kind: `supervisor ${errorContext} ${reasonClass(reason)}`,
  };
}

export function crashEntry(report: CrashReport): LogEntry {
  const { pid, initialCall, reason } = report;
  return {
    level: "error",
    message: `process ${pid} ${initialCall} crashed: ${reasonText(reason)}`,
    fields: () => crashFields(report),
    text: (time) => crashText(report, time),
    kind: `crash ${reasonClass(reason)}`,
  };
}

/** A crash report without a crashed process: the worker goes on. */
export function rejectionEntry({ pid, label, reason }: UnhandledRejection): LogEntry {
  const report: CrashReport = {
    initialCall: "unhandled_rejection",
    ...{ pid, label, reason, registeredName: undefined },
    ...{ ancestors: [], messageQueueLength: 0, links: [], trapExit: false },
  };
  return {
    level: "error",
    message: `unhandled rejection in ${label}: ${reasonText(reason)}: a promise was rejected and not awaited; await it, or run it with conn.spawn`,
    fields: () => crashFields(report),
    text: (time) => crashText(report, time),
    kind: `crash unhandled_rejection ${reasonClass(reason)}`,
  };
}

export function progressEntry(report: ProgressReport): LogEntry {
  const { supervisor, started } = report;
  return {
    level: "debug",
    message: `supervisor ${supervisor}: started ${started.id ?? started.mfargs[0]}`,
    fields: () => progressFields(report),
    text: (time) => progressText(report, time),
  };
}
