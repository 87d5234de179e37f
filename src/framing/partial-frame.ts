/**
 * What a decoder holds between two chunks: the beginning of a frame, copied into a buffer of its own.
 *
 * Kept in one growing buffer because a list of pieces would cost a peer that sends single bytes nothing and
 * us an object per byte; and sized by what has come, never by what was declared, because a declared length
 * is free for the peer too.
 */

import { BufferView, type ReusedBuffer } from "./buffer-view.js";
import type { FrameMemory } from "./framing.js";

/** Stands for "no chunk" and "no rest", so that the fields of a decoder are always buffers. */
export const EMPTY: Buffer = Buffer.alloc(0);

/** Below this the allocation itself costs more than the bytes. */
const SMALLEST = 512;

/**
 * A buffer with room for `received` bytes whose first `filled` bytes are those of `own`: `own` itself where
 * it has the room, else a new one of at most twice `received` (never less than 512) and at most `most`
 * bytes.
 */
export function reserve(own: Buffer, filled: number, received: number, most: number): Buffer {
  if (received <= own.length) return own;
  // Not from Node's pool: one slow peer would keep 8 KiB of it alive for a few bytes.
  const bigger = Buffer.allocUnsafeSlow(Math.min(most, Math.max(SMALLEST, received * 2)));
  own.copy(bigger, 0, 0, filled);
  return bigger;
}

/** A copy of `length` bytes, which begin at `start`, in memory that stays. */
export function copyOut(
  source: ReusedBuffer,
  start: number,
  length: number,
  frameMemory: FrameMemory,
): Buffer {
  const at = frameMemory.copyIn(source, start, length);
  return new BufferView(frameMemory.memory, at, length);
}

/** For a caller that breaks the contract of `push`: silence would lose the frames not yet pulled. */
export function pushedTooEarly(name: string): Error {
  return new Error(`${name}: push() before pull() has returned undefined; pull the frames of the last chunk`);
}
