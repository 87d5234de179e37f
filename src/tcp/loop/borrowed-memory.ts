/**
 * Registry of borrowed memory: buffers that are overwritten by the next read. Frames in them must be copied before an
 * asynchronous write. One registry per OS process, because a frame may be sent to a connection of another listener.
 */

import { ReusedBuffer } from "../../framing/buffer-view.js";

/** Buffers that sockets are read into. */
const borrowed = new WeakSet<ArrayBufferLike>();
let last: ReusedBuffer | undefined;
/** Memory from which a socket is still writing. */
const written = new WeakSet<ArrayBufferLike>();

/** Registers the buffer that a socket was read into; it is nearly always the same one. */
export function borrowedBuffer(shared: Buffer): ReusedBuffer {
  if (last?.buffer === shared) return last;
  last = new ReusedBuffer(shared);
  borrowed.add(last.memory);
  return last;
}

export function isBorrowed(memory: ArrayBufferLike): boolean {
  return borrowed.has(memory);
}

/** The memory belongs to a socket until that has written it: it must not be reused meanwhile. */
export function giveToSocket(memory: ArrayBufferLike): void {
  written.add(memory);
}

/** Whether the memory belongs to a socket. Answers true once: the caller gives the memory up. */
export function belongsToSocket(memory: ArrayBufferLike): boolean {
  return written.delete(memory);
}
