/**
 * Memory for what is received: a large piece, handed out from front to back and never used twice, so that
 * frames which are views of it are safe to keep. One allocation serves a thousand small chunks.
 *
 * Borrowed frames need no such care. One that comes in pieces is put together on a scratch, which the next one uses
 * again: fresh memory for each would cost more than copying the bytes, for the kernel has to find its pages.
 */

import type { ReusedBuffer } from "../../framing/buffer-view.js";
import type { FrameMemory } from "../../framing/framing.js";
import { belongsToSocket } from "./borrowed-memory.js";

const SIZE = 64 * 1024;
/** Benches that wait to be used again, at most. */
const SCRATCHES = 8;
/** Fewer bytes are put together in memory of their own: nobody is to occupy a scratch with a few. */
const SCRATCH_FROM = 4 * 1024;

export class ReadMemory implements FrameMemory {
  buffer = Buffer.allocUnsafeSlow(SIZE);
  memory = this.buffer.buffer;
  readonly borrowed: boolean;
  #used = 0;
  readonly #scratches: Buffer[] = [];

  constructor(borrowed: boolean) {
    this.borrowed = borrowed;
  }

  copyIn(from: ReusedBuffer, start: number, length: number): number {
    if (length > this.buffer.length - this.#used) this.#renew(length);
    const at = this.#used;
    // `copy` would ask the Buffer for its memory and make a view of it as well.
    this.buffer.set(from.view(start, length), at);
    this.#used += length;
    return at;
  }

  #renew(length: number): void {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(SIZE, length));
    this.memory = this.buffer.buffer;
    this.#used = 0;
  }

  takeScratch(received: number, length: number): Buffer | undefined {
    if (!this.borrowed || received < SCRATCH_FROM || length > SIZE) return undefined;
    // A new one is at most twice what has come, as all memory for what is not yet whole.
    return this.#scratches.pop() ?? (2 * received >= SIZE ? Buffer.allocUnsafeSlow(SIZE) : undefined);
  }

  returnScratch(scratch: Buffer): void {
    if (belongsToSocket(scratch.buffer) || this.#scratches.length === SCRATCHES) return;
    this.#scratches.push(scratch);
  }
}
