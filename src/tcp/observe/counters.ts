/** What a worker counts: plain numbers on the path of a frame, turned into series only where they are asked for. */
import { type ExitReason, isShutdownTuple } from "../../otp/process/exit-reason.js";
import { CLOSE_REASONS, type CloseReason, REFUSE_REASONS, type RefuseReason } from "./events.js";

/** Under which word an end is counted. */
export function closeReason(reason: ExitReason): CloseReason {
  if (reason === "normal") return "closed";
  if (reason === "shutdown") return "shutdown";
  if (reason === "killed") return "killed";
  if (!isShutdownTuple(reason)) return "crash";
  const word = reason.shutdown as CloseReason;
  return CLOSE_REASONS.includes(word) ? word : "stopped";
}

/** The counters of one worker. All fields only grow, but for `outbound` and `active`. */
export class Counters {
  accepted = 0;
  active = 0;
  framesReceived = 0;
  framesSent = 0;
  bytesReceived = 0;
  bytesSent = 0;
  readsPaused = 0;
  crashes = 0;
  /** Bytes queued for sending now. */
  outbound = 0;
  readonly closed: Record<CloseReason, number> = zeros(CLOSE_REASONS);
  readonly refused: Record<RefuseReason, number> = zeros(REFUSE_REASONS);
}

function zeros<const K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
