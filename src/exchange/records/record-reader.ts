/** Splits what is received into records, and takes those together that are alike. */
import { MalformedRecord } from "./malformed-record.js";
import { FIRST_SIZE, HEAD, LENGTH, LinkRecord, MAX_NAME, NAME_LENGTH_AT } from "./records.js";

/** A longer record is not one of ours. */
const MAX_RECORD = 256 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** Records of one kind and name that follow each other: a view, as they are. */
export interface RecordRun {
  readonly bytes: Buffer;
  readonly count: number;
}

export class RecordReader {
  /** What is read: a chunk of the caller's, or `#memory` while a record is incomplete. */
  #bytes: Buffer = EMPTY;
  #at = 0;
  #end = 0;
  #memory: Buffer = EMPTY;
  /** Name of the last record, and its bytes: most records of a batch are of one group. */
  #name = "";
  #nameLength = 0;
  readonly #nameBytes = new Uint8Array(MAX_NAME);

  /** @param length bytes of the chunk; records are views of it, until `keep` or the next `push` */
  push(chunk: Buffer, length = chunk.length): void {
    if (this.#at === this.#end) {
      this.#bytes = chunk;
      this.#at = 0;
      this.#end = length;
      return;
    }
    this.#move(length);
    this.#memory.set(length === chunk.length ? chunk : chunk.subarray(0, length), this.#end);
    this.#end += length;
  }

  /** Reads these bytes, and forgets what is left of those before. */
  restart(bytes: Buffer): void {
    this.#at = this.#end;
    this.push(bytes);
  }

  /** The chunk will be overwritten: keeps what is not read yet. */
  keep(): void {
    if (this.#bytes === this.#memory) return;
    if (this.#at < this.#end) this.#move(0);
    else this.#bytes = EMPTY;
  }

  /** Moves what is not read yet to the beginning of its own memory, with room for more. */
  #move(more: number): void {
    const rest = this.#end - this.#at;
    const from = this.#bytes;
    if (rest + more > this.#memory.length)
      this.#memory = Buffer.allocUnsafeSlow(Math.max(FIRST_SIZE, 2 * (rest + more)));
    from.copy(this.#memory, 0, this.#at, this.#end);
    this.#bytes = this.#memory;
    this.#at = 0;
    this.#end = rest;
  }

  /** The next record; `undefined` when none is complete. @throws MalformedRecord when the bytes are no records */
  next(): LinkRecord | undefined {
    const bytes = this.#bytes;
    const start = this.#at;
    if (this.#end - start < LENGTH) return undefined;
    const length = bytes.readUInt32BE(start);
    if (length < HEAD - LENGTH || length > MAX_RECORD)
      throw new MalformedRecord(`a record of ${length} bytes`);
    const end = start + LENGTH + length;
    if (this.#end < end) return undefined;
    const name = start + HEAD;
    const body = name + bytes.readUInt16BE(start + NAME_LENGTH_AT);
    if (body > end) throw new MalformedRecord("a name that is longer than its record");
    this.#at = end;
    return new LinkRecord(bytes[start + LENGTH] as number, this.#nameAt(name, body), bytes, start, body, end);
  }

  /**
   * The record that `next` has just returned, and those of its kind and name that follow it: they are taken as well.
   * @param least bytes of their bodies; one with less is left to `next`
   */
  run({ bytes, first, start }: LinkRecord, least: number): RecordRun {
    let count = 0;
    let length = 0;
    do {
      this.#at += length;
      count++;
      length = this.#lengthOfNext(first, start - first, least);
    } while (length > 0);
    return { bytes: bytes.subarray(first, this.#at), count };
  }

  /** Length of the next record, if it is complete and begins as the one at `first`; otherwise 0. */
  #lengthOfNext(first: number, head: number, least: number): number {
    const bytes = this.#bytes;
    const at = this.#at;
    const rest = this.#end - at;
    if (rest < head + least) return 0;
    for (let byte = LENGTH; byte < head; byte++) if (bytes[at + byte] !== bytes[first + byte]) return 0;
    const length = LENGTH + bytes.readUInt32BE(at);
    return length >= head + least && length <= rest ? length : 0;
  }

  #nameAt(start: number, end: number): string {
    const bytes = this.#bytes;
    const known = this.#nameBytes;
    const length = end - start;
    if (length === this.#nameLength) {
      let at = 0;
      while (at < length && known[at] === bytes[start + at]) at++;
      if (at === length) return this.#name;
    }
    const name = bytes.toString("utf8", start, end);
    if (length <= MAX_NAME) {
      for (let at = 0; at < length; at++) known[at] = bytes[start + at] as number;
      this.#name = name;
      this.#nameLength = length;
    }
    return name;
  }
}
