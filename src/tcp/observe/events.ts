/** Events of connections and listeners, on diagnostics channels. No event object is made without a subscriber. */

import { channel } from "node:diagnostics_channel";
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import type { Peer } from "../../transport/transport.js";
import { ADDRESS_REFUSALS } from "../admission/terms.js";

/**
 * Values of the label `reason` of drover_connections_closed_total: a closed list, so that no client can create a new
 * series. `stopped` is a reason that its protocol does not list under `reasons`; `worker_died` is counted by the primary.
 */
export const CLOSE_REASONS = [
  "closed",
  "stopped",
  "idle",
  "reset",
  "truncated",
  "frame_too_long",
  "frame_invalid",
  "frame_timeout",
  "handler_timeout",
  "unexpected_frame",
  "first_frame_timeout",
  "lifetime",
  "handshake_timeout",
  "tls_error",
  "tls_refused",
  "proxy_error",
  "proxy_untrusted",
  "address_refused",
  "slow_consumer",
  "inbound_full",
  "outbound_full",
  "overload",
  "replaced",
  "shed",
  "send_timeout",
  "shutdown",
  "killed",
  "crash",
  "worker_died",
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Values of the label `reason` of drover_connections_refused_total. */
export const REFUSE_REASONS = ["max_connections", "accept_rate", "not_started", ...ADDRESS_REFUSALS] as const;
export type RefuseReason = (typeof REFUSE_REASONS)[number];

/**
 * Values of the label `result` of drover_handshakes_total. `failed` is the handshake itself, `refused` the client's
 * certificate, `timeout` was not done in time.
 */
export const HANDSHAKE_RESULTS = ["full", "resumed", "failed", "refused", "timeout"] as const;
export type HandshakeResult = (typeof HANDSHAKE_RESULTS)[number];

/** Values of the label `reason` of drover_group_dropped_total that a worker counts. */
export const GROUP_DROP_REASONS = [
  /** The member's output was full. */
  "slow_member",
  /** The member's mailbox was full. */
  "mailbox_full",
  /** The member was ending. */
  "ended",
  /** The member's framing cannot carry the message. */
  "too_large",
  /** The member's framing cannot send the message. */
  "invalid",
  /** Too much waited for delivery, or for the exchange. */
  "link_full",
  /** The exchange could not be reached. */
  "unreachable",
] as const;
export type GroupDropReason = (typeof GROUP_DROP_REASONS)[number];

/** Values of the label `result` of drover_asks_total: an answer, or why there is none. */
export const ASK_RESULTS = [
  "answer",
  "nobody",
  "busy",
  "refused",
  "ended",
  "unreachable",
  "timeout",
] as const;
export type AskResult = (typeof ASK_RESULTS)[number];

/** Bucket bounds of drover_handler_seconds. Fixed, because the counts of several workers are added up. */
export const HANDLER_BOUNDS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025],
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
] as const;

/** `tcp.connection.opened` and `tcp.connection.closed`. */
export interface ConnectionEvent {
  readonly pid: Pid;
  readonly protocol: string;
  /** The client. */
  readonly peer: Peer;
  /** The proxy, where `peer` comes from its PROXY header. */
  readonly via?: Peer | undefined;
}

export interface ConnectionClosed extends ConnectionEvent {
  readonly reason: ExitReason;
  /** The label under which it is counted: a `CloseReason`, or one of the protocol's own. */
  readonly counted: string;
  /** What is wrong, in one line: the framing's message, and what the connection begins like. */
  readonly detail?: string | undefined;
  readonly state: string;
  readonly framesReceived: number;
  readonly framesSent: number;
}

/** `tcp.handler_timeout`: a handler has not settled in time, and its connection is closed. */
export interface HandlerTimeout extends ConnectionEvent {
  readonly state: string;
  /** The limit, in milliseconds. */
  readonly limit: number;
}

/** `tcp.memory_bound`: its worker is at a bound of its memory, and this connection is ended. */
export interface MemoryBound extends ConnectionEvent {
  readonly listener: string;
  /** The label under which the connection is counted. */
  readonly counted: CloseReason;
  /** What was too much, in one line. */
  readonly message: string;
}

/**
 * `tcp.opening_failed`: the bytes before the first frame (PROXY header, TLS handshake) are wrong, or the first frame
 * is one of these where none is expected.
 */
export interface OpeningFailed extends ConnectionEvent {
  readonly listener: string;
  /** The label under which the connection is counted. */
  readonly counted: CloseReason;
  /** What is wrong, in one line. */
  readonly message: string;
}

/** `tcp.listener`. */
export interface ListenerEvent {
  readonly pid: Pid;
  readonly listener: string;
  readonly what: "listening" | "suspended" | "full" | "rate_limited";
  /** It is listening again after it was full, or rate limited. */
  readonly resumed?: boolean;
  readonly address: string;
  readonly port: number;
}

/**
 * Values of the label `result` of drover_outgoing_connects_total: a closed list. `other` is any other error of the
 * system.
 */
export const CONNECT_RESULTS = [
  "open",
  "connect_timeout",
  "econnrefused",
  "econnreset",
  "ehostunreach",
  "enetunreach",
  "etimedout",
  "enotfound",
  "eai_again",
  "enoent",
  "eacces",
  "emfile",
  "tls_error",
  "tls_refused",
  "cancelled",
  "other",
] as const;
export type ConnectResult = (typeof CONNECT_RESULTS)[number];

/** Each is a series of the metrics: with more protocols than this, the last ones are counted as `other`. */
export const MAX_OUTGOING_PROTOCOLS = 100;

/** Numbers of the outgoing connections of one protocol in one OS process; `connects` only grow. */
export interface OutgoingCounts {
  readonly protocol: string;
  readonly active: number;
  /** Attempts, by result. */
  readonly connects: Readonly<Record<ConnectResult, number>>;
}

/** `tcp.outgoing`: an outgoing connection that is kept open was opened, could not be, or has ended. */
export interface OutgoingEvent {
  readonly pid: Pid;
  readonly protocol: string;
  /** The registered name, if it has one. */
  readonly name: string | undefined;
  /** `host:port`, or the path of a UNIX socket. */
  readonly place: string;
  readonly what: "open" | "failed" | "ended";
  /** Of `failed`: `econnrefused`, `connect_timeout`, … */
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** Milliseconds until the next attempt; not of `open`. */
  readonly retryMs?: number | undefined;
}

/** One of the processes that replace each other in a name. */
export interface ContestParty {
  readonly pid: string;
  /** Address of a client; `undefined`: no connection, one of another server, or its worker does not answer. */
  readonly peer: string | undefined;
}

/** `groups.name_contested`: two processes replace each other in a name again and again. */
export interface NameContested {
  readonly name: string;
  readonly holder: ContestParty;
  readonly claimant: ContestParty;
}

export const namesContested = channel("groups.name_contested");
export const outgoingEvents = channel("tcp.outgoing");
export const connectionOpened = channel("tcp.connection.opened");
export const connectionClosed = channel("tcp.connection.closed");
export const handlerTimeouts = channel("tcp.handler_timeout");
export const memoryBounds = channel("tcp.memory_bound");
export const openingFailures = channel("tcp.opening_failed");
export const listenerEvents = channel("tcp.listener");
