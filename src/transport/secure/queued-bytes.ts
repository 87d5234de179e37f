/** What is written to a TLS socket while the write before it is on its way through the event loop. */

/** A write that has returned `false`. */
export interface Outstanding {
  /** Not written yet: the write before it is on its way. */
  held: Uint8Array | undefined;
  /** Bytes that wait, with those queued before. */
  readonly length: number;
  /** Bytes of ciphertext that the kernel had taken by then. */
  readonly taken: number;
}

/** Bytes written while the write before them was on its way through the event loop: most that one socket holds. */
const QUEUE_SIZE = 64 * 1024;
/** Memory kept for reuse; more than so many sockets seldom write twice in a turn. */
const MAX_KEPT = 16;

const kept: Buffer[] = [];

export class QueuedBytes {
  #memory = kept.pop() ?? Buffer.allocUnsafeSlow(QUEUE_SIZE);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @returns false when there is no room */
  append(bytes: Uint8Array): boolean {
    if (bytes.length > QUEUE_SIZE - this.#length) return false;
    this.#memory.set(bytes, this.#length);
    this.#length += bytes.length;
    return true;
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** Its memory is no longer used. */
  free(): void {
    if (kept.length < MAX_KEPT) kept.push(this.#memory);
  }
}
