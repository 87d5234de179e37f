/**
 * Following one process of this OS process: what goes through a connection by a tap, what goes through any other
 * by what `sys` sees. Nothing of it is there before somebody asks, and nothing after.
 */

import type { TraceLine } from "../../control/trace.js";
import type { SystemEvent } from "../../otp/events.js";
import { CallMessage } from "../../otp/gen-server/call.js";
import { CastMessage } from "../../otp/gen-server/server-process.js";
import { StateMachine } from "../../otp/gen-statem/gen-statem.js";
import { formatReason } from "../../otp/process/exit-reason.js";
import { onDown, type Process } from "../../otp/process/process.js";
import { install, remove } from "../../otp/sys/sys.js";
import { Connection } from "../../tcp/connection/connection.js";
import type { TraceEvent } from "../../tcp/observe/trace.js";
import { RateLimit } from "./rate-limit.js";
import { frameParts, termText, traceLine } from "./trace-line.js";

/** Lines a second; the rest is counted. */
const MOST_LINES = 200;

type OnLine = (line: TraceLine) => void;

/** Tells `onLine` until the process ends, last of that. @returns what ends it before */
export function traceProcess(process: Process, onLine: OnLine): () => void {
  const { pid } = process;
  const meter = new RateLimit(MOST_LINES, (length) => onLine(traceLine(pid, "dropped", { length })));
  const untap =
    process instanceof Connection ? tapConnection(process, meter, onLine) : tapSystem(process, meter, onLine);
  const stop = (): void => {
    forget();
    untap();
    meter.flush();
  };
  const forget = onDown(pid, (reason) => {
    stop();
    onLine(traceLine(pid, "end", { text: formatReason(reason) }));
  });
  return stop;
}

function tapConnection(process: Connection, meter: RateLimit, onLine: OnLine): () => void {
  const { pid } = process;
  return process.trace(({ what, state, content }: TraceEvent) => {
    if (!meter.admits()) return;
    onLine(traceLine(pid, what, { state, ...partsOf(what, content) }));
  });
}

function partsOf(what: TraceEvent["what"], content: unknown): Partial<TraceLine> {
  switch (what) {
    case "frame_in":
    case "frame_out":
      return frameParts(content);
    case "state":
      return content === undefined ? {} : { text: `from ${content}` };
    case "event":
      return { text: String(content) };
    case "message":
      return { text: termText(content) };
  }
}

/** Tells several traces of one process apart. */
let traces = 0;

function tapSystem(process: Process, meter: RateLimit, onLine: OnLine): () => void {
  const { pid } = process;
  const name = `drover trace ${++traces}`;
  let state = stateOf(process);
  const changed = (): void => {
    const now = stateOf(process);
    if (now === undefined || now === state || !process.alive) return;
    if (meter.admits()) onLine(traceLine(pid, "state", { state: now, text: `from ${state}` }));
    state = now;
  };
  const told = (event: SystemEvent): void => {
    changed();
    if (meter.admits()) onLine(traceLine(pid, ...lineOf(event, state)));
    // The step that this message causes comes right after.
    queueMicrotask(changed);
  };
  // It waits its turn in the mailbox; a process that ends before that is told of by its end.
  install(pid, name, told, Infinity).catch(() => {});
  return () => void remove(pid, name, Infinity).catch(() => {});
}

function lineOf(event: SystemEvent, state: string | undefined): [TraceLine["what"], Partial<TraceLine>] {
  const where = state === undefined ? {} : { state };
  if ("out" in event) return ["call", { ...where, text: `reply ${termText(event.out)}` }];
  const message = event.in;
  if (message instanceof CallMessage || message instanceof CastMessage) {
    const { name, args } = message;
    const kind = message instanceof CallMessage ? "call" : "message";
    return [kind, { ...where, text: `${name}(${args.map((one) => termText(one)).join(", ")})` }];
  }
  return ["message", { ...where, text: termText(message) }];
}

function stateOf(process: Process): string | undefined {
  return process instanceof StateMachine ? process.state : undefined;
}
