/** Maps events to log lines: channel, level, message and fields. */
import type { Channel } from "node:diagnostics_channel";
import {
  type AdminFailure,
  type AdminPortEvent,
  adminFailures,
  adminPortEvents,
  type ControlSocketEvent,
  controlSocketEvents,
} from "../../admin/events.js";
import {
  type CrashReport,
  crashReports,
  type ProgressReport,
  progressReports,
  type SupervisorReport,
  supervisorReports,
  type UnhandledRejection,
  unhandledRejections,
} from "../../otp/events.js";
import {
  type ConnectionClosed,
  type ConnectionEvent,
  connectionClosed,
  connectionOpened,
  type HandlerTimeout,
  handlerTimeouts,
  type ListenerEvent,
  listenerEvents,
  type MemoryBound,
  memoryBounds,
  type NameContested,
  namesContested,
  type OpeningFailed,
  type OutgoingEvent,
  openingFailures,
  outgoingEvents,
} from "../../tcp/observe/events.js";
import { addressText } from "../../text/address.js";
import { durationText } from "../../text/duration.js";
import { crashFields, errorFields, type Fields, progressFields, supervisorFields } from "./fields.js";
import type { LineLevel } from "./levels.js";
import type { Limit } from "./rate-limit.js";
import { MAX_TERM, reasonText, textOr, truncate } from "./safe-text.js";
import { crashText, progressText, supervisorText } from "./sasl.js";

/** One log line before formatting. */
export interface LogEntry {
  readonly level: LineLevel;
  readonly message: string;
  fields(): Fields;
  /** Text for `--log-format pretty` instead of message and fields: the SASL form of a report. */
  text?(time: number): string;
  /** Rate-limit key; without one the line is always written. */
  readonly kind?: string;
  /** Limit of that kind; default: 10 lines a second. */
  readonly limit?: Limit;
  /** Written whatever the minimum level is, except `silent`. */
  readonly always?: boolean;
}

export interface LogSource {
  readonly channel: Channel;
  /** Highest level among the channel's lines: below the log's minimum there is no subscription. */
  readonly maxLevel: LineLevel;
  entry(event: any): LogEntry;
}

export const SOURCES: readonly LogSource[] = [
  { channel: supervisorReports, maxLevel: "error", entry: supervisorEntry },
  { channel: crashReports, maxLevel: "error", entry: crashEntry },
  { channel: unhandledRejections, maxLevel: "error", entry: rejectionEntry },
  { channel: progressReports, maxLevel: "debug", entry: progressEntry },
  { channel: listenerEvents, maxLevel: "warn", entry: listenerEntry },
  { channel: adminFailures, maxLevel: "error", entry: failureEntry },
  { channel: handlerTimeouts, maxLevel: "warn", entry: handlerTimeoutEntry },
  { channel: openingFailures, maxLevel: "warn", entry: openingFailedEntry },
  { channel: memoryBounds, maxLevel: "warn", entry: memoryBoundEntry },
  { channel: namesContested, maxLevel: "warn", entry: nameContestedEntry },
  { channel: outgoingEvents, maxLevel: "warn", entry: outgoingEntry },
  { channel: controlSocketEvents, maxLevel: "warn", entry: controlSocketEntry },
  { channel: adminPortEvents, maxLevel: "warn", entry: adminPortEntry },
  { channel: connectionOpened, maxLevel: "trace", entry: openedEntry },
  { channel: connectionClosed, maxLevel: "debug", entry: closedEntry },
];

function supervisorEntry(report: SupervisorReport): LogEntry {
  const { supervisor, errorContext, reason } = report;
  return {
    level: "error",
    message: `supervisor ${supervisor}: ${errorContext}, ${reasonText(reason)}`,
    fields: () => supervisorFields(report),
    text: (time) => supervisorText(report, time),
    kind: `supervisor ${errorContext} ${reasonClass(reason)}`,
  };
}

