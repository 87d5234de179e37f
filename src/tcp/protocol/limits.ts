/** The limits of a connection, and the values they have unless a protocol says otherwise. */

export interface Limits {
  /** Frames of one connection handled before the others get their turn. */
  readonly framesPerTurn: number;
  /** Bytes of one connection handled before the others get their turn. */
  readonly bytesPerTurn: number;
  /** Output waiting to be sent at which no further frame is handled, in bytes. */
  readonly highWater: number;
  /** Output below which frames are handled again, in bytes. */
  readonly lowWater: number;
  /** Output waiting to be sent, in bytes: who sends more while it is above this ends the connection (`slow_consumer`). */
  readonly maxOutbound: number;
  /**
   * Output waiting in all connections of an OS process, in bytes: above it, a connection with any output waiting is
   * treated as if it were at its high water.
   */
  readonly workerOutbound: number;
  /** Without a whole frame for so long: `idle`, in milliseconds. */
  readonly idle: number;
  /** From the first to the last byte of one frame, in milliseconds. */
  readonly frame: number;
  /** Output of which the peer takes nothing for so long ends the connection, in milliseconds. */
  readonly send: number;
  /** How long a peer gets to close its side after we have closed ours, in milliseconds. */
  readonly linger: number;
  /** How long a protocol's `terminate` may take, in milliseconds; then the connection is killed. */
  readonly terminate: number;
}

export const LIMITS: Limits = Object.freeze({
  framesPerTurn: 64,
  bytesPerTurn: 64 * 1024,
  highWater: 64 * 1024,
  lowWater: 16 * 1024,
  maxOutbound: 1024 * 1024,
  workerOutbound: 256 * 1024 * 1024,
  idle: 120_000,
  frame: 15_000,
  send: 30_000,
  linger: 1_000,
  terminate: 5_000,
});
