/**
 * Memory for what is received: a large piece, handed out from front to back and never used twice, so that
 * frames which are views of it are safe to keep. One allocation serves a thousand small chunks.
 */

import type { Keeper } from "../framing/framing.js";

const SIZE = 64 * 1024;

export class Slab implements Keeper {
  buffer = Buffer.allocUnsafeSlow(SIZE);
  #used = 0;

  /** Copies bytes in. @returns where they begin in `buffer`, until the next call */
  keep(from: Buffer, start: number, end: number): number {
    const length = end - start;
    if (length > this.buffer.length - this.#used) {
      this.buffer = Buffer.allocUnsafeSlow(Math.max(SIZE, length));
      this.#used = 0;
    }
    const at = this.#used;
    from.copy(this.buffer, at, start, end);
    this.#used += length;
    return at;
  }
}