function crashEntry(report: CrashReport): LogEntry {
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
function rejectionEntry({ pid, label, reason }: UnhandledRejection): LogEntry {
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

function progressEntry(report: ProgressReport): LogEntry {
  const { supervisor, started } = report;
  return {
    level: "debug",
    message: `supervisor ${supervisor}: started ${started.id ?? started.mfargs[0]}`,
    fields: () => progressFields(report),
    text: (time) => progressText(report, time),
  };
}

function failureEntry({ method, path, error }: AdminFailure): LogEntry {
  return {
    level: "error",
    message: `admin request failed: ${method} ${path}: ${reasonText(error)}`,
    fields: () => ({
      method,
      path: truncate(path, MAX_TERM),
      ...(error instanceof Error && { err: errorFields(error) }),
    }),
    kind: `admin ${reasonClass(error)}`,
  };
}

function controlSocketEntry({ path, failure }: ControlSocketEvent): LogEntry {
  const result = failure === undefined ? "created it again" : `cannot create it again: ${failure}`;
  return {
    level: "warn",
    message: `Control socket ${path} was removed: ${result}`,
    fields: () => ({ path }),
  };
}

function adminPortEntry({ host, port, failure }: AdminPortEvent): LogEntry {
  const address = addressText(host, port);
  return {
    level: "warn",
    message:
      failure === undefined
        ? `admin server listens on ${address} again`
        : `admin server cannot listen on ${address} (${failure}): trying again, clients are served`,
    fields: () => ({ address }),
  };
}

const LISTENER_MESSAGES: Readonly<
  Record<ListenerEvent["what"], { readonly level: LineLevel; readonly words: string }>
> = {
  listening: { level: "info", words: "listening on" },
  suspended: { level: "info", words: "suspended, not accepting on" },
  full: { level: "warn", words: "connection limit reached, not accepting on" },
  rate_limited: { level: "warn", words: "accept rate reached, new connections wait on" },
};

const RESUMED = { level: "debug", words: "below the limit, accepting again on" } as const;
/** A full, or rate-limited, listener accepts again with each connection that closes, and is full with the next: hundreds of times a second. */
const ONCE_A_MINUTE: Limit = { lines: 1, windowMs: 60_000 };

function listenerEntry({ pid, listener, what, address, port, resumed }: ListenerEvent): LogEntry {
  const { level, words } = resumed ? RESUMED : LISTENER_MESSAGES[what];
  return {
    level,
    message: `${words} ${addressText(address, port)}`,
    fields: () => ({ listener, state: what, address, port, pid: String(pid) }),
    kind: `listener ${what}`,
    ...((what === "full" || what === "rate_limited") && { limit: ONCE_A_MINUTE }),
  };
}

function openedEntry(event: ConnectionEvent): LogEntry {
  return { level: "trace", message: "connection opened", fields: () => connectionFields(event) };
}

function closedEntry(event: ConnectionClosed): LogEntry {
  const { reason, counted, detail, state, framesReceived, framesSent } = event;
  return {
    level: "debug",
    message: "connection closed",
    fields: () => ({
      ...connectionFields(event),
      reason: reasonText(reason),
      counted,
      ...(detail !== undefined && { detail: truncate(detail, MAX_TERM) }),
      state,
      framesReceived,
      framesSent,
    }),
  };
}

/** A warning, unlike other closed connections: the fault is the server's. */
function handlerTimeoutEntry(event: HandlerTimeout): LogEntry {
  const { pid, protocol, state, limit } = event;
  return {
    level: "warn",
    message: `handler of ${protocol} ${pid} did not finish within ${limit < 1000 ? `${limit} ms` : durationText(limit)} in state ${state}: connection closed; hand conn.signal to what the handler awaits, or raise limits.handler`,
    fields: () => ({ ...connectionFields(event), state, limitMs: limit }),
    kind: "handler_timeout",
  };
}

/** One line a minute for each reason: a port scan, or a proxy that is configured wrong, makes many a second. */
function openingFailedEntry(event: OpeningFailed): LogEntry {
  const { peer, listener, counted, message } = event;
  return {
    level: "warn",
    message: `connection from ${addressText(peer.address, peer.port)} to listener ${listener} closed: ${message}`,
    fields: () => ({ ...connectionFields(event), listener, counted }),
    kind: `opening ${counted}`,
    limit: ONCE_A_MINUTE,
  };
}

/** One line a minute for each bound: hundreds of connections may end at once. */
function memoryBoundEntry(event: MemoryBound): LogEntry {
  const { peer, listener, counted, message } = event;
  return {
    level: "warn",
    message: `connection from ${addressText(peer.address, peer.port)} to listener ${listener} closed: ${message}`,
    fields: () => ({ ...connectionFields(event), listener, counted }),
    kind: `memory ${counted}`,
    limit: ONCE_A_MINUTE,
  };
}

/** Of a server that is down or closes at once, one line a minute: the attempts are counted in the metrics. */
function outgoingEntry(event: OutgoingEvent): LogEntry {
  const { pid, protocol, name, place, what, code, message, retryMs } = event;
  const why =
    what === "failed" ? `cannot connect to ${place}: ${message}` : `connection to ${place} ended: ${message}`;
  return {
    level: what === "open" ? "info" : "warn",
    message: what === "open" ? `connected to ${place}` : `${why}; next attempt in ${retryMs} ms`,
    fields: () => ({
      ...{ pid: String(pid), protocol, place },
      ...(name !== undefined && { name }),
      ...(code !== undefined && { code }),
      ...(retryMs !== undefined && { retryMs }),
    }),
    kind: `outgoing ${protocol} ${what} ${code ?? ""}`,
    limit: ONCE_A_MINUTE,
  };
}

/** A cloned device, or a client that connects twice. */
function nameContestedEntry({ name, holder, claimant }: NameContested): LogEntry {
  const [one, other] = [holder, claimant].map(({ pid, peer }) => (peer ? `${peer} ${pid}` : pid));
  return {
    level: "warn",
    message: `the name ${truncate(name, MAX_TERM)} is contested: ${one} and ${other} replace each other; give each client a name of its own`,
    fields: () => ({
      ...{ event: "name_contested", name, pid: holder.pid, otherPid: claimant.pid },
      ...(holder.peer !== undefined && { peer: holder.peer }),
      ...(claimant.peer !== undefined && { otherPeer: claimant.peer }),
    }),
    kind: "name contested",
    limit: { lines: 10, windowMs: 60_000 },
  };
}

function connectionFields({ pid, protocol, peer, via }: ConnectionEvent): Fields {
  return {
    ...{ pid: String(pid), protocol, peer: addressText(peer.address, peer.port) },
    ...(via !== undefined && { via: addressText(via.address, via.port) }),
  };
}

/**
 * Rate-limit key of an exit reason. Only identifiers that programs choose count as kinds of their own: a reason
 * that quotes what a client sent would otherwise be a new kind each time.
 */
export function reasonClass(reason: unknown): string {
  return textOr("unprintable", () => readReasonClass(reason));
}

function readReasonClass(reason: unknown): string {
  if (reason instanceof Error) return String(reason.name).slice(0, 40);
  if (typeof reason === "string") return /^[a-z]\w{0,39}$/.test(reason) ? reason : "text";
  if (typeof reason !== "object" || reason === null) return typeof reason;
  if (Array.isArray(reason)) return "array";
  const [tag = ""] = Object.keys(reason);
  const why = Object.getOwnPropertyDescriptor(reason, tag)?.value;
  return `${tag.slice(0, 40)} ${typeof why === "string" ? reasonClass(why) : typeof why}`;
}
