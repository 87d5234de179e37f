/** Limits of a connection, and their default values. */
import { type Duration, toMs } from "../../otp/time/duration.js";

export interface Limits {
  /** Frames handled in one turn before other connections are served. Default 64. */
  readonly framesPerTurn: number;
  /** Bytes handled in one turn before other connections are served. Default 64 KiB. */
  readonly bytesPerTurn: number;
  /**
   * Frames of one connection a second; what is above waits in the kernel. A second's worth may come at once. Default no
   * limit.
   */
  readonly framesPerSecond: number;
  /** Bytes that one connection sends a second, likewise. A larger frame is taken, and the pause after it is longer. */
  readonly bytesPerSecond: number;
  /** Waiting output at which no further frame is handled, in bytes. Default 64 KiB. */
  readonly highWater: number;
  /** Waiting output at which frames are handled again, in bytes. Default 16 KiB. */
  readonly lowWater: number;
  /** Waiting output above which a further `send` ends the connection (`slow_consumer`), in bytes. Default 1 MiB. */
  readonly maxOutbound: number;
  /**
   * Waiting output of all connections of the OS process, of every listener in it, in bytes. Above it, those with the most
   * are ended with RST (`outbound_full`); from 90 % of it on, a connection with any waiting output is treated as if it
   * were at its high-water mark. Default 256 MiB.
   */
  readonly workerOutbound: number;
  /**
   * Bytes of frames that have begun and not ended, of all connections of the OS process, of every listener in it; frames
   * of less than 4 KiB are not counted. Above it, those with the most are ended (`inbound_full`). Default 256 MiB.
   */
  readonly workerInbound: number;
  /** Time without a whole frame after which `idle` runs, in milliseconds. Default 2 min. */
  readonly idle: number;
  /** Time from the first to the last byte of one frame, in milliseconds; then `frame_timeout`. Default 15 s. */
  readonly frame: number;
  /** Time in which the peer takes no byte of the waiting output, in milliseconds; then `send_timeout`. Default 30 s. */
  readonly send: number;
  /**
   * Time a handler's promise may take, in milliseconds; then `handler_timeout`. Counted again from the client's FIN,
   * which also limits how long its postponed frames wait. Default 2 min.
   */
  readonly handler: number;
  /** Time from accept to the first whole frame, such as a login, in milliseconds; then `first_frame_timeout`. Default none. */
  readonly firstFrame: number;
  /** Time from accept after which the connection is stopped, in milliseconds; then `lifetime`. Default none. */
  readonly lifetime: number;
  /** Time the peer has to close its side after ours was closed, in milliseconds. Default 1 s. */
  readonly linger: number;
  /** Time a protocol's `terminate` may take, in milliseconds; then the connection is killed. Default 5 s. */
  readonly terminate: number;
}

export const LIMITS: Limits = Object.freeze({
  framesPerTurn: 64,
  bytesPerTurn: 64 * 1024,
  framesPerSecond: Infinity,
  bytesPerSecond: Infinity,
  highWater: 64 * 1024,
  lowWater: 16 * 1024,
  maxOutbound: 1024 * 1024,
  workerOutbound: 256 * 1024 * 1024,
  workerInbound: 256 * 1024 * 1024,
  idle: 120_000,
  frame: 15_000,
  send: 30_000,
  handler: 120_000,
  firstFrame: Infinity,
  lifetime: Infinity,
  linger: 1_000,
  terminate: 5_000,
});

/** Limits that are times; the others count frames or bytes. */
export const TIMES = [
  "idle",
  "frame",
  "send",
  "handler",
  "firstFrame",
  "lifetime",
  "linger",
  "terminate",
] as const;
type Time = (typeof TIMES)[number];

/** Limits as a protocol gives them: a time is milliseconds, a duration such as `"30s"`, or `Infinity`. */
export type LimitOptions = { readonly [K in keyof Limits]?: K extends Time ? Duration : number };

/** Limits that an operator may set in place of the protocol's own, also while connections are open. */
export const OVERRIDABLE = [
  "firstFrame",
  "lifetime",
  "framesPerSecond",
  "bytesPerSecond",
  "workerOutbound",
  "workerInbound",
] as const;
/** Times in milliseconds. */
export type LimitOverrides = { readonly [K in (typeof OVERRIDABLE)[number]]?: number };

/**
 * The limits of a protocol, checked before, with the defaults of those that it does not give.
 * @param overrides what an operator has set in place of the protocol's own
 */
export function limitsOf(options: LimitOptions = {}, overrides: LimitOverrides = {}): Limits {
  const limits: Record<keyof Limits, unknown> = { ...LIMITS, ...options, ...overrides };
  for (const time of TIMES) if (typeof limits[time] === "string") limits[time] = toMs(limits[time]);
  const numbers = limits as Record<keyof Limits, number>;
  // No turn takes more than a second may bring.
  numbers.framesPerTurn = Math.min(numbers.framesPerTurn, numbers.framesPerSecond);
  numbers.bytesPerTurn = Math.min(numbers.bytesPerTurn, numbers.bytesPerSecond);
  return numbers;
}

/** Whether a connection has a rate that it must keep to. */
export function isRated({ framesPerSecond, bytesPerSecond }: Limits): boolean {
  return framesPerSecond !== Infinity || bytesPerSecond !== Infinity;
}
