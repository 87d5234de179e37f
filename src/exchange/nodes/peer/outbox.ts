/**
 * Outbox of one other server: what the carrier has not taken yet, in batches. 8 MiB and 2 s; beyond that the oldest is
 * dropped, and counted. The memory of what was dropped is used again: left to the garbage collector, 40 MB/s of it came to
 * 57 MiB of RSS.
 */
import { clock } from "../../../otp/time/clock.js";

export const MAX_BYTES = 8 * 1024 * 1024;
/** Bytes of a batch that waits; one with a longer record is larger. */
export const BATCH = 128 * 1024;
/** Milliseconds. */
const KEEP = 2_000;

interface Batch {
  readonly bytes: Buffer;
  /** Messages of groups and to processes in it. */
  readonly messages: number;
  readonly at: number;
}

export class Outbox {
  readonly #dropped: (messages: number) => void;
  #batches: Batch[] = [];
  /** Memory of batches that were dropped. */
  #spare: Buffer[] = [];
  bytes = 0;

  /** @param onDropped called with a number of messages */
  constructor(onDropped: (messages: number) => void) {
    this.#dropped = onDropped;
  }

  add(bytes: Buffer, messages: number): void {
    this.#batches.push({ bytes, messages, at: clock.now() });
    this.bytes += bytes.length;
    while (this.bytes > MAX_BYTES) this.#drop();
  }

  /** @param send takes a batch, or returns false: it is kept, with those behind it */
  send(send: (bytes: Buffer, messages: number) => boolean): void {
    this.expire();
    let sent = 0;
    for (const { bytes, messages } of this.#batches) {
      if (!send(bytes, messages)) break;
      this.bytes -= bytes.length;
      sent++;
    }
    if (sent > 0) this.#batches = this.#batches.slice(sent);
    if (this.bytes === 0) this.#spare = [];
  }

  /** Memory for a batch that will wait; `undefined` for a small one, which gets no more than it needs. */
  memory(length: number): Buffer | undefined {
    if (this.bytes === 0 || length < BATCH / 2) return undefined;
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BATCH);
  }

  /** Drops what has waited for too long. */
  expire(): void {
    const oldest = clock.now() - KEEP;
    while (this.#batches.length > 0 && (this.#batches[0] as Batch).at < oldest) this.#drop();
  }

  /** Drops everything: the server is gone. */
  clear(): void {
    while (this.#batches.length > 0) this.#drop();
    this.#spare = [];
  }

  #drop(): void {
    const { bytes, messages } = this.#batches.shift() as Batch;
    this.bytes -= bytes.length;
    if (bytes.buffer.byteLength === BATCH) this.#spare.push(Buffer.from(bytes.buffer));
    if (messages > 0) this.#dropped(messages);
  }
}
