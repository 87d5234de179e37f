/**
 * What a connection has sent and the kernel has not taken: the outstanding write, and what waits behind it. Made when
 * a write is not done at once, gone when all is out: most connections have none.
 */

/** The first size of the queue. */
const FIRST = 4 * 1024;

export class WriteQueue {
  /** Bytes of the outstanding write. */
  inFlight = 0;
  /** When the kernel was last seen to take something, in clock milliseconds. */
  progressAt = 0;
  /** What of the outstanding write it had not taken by then. */
  unsent = 0;
  /** Bytes that wait behind it. */
  queued = 0;
  #queue: Buffer | undefined = undefined;

  /** Bytes in all. */
  get pending(): number {
    return this.inFlight + this.queued;
  }

  /** Memory with room for `more` bytes at `queued`. */
  reserve(more: number): Buffer {
    const needed = this.queued + more;
    if (this.#queue && this.#queue.length >= needed) return this.#queue;
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST, needed, this.#queue ? 2 * this.#queue.length : 0));
    if (this.#queue) grown.set(this.#queue.subarray(0, this.queued));
    this.#queue = grown;
    return grown;
  }

  /** Takes out what waits: from now on it is whoever writes it that owns the memory. */
  takeQueue(): Buffer {
    const bytes = (this.#queue as Buffer).subarray(0, this.queued);
    this.#queue = undefined;
    this.queued = 0;
    return bytes;
  }
}
