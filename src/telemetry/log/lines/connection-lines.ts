/** Log lines of listeners, connections, outgoing connections and contested names. */
import type {
  ConnectionClosed,
  ConnectionEvent,
  HandlerTimeout,
  ListenerEvent,
  MemoryBound,
  NameContested,
  OpeningFailed,
  OutgoingEvent,
} from "../../../tcp/observe/events.js";
import { addressText } from "../../../text/address.js";
import { durationText } from "../../../text/duration.js";
import type { Fields } from "../fields.js";
import type { LineLevel } from "../levels.js";
import type { Limit } from "../rate-limit.js";
import { MAX_TERM, reasonText, truncate } from "../safe-text.js";
import type { LogEntry } from "./log-entry.js";

/** A full, or rate-limited, listener accepts again with each connection that closes, and is full with the next: hundreds of times a second. */
const ONCE_A_MINUTE: Limit = { lines: 1, windowMs: 60_000 };

const LISTENER_MESSAGES: Readonly<
  Record<ListenerEvent["what"], { readonly level: LineLevel; readonly words: string }>
> = {
  listening: { level: "info", words: "listening on" },
  suspended: { level: "info", words: "suspended, not accepting on" },
  full: { level: "warn", words: "connection limit reached, not accepting on" },
  rate_limited: { level: "warn", words: "accept rate reached, new connections wait on" },
};

const RESUMED = { level: "debug", words: "below the limit, accepting again on" } as const;

export function listenerEntry({ pid, listener, what, address, port, resumed }: ListenerEvent): LogEntry {
  const { level, words } = resumed ? RESUMED : LISTENER_MESSAGES[what];
  return {
    level,
    message: `${words} ${addressText(address, port)}`,
    fields: () => ({ listener, state: what, address, port, pid: String(pid) }),
    kind: `listener ${what}`,
    ...((what === "full" || what === "rate_limited") && { limit: ONCE_A_MINUTE }),
  };
}

export function openedEntry(event: ConnectionEvent): LogEntry {
  return { level: "trace", message: "connection opened", fields: () => connectionFields(event) };
}

export function closedEntry(event: ConnectionClosed): LogEntry {
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
export function handlerTimeoutEntry(event: HandlerTimeout): LogEntry {
  const { pid, protocol, state, limit } = event;
  return {
    level: "warn",
    message: `handler of ${protocol} ${pid} did not finish within ${limit < 1000 ? `${limit} ms` : durationText(limit)} in state ${state}: connection closed; hand conn.signal to what the handler awaits, or raise limits.handler`,
    fields: () => ({ ...connectionFields(event), state, limitMs: limit }),
    kind: "handler_timeout",
  };
}

/** One line a minute for each reason: a port scan, or a proxy that is configured wrong, makes many a second. */
export function openingFailedEntry(event: OpeningFailed): LogEntry {
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
export function memoryBoundEntry(event: MemoryBound): LogEntry {
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
export function outgoingEntry(event: OutgoingEvent): LogEntry {
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
export function nameContestedEntry({ name, holder, claimant }: NameContested): LogEntry {
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
