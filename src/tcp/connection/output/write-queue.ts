/**
 * Write queue of a connection: the outstanding write, and the bytes that wait behind it. Exists from a write that does
 * not complete at once until all is written: most connections have none.
 */

import type { Waiting } from "../../loop/waiting-output.js";

/** The writer whose queue it is. */
export interface QueueOwner {
  /** Frees what waits, and ends the connection. */
  giveUpOutput(): void;
}

/** Initial size in bytes. */
const FIRST = 4 * 1024;

export class WriteQueue implements Waiting {
  listPrev: Waiting | undefined = undefined;
  listNext: Waiting | undefined = undefined;
  readonly #owner: QueueOwner;
  /** Bytes of the outstanding write. */
  inFlight = 0;
  /** When the kernel was last seen to take a byte, in clock milliseconds. */
  progressAt = 0;
  /** Bytes of the outstanding write that it had not taken by then. */
  unsent = 0;
  /** Bytes that wait behind the outstanding write. */
  queued = 0;
  /** How many of them may leave: those behind wait until TLS is up. */
  clear = Infinity;
  #queue: Buffer | undefined = undefined;

  constructor(owner: QueueOwner) {
    this.#owner = owner;
  }

  giveUp(): void {
    this.#owner.giveUpOutput();
  }

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

  /** Takes out the waiting bytes that may leave. The caller owns their memory from now on. */
  takeClear(): Buffer {
    const { clear } = this;
    const bytes = Buffer.from(this.queued === 0 ? [] : (this.#queue as Buffer).subarray(0, clear));
    this.#queue?.copyWithin(0, clear, this.queued);
    this.queued -= clear;
    this.clear = 0;
    return bytes;
  }

  /** Gets the waiting bytes of `other`, of which none may leave. */
  takeOver(other: WriteQueue): void {
    this.#queue = other.#queue;
    this.queued = other.queued;
    this.clear = 0;
  }

  /** Takes the waiting bytes out. The caller owns their memory from now on. */
  takeQueue(): Buffer {
    const bytes = (this.#queue as Buffer).subarray(0, this.queued);
    this.#queue = undefined;
    this.queued = 0;
    return bytes;
  }
}
