/** Formats OTP reports as SASL prints them in an Erlang shell; pure functions. */
import type { ChildReport, CrashReport, ProgressReport, SupervisorReport } from "../../otp/events.js";
import { clockTime } from "../../text/clock-time.js";
import { escapeControls } from "../../text/escape.js";
import { detailFields, errorFields, errorOf, mfaText, offenderFields, pidList } from "./fields.js";
import { reasonText, termText } from "./safe-text.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MAX_FRAMES = 12;

/** @param time wall-clock milliseconds */
export function supervisorText(report: SupervisorReport, time: number): string {
  const { supervisor, errorContext, reason, offender } = report;
  // A failed start has no crash report, so the stack is printed here.
  const frames = errorContext === "start_error" ? stackFrames(reason) : [];
  return text("SUPERVISOR REPORT", time, [
    `    supervisor: {local,${termText(supervisor)}}`,
    `    errorContext: ${errorContext}`,
    `    reason: ${reasonText(reason)}`,
    ...frames.map((frame) => `      ${frame}`),
    `    offender: ${childText(offender)}`,
  ]);
}

/** @param time wall-clock milliseconds */
export function progressText({ supervisor, started }: ProgressReport, time: number): string {
  return text("PROGRESS REPORT", time, [
    `    supervisor: {local,${termText(supervisor)}}`,
    `    started: ${childText(started)}`,
  ]);
}

/** @param time wall-clock milliseconds */
export function crashText(report: CrashReport, time: number): string {
  const { initialCall, pid, registeredName, reason, ancestors, messageQueueLength, links, trapExit } = report;
  const kind = errorOf(reason) ? "error" : "exit";
  return text("CRASH REPORT", time, [
    "  crasher:",
    `    initial call: ${initialCall}`,
    `    pid: ${pid}`,
    `    registered_name: ${registeredName === undefined ? "[]" : termText(registeredName)}`,
    `    exception ${kind}: ${reasonText(reason)}`,
    ...stackFrames(reason).map((frame) => `      ${frame}`),
    `    ancestors: [${pidList(ancestors).join(",")}]`,
    `    message_queue_len: ${messageQueueLength}`,
    `    links: [${pidList(links).join(",")}]`,
    `    trap_exit: ${trapExit}`,
    ...Object.entries(detailFields(report)).map(([name, text]) => `    ${name}: ${text}`),
    "  neighbours:",
  ]);
}

/** `22-Nov-2026::16:08:22.879045`, in local time. */
export function timestamp(time: number): string {
  const at = new Date(time);
  const micros = Math.floor((time - Math.floor(time / 1000) * 1000) * 1000);
  const day = `${two(at.getDate())}-${MONTHS[at.getMonth()]}-${at.getFullYear()}`;
  return `${day}::${clockTime(time)}.${String(micros).padStart(6, "0")}`;
}

function text(title: string, time: number, lines: readonly string[]): string {
  return `=${title}==== ${timestamp(time)} ===\n${lines.map((line) => `${escapeControls(line)}\n`).join("")}`;
}

/** `[{pid,<1.17>},{id,undefined},…]`. */
function childText(child: ChildReport): string {
  const shown = Object.entries(offenderFields(child)).map(([key, value]) => {
    if (key === "mfargs") return `{mfargs,${mfaText(child.mfargs)}}`;
    return key === "pid" ? `{pid,${value ?? "undefined"}}` : `{${key},${termText(value)}}`;
  });
  return `[${shown.join(",")}]`;
}

/** Stack frames of an error without its message, which is printed as the reason and could imitate a frame. */
export function stackFrames(reason: unknown): string[] {
  const error = errorOf(reason);
  if (error === undefined) return [];
  const { stack } = errorFields(error);
  const from = stack.search(/^ {4}at /m);
  if (from === -1) return [];
  return stack
    .slice(from)
    .split("\n")
    .filter((line) => line.startsWith("    at "))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim());
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
