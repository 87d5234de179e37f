/**
 * Traces one process of this OS process: a connection through its own trace, any other process through `sys.install`.
 * A process that is not traced pays nothing.
 */

import type { TraceLine } from "../../control/trace.js";
import type { SystemEvent } from "../../otp/events.js";
import { CallMessage } from "../../otp/gen-server/call.js";
import { CastMessage } from "../../otp/gen-server/server-process.js";
import { StateMachine } from "../../otp/gen-statem/gen-statem.js";
import { formatReason } from "../../otp/process/exit-reason.js";
import { Pid } from "../../otp/process/pid.js";
import { onDown, type Process } from "../../otp/process/process.js";
import { install, remove } from "../../otp/sys/sys.js";
import { Connection } from "../../tcp/connection/connection.js";
import type { TraceEvent } from "../../tcp/observe/trace.js";
import { RateLimit } from "./rate-limit.js";
import { frameParts, traceLine, valueText } from "./trace-line.js";

/** The rest is counted and reported as `dropped`. */
const LINES_PER_SECOND = 200;

type OnLine = (line: TraceLine) => void;

/** Traces a process until it ends; its end is the last line. @returns a function that stops the trace earlier */
export function traceProcess(process: Process, onLine: OnLine): () => void {
  const { pid } = process;
  const rateLimit = new RateLimit(LINES_PER_SECOND, (length) =>
    onLine(traceLine(pid, "dropped", { length })),
  );
  const detach =
    process instanceof Connection
      ? traceConnection(process, rateLimit, onLine)
      : traceSystem(process, rateLimit, onLine);
  const stop = (): void => {
    forget();
    detach();
    rateLimit.flush();
  };
  const forget = onDown(pid, (reason) => {
    stop();
    onLine(traceLine(pid, "end", { text: formatReason(reason) }));
  });
  return stop;
}

function traceConnection(process: Connection, rateLimit: RateLimit, onLine: OnLine): () => void {
  const { pid } = process;
  return process.trace(({ what, state, content, group, sender }: TraceEvent) => {
    if (!rateLimit.allows()) return;
    const origin = group !== undefined && { group, ...(sender && { from: String(new Pid(...sender)) }) };
    onLine(traceLine(pid, what, { state, ...origin, ...eventParts(what, content) }));
  });
}

function eventParts(what: TraceEvent["what"], content: unknown): Partial<TraceLine> {
  switch (what) {
    case "frame_in":
    case "frame_out":
      return frameParts(content);
    case "state":
      return content === undefined ? {} : { text: `from ${content}` };
    case "event":
      return { text: String(content) };
    case "message":
      return { text: valueText(content) };
  }
}

/** Number of traces so far: several traces of one process need different names. */
let traces = 0;

function traceSystem(process: Process, rateLimit: RateLimit, onLine: OnLine): () => void {
  const { pid } = process;
  const name = `drover trace ${++traces}`;
  let state = stateOf(process);
  const changed = (): void => {
    const now = stateOf(process);
    if (now === undefined || now === state || !process.alive) return;
    if (rateLimit.allows()) onLine(traceLine(pid, "state", { state: now, text: `from ${state}` }));
    state = now;
  };
  const onEvent = (event: SystemEvent): void => {
    changed();
    if (rateLimit.allows()) onLine(traceLine(pid, ...lineOf(event, state)));
    // The handler runs right after this event, and may change the state.
    queueMicrotask(changed);
  };
  // The request waits in the mailbox. It fails when the process ends before it: `onDown` reports that.
  install(pid, name, onEvent, Infinity).catch(() => {});
  return () => void remove(pid, name, Infinity).catch(() => {});
}

function lineOf(event: SystemEvent, state: string | undefined): [TraceLine["what"], Partial<TraceLine>] {
  const where = state === undefined ? {} : { state };
  if ("out" in event) return ["call", { ...where, text: `reply ${valueText(event.out)}` }];
  const message = event.in;
  if (message instanceof CallMessage || message instanceof CastMessage) {
    const { name, args } = message;
    const kind = message instanceof CallMessage ? "call" : "message";
    return [kind, { ...where, text: `${name}(${args.map((one) => valueText(one)).join(", ")})` }];
  }
  return ["message", { ...where, text: valueText(message) }];
}

function stateOf(process: Process): string | undefined {
  return process instanceof StateMachine ? process.state : undefined;
}
