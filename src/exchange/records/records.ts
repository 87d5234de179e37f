/**
 * Records between a worker and the exchange: `u32 length · u8 kind · u16 length of name · name · body`, many in one write.
 * The length counts what follows it. Numbers are big-endian; a serial is a float64, because it may pass 2^32.
 *
 *   kind       from      name    body
 *   hello      worker    -       u16 worker · highest token that its processes were given: first record
 *   row        worker    group   serials of members: on connecting, all groups
 *   ready      worker    -       the rows are complete
 *   here       worker    group   it stays on this server: before its first row or join
 *   join,leave worker    group   serial
 *   publish    both      group   u16 worker, serial of the member that does not get it (0, 0: none) · message
 *   signal     both      -       u16 worker, serial of the receiver · u8 kind · u8 has pids · payload
 *   remote     worker    node    u16 worker, serial of the receiver on another server · message
 *              exchange  -       the same, from another server
 *   query      worker    -       u32 id · JSON
 *   reply      exchange  -       u32 id · JSON
 *   claim      worker    name    u32 id · serial · u8 whether a held name refuses it
 *   release    worker    name    serial
 *   held       worker    name    serial · token: on connecting, all names
 *   claimed    exchange  -       u32 id · u8 who held the name before, or that it is taken · token
 *   replace    exchange  name    serial of the holder that must let go
 *   ask        worker    name    u32 id · u32 milliseconds · u16 worker, serial of who asks · message
 *   request    exchange  name    as ask, then serial of the holder · u8 length, name of the server that asks (0: this one) · message
 *   answer     worker    -       u32 id · u8 code · message or text: to a request
 *   answered   exchange  -       the same: to an ask
 *   introduce  worker    group   serial · u16 length of key · key · info as JSON: after its join, or row
 *   presence   exchange  group   what has changed, as JSON
 */

export const KIND = {
  hello: 1,
  row: 2,
  ready: 3,
  join: 4,
  leave: 5,
  publish: 6,
  signal: 8,
  query: 9,
  reply: 10,
  claim: 11,
  release: 12,
  held: 13,
  claimed: 14,
  replace: 15,
  ask: 16,
  request: 17,
  answer: 18,
  answered: 19,
  remote: 20,
  here: 21,
  introduce: 30,
  presence: 31,
} as const;

export class LinkRecord {
  readonly kind: number;
  readonly name: string;
  /** What was received, and where in it the record and its body are: another read may overwrite it. */
  readonly bytes: Buffer;
  readonly first: number;
  readonly start: number;
  readonly end: number;

  constructor(kind: number, name: string, bytes: Buffer, first: number, start: number, end: number) {
    this.kind = kind;
    this.name = name;
    this.bytes = bytes;
    this.first = first;
    this.start = start;
    this.end = end;
  }

  /** A view into what was received: copy what must outlive the handling of the record. */
  get body(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** The same, of all of it. */
  get whole(): Buffer {
    return this.bytes.subarray(this.first, this.end);
  }
}

/** Bytes of the length, which counts what follows it. */
export const LENGTH = 4;
export const NAME_LENGTH_AT = LENGTH + 1;
/** Length of a record without its name and body. */
export const HEAD = NAME_LENGTH_AT + 2;
export const FIRST_SIZE = 64 * 1024;
/** Names of records are not longer, but for those that are forged. */
export const MAX_NAME = 255;
const EMPTY = Buffer.alloc(0);

/** Encodes records one behind the other. */
export class RecordWriter {
  buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  #at = 0;
  /** Name of the last record, and its bytes: most records of a batch are of one group. */
  #name = "";
  #nameBytes: Uint8Array = EMPTY;
  #nameLength = 0;
  readonly #ascii = new Uint8Array(MAX_NAME);

  /** Bytes that wait in it. */
  get length(): number {
    return this.#at;
  }

  /** Begins a record. @returns where its body, which the caller writes into `buffer`, begins */
  add(kind: number, name: string, bodyLength: number): number {
    if (name !== this.#name) this.#encode(name);
    const nameBytes = this.#nameBytes;
    const nameLength = this.#nameLength;
    const length = HEAD + nameLength + bodyLength;
    this.#reserve(length);
    const { buffer } = this;
    const start = this.#at;
    buffer.writeUInt32BE(length - LENGTH, start);
    buffer[start + LENGTH] = kind;
    buffer.writeUInt16BE(nameLength, start + NAME_LENGTH_AT);
    for (let at = 0; at < nameLength; at++) buffer[start + HEAD + at] = nameBytes[at] as number;
    this.#at = start + length;
    return start + HEAD + nameLength;
  }

  /** Most names are ASCII: byte by byte that takes 40 ns, `Buffer.from` 100 ns. */
  #encode(name: string): void {
    const { length } = name;
    this.#name = name;
    let at = 0;
    for (; at < length && length <= MAX_NAME; at++) {
      const code = name.charCodeAt(at);
      if (code > 0x7f) break;
      this.#ascii[at] = code;
    }
    this.#nameBytes = at === length ? this.#ascii : Buffer.from(name);
    this.#nameLength = at === length ? length : this.#nameBytes.length;
  }

  /** Leaves room for bytes that are no record. @returns where they begin */
  skip(length: number): number {
    this.#reserve(length);
    this.#at += length;
    return this.#at - length;
  }

  /** Adds whole records. */
  addRecords(records: Uint8Array): void {
    this.#reserve(records.length);
    this.buffer.set(records, this.#at);
    this.#at += records.length;
  }

  addText(kind: number, id: number, text: string): void {
    const length = Buffer.byteLength(text);
    const at = this.add(kind, "", 4 + length);
    this.buffer.writeUInt32BE(id, at);
    this.buffer.write(text, at + 4, "utf8");
  }

  addSerial(kind: number, name: string, serial: number): void {
    // The buffer of before may be too small: `add` replaces it then.
    const at = this.add(kind, name, 8);
    this.buffer.writeDoubleBE(serial, at);
  }

  /**
   * Takes all bytes out, as a copy.
   * @param memory for the copy, where it is large enough
   */
  take(memory?: Buffer): Buffer {
    const written = this.buffer.subarray(0, this.#at);
    const fits = memory !== undefined && memory.length >= written.length;
    const bytes = fits ? memory.subarray(0, written.length) : Buffer.from(written);
    if (fits) bytes.set(written);
    this.clear();
    return bytes;
  }

  /** All bytes, where they are: before the next `add` they are written, or given away. */
  get written(): Buffer {
    return this.buffer.subarray(0, this.#at);
  }

  /** Its bytes were written. */
  clear(): void {
    this.#at = 0;
    // A burst is over: its memory is given back.
    if (this.buffer.length > 16 * FIRST_SIZE) this.buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  }

  /** Its bytes belong to a socket from now on. */
  giveAway(): void {
    this.#at = 0;
    this.buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.buffer.length, this.#at + more));
    this.buffer.copy(grown, 0, 0, this.#at);
    this.buffer = grown;
  }
}
