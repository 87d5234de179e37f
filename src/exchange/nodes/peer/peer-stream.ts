/**
 * What goes to one other server: records in batches. What is added in one turn of the event loop leaves together; a batch
 * is never larger than the carrier takes.
 */
import { clock } from "../../../otp/time/clock.js";
import { HEAD, LENGTH, RecordWriter } from "../../records/records.js";
import type { Carrier } from "../carrier.js";
import { BATCH, MAX_BYTES, Outbox } from "./outbox.js";
import { HEADER, type PeerHeader, writeHeader, writeSequence } from "./peer-records.js";

/** Milliseconds that a batch is written while others wait: one message each would cost more memory than it holds. */
const FILL = 100;

/** Why a message did not leave. */
export type StreamDrop = "outbox" | "too_large";

export interface StreamOwner {
  readonly carrier: Carrier;
  /** The header of a batch that begins now. */
  header(sequence: number): PeerHeader;
  /** Calls `flush` of all streams at the end of this turn. */
  flushSoon(): void;
  onDropped(reason: StreamDrop, messages: number): void;
}

export class PeerStream {
  readonly inbox: string;
  readonly writer = new RecordWriter();
  readonly #owner: StreamOwner;
  readonly #outbox: Outbox;
  /** Messages in the batch that is being written. */
  #messages = 0;
  #begunAt = 0;
  #sequence = 1;

  constructor(inbox: string, owner: StreamOwner) {
    this.inbox = inbox;
    this.#owner = owner;
    this.#outbox = new Outbox((messages) => owner.onDropped("outbox", messages));
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#outbox.bytes + this.writer.length;
  }

  get full(): boolean {
    return this.waiting > MAX_BYTES;
  }

  /**
   * Makes room for a record, which the caller adds to `writer`.
   * @param message whether it counts as a message
   * @returns false when the carrier cannot take it
   */
  room(nameLength: number, bodyLength: number, message = false): boolean {
    const length = HEAD + nameLength + bodyLength;
    const { maxBytes } = this.#owner.carrier;
    if (HEADER + length > maxBytes) {
      if (message) this.#owner.onDropped("too_large", 1);
      return false;
    }
    if (this.writer.length + length > Math.min(maxBytes, BATCH)) this.seal();
    if (this.writer.length === 0) this.#begin();
    if (message) this.#messages++;
    this.#owner.flushSoon();
    return true;
  }

  /** Adds so many messages that are records already, in as many batches as they need. */
  pass(records: Buffer, messages: number): void {
    const most = Math.min(this.#owner.carrier.maxBytes, BATCH);
    if (this.writer.length + records.length > most) this.seal();
    if (HEADER + records.length > most) return this.#passEach(records);
    if (this.writer.length === 0) this.#begin();
    this.#messages += messages;
    this.writer.addRecords(records);
    this.#owner.flushSoon();
  }

  #passEach(records: Buffer): void {
    for (let at = 0, end = 0; at < records.length; at = end) {
      end = at + LENGTH + records.readUInt32BE(at);
      if (this.room(0, end - at - HEAD, true)) this.writer.addRecords(records.subarray(at, end));
    }
  }

  #begin(): void {
    this.#begunAt = clock.now();
    const at = this.writer.skip(HEADER);
    writeHeader(this.writer.buffer, at, this.#owner.header(0));
  }

  /** Ends the batch that is being written. */
  seal(): void {
    if (this.writer.length === 0) return;
    const memory = this.#outbox.memory(this.writer.length);
    this.#outbox.add(this.writer.take(memory), this.#messages);
    this.#messages = 0;
  }

  /**
   * Hands over to the carrier what it takes.
   * @param hears whether the other server is known to hear
   */
  flush(hears = true): void {
    // While others wait it is filled.
    if (this.#outbox.bytes === 0 || clock.now() - this.#begunAt >= FILL) this.seal();
    if (!hears) return this.#outbox.expire();
    this.#send();
    if (this.#outbox.bytes > 0 || this.writer.length === 0) return;
    this.seal();
    this.#send();
  }

  #send(): void {
    const { carrier } = this.#owner;
    this.#outbox.send((bytes, messages) => {
      // Numbered only now: what the outbox drops is counted here, and must not be counted there as well.
      writeSequence(bytes, this.#sequence);
      if (!carrier.send(this.inbox, bytes)) return false;
      this.#sequence += messages;
      return true;
    });
  }

  /**
   * Sends one record as a request, behind all that was added before: an inbox without a listener is reported.
   * @param write adds the record
   */
  probe(write: (writer: RecordWriter) => void): void {
    this.flush();
    this.seal();
    this.#begin();
    write(this.writer);
    // What waits has not been numbered.
    if (this.#outbox.bytes > 0) return this.seal();
    const bytes = this.writer.take();
    writeSequence(bytes, this.#sequence);
    this.#owner.carrier.probe(this.inbox, bytes);
  }

  /** The server is gone. */
  clear(): void {
    this.seal();
    this.#outbox.clear();
  }
}
