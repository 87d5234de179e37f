/**
 * Buffer for a partial frame: the bytes of a frame that is not complete yet, copied between two chunks.
 *
 * One growing buffer instead of a list of chunks: a peer that sends single bytes would cost an object per byte. Its
 * size follows the bytes received, never the declared length, which costs the peer nothing.
 */

import { BufferView, type ReusedBuffer } from "./buffer-view.js";
import type { FrameMemory } from "./framing.js";

/** Stands for "no chunk" and "no partial frame", so that a decoder's fields are always Buffers. */
export const EMPTY: Buffer = Buffer.alloc(0);

/** Minimum size: below it the allocation itself costs more than the bytes. */
const MIN_SIZE = 512;

/**
 * A buffer for `received` bytes that begins with the first `filled` bytes of `own`: `own` itself if it is large
 * enough, else a new one of twice `received`, at least 512 and at most `max` bytes.
 */
export function reserve(own: Buffer, filled: number, received: number, max: number): Buffer {
  if (received <= own.length) return own;
  // Not from Node's pool: a few bytes of one slow peer would keep 8 KiB of it alive.
  const bigger = Buffer.allocUnsafeSlow(Math.min(max, Math.max(MIN_SIZE, received * 2)));
  own.copy(bigger, 0, 0, filled);
  return bigger;
}

/** The first `filled` bytes of `own`, then those of the chunk: as a view of the chunk if there are no others. */
export function restOf(own: Buffer, filled: number, chunk: Buffer, at: number, end: number): Buffer {
  const rest = chunk.subarray(at, end);
  return filled === 0 ? rest : Buffer.concat([own.subarray(0, filled), rest]);
}

/** Copies `length` bytes from `start` out of borrowed memory; returns a view of the copy. */
export function copyOut(
  source: ReusedBuffer,
  start: number,
  length: number,
  frameMemory: FrameMemory,
): Buffer {
  const at = frameMemory.copyIn(source, start, length);
  return new BufferView(frameMemory.memory, at, length);
}

/** The error of `push` before `pull` has returned `undefined`: frames not yet pulled would be lost. */
export function pushedTooEarly(name: string): Error {
  return new Error(`${name}: push() before pull() has returned undefined; pull the frames of the last chunk`);
}
