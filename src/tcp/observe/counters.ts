/** Counters of one listener in one worker: plain numbers on the hot path, turned into metrics only when scraped. */
import { type ExitReason, isShutdownTuple } from "../../otp/process/exit-reason.js";
import {
  CLOSE_REASONS,
  type CloseReason,
  HANDSHAKE_RESULTS,
  type HandshakeResult,
  REFUSE_REASONS,
  type RefuseReason,
} from "./events.js";

/** The `reason` label under which the end of a connection is counted. */
export function closeReason(reason: ExitReason): CloseReason {
  if (reason === "normal") return "closed";
  if (reason === "shutdown") return "shutdown";
  if (reason === "killed") return "killed";
  if (!isShutdownTuple(reason)) return "crash";
  const word = reason.shutdown as CloseReason;
  return CLOSE_REASONS.includes(word) ? word : "stopped";
}

/** The reason of the protocol's own (`reasons`) for which a connection ends, if it is one. */
export function ownReason(
  { reasons }: { readonly reasons?: readonly string[] },
  reason: ExitReason,
): string | undefined {
  if (reasons === undefined || typeof reason !== "object" || !isShutdownTuple(reason)) return undefined;
  return reasons.find((own) => own === reason.shutdown);
}

/** All fields only grow, except the gauges `active` and `outbound`. */
export class Counters {
  accepted = 0;
  active = 0;
  framesReceived = 0;
  framesSent = 0;
  bytesReceived = 0;
  bytesSent = 0;
  readsPaused = 0;
  crashes = 0;
  /** Milliseconds for which the listener has waited for its accept rate, until its last change of state. */
  rateLimitedMs = 0;
  /** Messages that came to a full mailbox. */
  messagesDropped = 0;
  /** Bytes that were sent and not yet taken by the kernel. */
  outbound = 0;
  readonly closed: Record<CloseReason, number> = zeros(CLOSE_REASONS);
  /** Connections that were closed for a reason of their protocol (`reasons`); `closed.stopped` counts them as well. */
  readonly own: Record<string, number> = {};
  readonly refused: Record<RefuseReason, number> = zeros(REFUSE_REASONS);
  /** TLS handshakes that have ended. */
  readonly handshakes: Record<HandshakeResult, number> = zeros(HANDSHAKE_RESULTS);
}

function zeros<const K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
