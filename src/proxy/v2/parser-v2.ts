/**
 * Version 2 of the PROXY header, binary:
 *
 *   signature (12) │ version, command │ family, transport │ length (2) │ addresses │ TLVs │
 *
 * The first 16 bytes decide whether the length is acceptable. What follows is gathered, in memory that grows with what
 * has arrived and never with what was announced, and its structure is checked as it comes.
 */

import type { ProxyHeader } from "../header.js";
import { byteText, ProxyError } from "../proxy-error.js";
import { crc32c } from "./crc32c.js";
import { MAX_UNIQUE_ID, SSL_HEAD, TLV, TLV_HEAD } from "./tlv-types.js";
import { headerOf, layoutOf, type V2Layout } from "./v2-layout.js";

/** Most bytes of a header. The specification's senders stay below 536, but a client certificate (0x28) does not fit. */
export const V2_LENGTH = 4096;
/** Bytes of the fixed part. */
const FIXED = 16;
export const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const NOT_KNOWN = -1;

export class V2Parser {
  header: ProxyHeader | undefined = undefined;
  /** Bytes taken. */
  received = 0;
  /** Gathered bytes, when the header did not come in one piece. */
  #gathered = EMPTY;
  /** Bytes of the fixed part that were checked. */
  #fixed = 0;
  #layout: V2Layout | undefined = undefined;
  /** Offset of the TLV that is looked at next. */
  #tlvAt = 0;
  /** End of the TLVs inside `TLV.ssl`, while the next one is one of them. */
  #innerEnd = NOT_KNOWN;
  /** Offset of the checksum. */
  #crcAt = NOT_KNOWN;

  /** @returns the index after the last byte taken. @throws ProxyError */
  take(bytes: Uint8Array, from: number, to: number): number {
    const whole = this.received === 0;
    const start = whole ? from : 0;
    const held = whole ? bytes : this.#gather(bytes, from, to);
    const length = this.#check(held, start, whole ? to - from : this.received + to - from);
    const end = from + Math.min(to - from, length - this.received);
    if (this.header === undefined && whole) this.#gather(bytes, from, to);
    this.received += end - from;
    return end;
  }

  #gather(bytes: Uint8Array, from: number, to: number): Uint8Array {
    const needed = this.received + Math.min(to - from, V2_LENGTH);
    if (needed > this.#gathered.length) {
      const larger = new Uint8Array(Math.min(V2_LENGTH * 2, Math.max(64, 2 * needed)));
      larger.set(this.#gathered.subarray(0, this.received));
      this.#gathered = larger;
    }
    this.#gathered.set(bytes.subarray(from, from + needed - this.received), this.received);
    return this.#gathered;
  }

  /** Checks what has arrived. @returns the length of the header, or V2_LENGTH while it is unknown */
  #check(bytes: Uint8Array, start: number, available: number): number {
    while (this.#fixed < Math.min(FIXED, available)) {
      checkFixed(bytes, start, this.#fixed);
      this.#fixed++;
    }
    if (this.#fixed < FIXED) return V2_LENGTH;
    if (this.#layout === undefined) {
      this.#layout = layoutOf(bytes, start);
      this.#tlvAt = this.#layout.tlvsAt;
      this.#checkRest(this.#layout.length);
    }
    const { length } = this.#layout;
    while (this.#tlvAt + TLV_HEAD <= Math.min(length, available)) this.#checkTlv(bytes, start, length);
    if (available >= length) this.#complete(bytes, start, length);
    return length;
  }

  /** One TLV whose type and length have arrived. */
  #checkTlv(bytes: Uint8Array, start: number, length: number): void {
    const at = this.#tlvAt;
    const type = bytes[start + at] as number;
    const size = (bytes[start + at + 1] as number) * 256 + (bytes[start + at + 2] as number);
    const value = at + TLV_HEAD;
    const inside = this.#innerEnd !== NOT_KNOWN;
    const bound = inside ? this.#innerEnd : length;
    if (value + size > bound)
      throw wrong(`TLV ${byteText(type)} of ${size} bytes is longer than what is left`);
    this.#tlvAt = value + size;
    if (!inside) {
      this.#checkType(type, size, value);
      if (type === TLV.ssl) {
        this.#innerEnd = value + size;
        this.#tlvAt = value + SSL_HEAD;
      }
    }
    if (this.#tlvAt === this.#innerEnd) this.#innerEnd = NOT_KNOWN;
    this.#checkRest(this.#innerEnd === NOT_KNOWN ? length : this.#innerEnd);
  }

  #checkType(type: number, size: number, value: number): void {
    if (type === TLV.crc32c && size !== 4) throw wrong(`the checksum has ${size} bytes instead of 4`);
    if (type === TLV.crc32c && this.#crcAt !== NOT_KNOWN) throw wrong("there are two checksums");
    if (type === TLV.crc32c) this.#crcAt = value;
    if (type === TLV.uniqueId && size > MAX_UNIQUE_ID)
      throw wrong(`the unique id has ${size} bytes instead of at most ${MAX_UNIQUE_ID}`);
    if (type === TLV.ssl && size < SSL_HEAD)
      throw wrong(`the SSL TLV has ${size} bytes instead of at least ${SSL_HEAD}`);
  }

  /** Too few bytes are left for another TLV. */
  #checkRest(end: number): void {
    const left = end - this.#tlvAt;
    if (left > 0 && left < TLV_HEAD) throw wrong(`${left} bytes are left over behind the last TLV`);
  }

  #complete(bytes: Uint8Array, start: number, length: number): void {
    if (this.#crcAt !== NOT_KNOWN) {
      const at = start + this.#crcAt;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (crc32c(bytes, start, start + length, at) !== view.getUint32(at))
        throw wrong("the checksum (CRC32c) does not fit");
    }
    this.header = headerOf(bytes, start, this.#layout as V2Layout);
    this.#gathered = EMPTY;
  }
}

const EMPTY = new Uint8Array(0);

function wrong(what: string): ProxyError {
  return new ProxyError(`wrong PROXY header, version 2: ${what}`);
}

/** Checks one byte of the fixed part, those before it being right. */
function checkFixed(bytes: Uint8Array, start: number, at: number): void {
  const byte = bytes[start + at] as number;
  const command = bytes[start + 12] as number;
  const ok =
    at < 12
      ? byte === SIGNATURE[at]
      : at === 12
        ? byte === 0x20 || byte === 0x21
        : at === 13
          ? // Of LOCAL even the family is ignored.
            command === 0x20 || (byte >> 4 <= 3 && (byte & 15) <= 2)
          : true;
  if (!ok) throw new ProxyError(`byte ${at + 1} of the PROXY header, version 2, cannot be ${byteText(byte)}`);
  if (at < 14) return;
  const announced =
    FIXED + byte * (at === 14 ? 256 : 1) + (at === 15 ? (bytes[start + 14] as number) * 256 : 0);
  if (announced > V2_LENGTH)
    throw wrong(`it announces ${at === 14 ? "at least " : ""}${announced} bytes, more than ${V2_LENGTH}`);
}
