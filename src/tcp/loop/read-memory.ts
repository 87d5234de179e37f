/**
 * Memory for received bytes that must outlive the read buffer: 64 KiB blocks, handed out from front to back and never
 * reused, so that frames which are views of them are safe to keep. One allocation serves about a thousand small chunks.
 *
 * Borrowed frames may be overwritten. One that arrives in pieces is assembled in a scratch buffer, which the next one
 * reuses: fresh memory per frame costs more than copying the bytes, because the kernel has to map its pages.
 */

import type { ReusedBuffer } from "../../framing/buffer-view.js";
import type { FrameMemory } from "../../framing/framing.js";
import { READ_SIZE } from "../../transport/transport.js";
import { belongsToSocket } from "./borrowed-memory.js";

/** Scratch buffers kept for reuse, at most. */
const SCRATCHES = 8;
/** A frame with fewer bytes received is assembled in memory of its own: few bytes must not occupy 64 KiB. */
const SCRATCH_FROM = 4 * 1024;

export class ReadMemory implements FrameMemory {
  buffer = Buffer.allocUnsafeSlow(READ_SIZE);
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
    // `copy` would look up the Buffer's memory and make a view as well.
    this.buffer.set(from.view(start, length), at);
    this.#used += length;
    return at;
  }

  #renew(length: number): void {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(READ_SIZE, length));
    this.memory = this.buffer.buffer;
    this.#used = 0;
  }

  takeScratch(received: number, length: number): Buffer | undefined {
    if (!this.borrowed || received < SCRATCH_FROM || length > READ_SIZE) return undefined;
    // A new one is at most twice what was received, the bound of all memory for incomplete frames.
    return (
      this.#scratches.pop() ?? (2 * received >= READ_SIZE ? Buffer.allocUnsafeSlow(READ_SIZE) : undefined)
    );
  }

  returnScratch(scratch: Buffer): void {
    if (belongsToSocket(scratch.buffer) || this.#scratches.length === SCRATCHES) return;
    this.#scratches.push(scratch);
  }
}
