/**
 * Memory that is used again and again, so that what lies in it is only borrowed. Known to the whole OS process and
 * not to one server: a frame may be sent to a connection of another.
 */

import { ReusedBuffer } from "../../framing/buffer-view.js";

/** What sockets are read into: whatever lies there must be copied to be sent later. */
const lent = new WeakSet<ArrayBufferLike>();
let last: ReusedBuffer | undefined;
/** Memory from which a socket is still writing. */
const written = new WeakSet<ArrayBufferLike>();

/** The memory that a socket was read into, which is nearly always the same. */
export function lends(shared: Buffer): ReusedBuffer {
  if (last?.buffer === shared) return last;
  last = new ReusedBuffer(shared);
  lent.add(last.memory);
  return last;
}

export function isLent(memory: ArrayBufferLike): boolean {
  return lent.has(memory);
}

/** It belongs to a socket until that has written it: whoever would use it again lets go of it instead. */
export function giveToSocket(memory: ArrayBufferLike): void {
  written.add(memory);
}

/** Whether it belongs to a socket. The answer is given once: who has asked lets go of it. */
export function belongsToSocket(memory: ArrayBufferLike): boolean {
  return written.delete(memory);
}
