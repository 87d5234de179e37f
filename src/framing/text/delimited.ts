/**
 * `delimited(bytes)`: frames that end in a fixed sequence of bytes, such as "\r\n.\r\n" or "\0", which is removed on
 * receiving and added on sending. The leftmost occurrence ends the frame; an empty frame is a frame.
 */

import { isUint8Array } from "node:util/types";
import { BufferView } from "../buffer-view.js";
import { receivedTooLong, sendInvalid, sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { checkMaxLength, checkOptions } from "../options.js";
import { type Payload, payloadLength, writePayload } from "../payload.js";

export interface DelimitedOptions {
  /** Maximum length of a frame in bytes, without delimiter, received and sent. Default: 8192. */
  maxLength?: number;
}

const DEFAULT = 8192;
const CEILING = 0x7fff_ff00;
const LONGEST_DELIMITER = 255;
const HALF_PAIR = /\p{Surrogate}/u;

/**
 * Framing by a delimiter of 1 to 255 bytes after each frame. Received frames are Buffers without the delimiter; a
 * Buffer, a Uint8Array or a string (sent as UTF-8) can be sent.
 *
 * A frame above `maxLength` ends the connection with `frame_too_long`, as soon as no next byte could end it in time.
 * `conn.send` throws a `FramingError`: `send_too_long` above `maxLength`, `send_invalid` for a frame with which the
 * peer would find the delimiter earlier, and for any other value.
 * @param delimiter bytes, or a string (its UTF-8 bytes)
 * @param options `maxLength` in bytes (default 8192)
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a delimiter or `maxLength`
 * out of range.
 */
export function delimited(
  delimiter: string | Uint8Array,
  options: DelimitedOptions = {},
): Framing<Buffer, Payload> {
  if (typeof delimiter !== "string" && !isUint8Array(delimiter)) {
    throw new TypeError(`delimited: the delimiter is a string or a Buffer, not ${typeof delimiter}`);
  }
  if (typeof delimiter === "string" && HALF_PAIR.test(delimiter))
    throw new TypeError(
      "delimited: the delimiter has half a surrogate pair, which has no UTF-8; write bytes",
    );
  const bytes = Buffer.from(delimiter as string);
  if (bytes.length === 0 || bytes.length > LONGEST_DELIMITER) {
    throw new RangeError(`delimited: the delimiter has 1 to ${LONGEST_DELIMITER} bytes, not ${bytes.length}`);
  }
  checkOptions("delimited", options, ["maxLength"]);
  const instead = `delimited(…, { maxLength: ${CEILING} })`;
  const maxLength = checkMaxLength("delimited", options.maxLength, DEFAULT, CEILING, instead);
  return new DelimitedFraming(new Delimited(bytes, maxLength));
}

class DelimitedFraming implements Framing<Buffer, Payload> {
  readonly name = "delimited";
  readonly reusable = true;
  private readonly rule: Delimited;
  /** Lengths of beginnings of the delimiter after which the delimiter itself would complete another one. */
  private readonly overlaps: readonly number[];

  constructor(rule: Delimited) {
    this.rule = rule;
    const { delimiter } = rule;
    const { length } = delimiter;
    this.overlaps = Array.from({ length: length - 1 }, (_, i) => i + 1).filter((start) =>
      delimiter.subarray(start).equals(delimiter.subarray(0, length - start)),
    );
  }

  decoder(): MeasuredDecoder<Buffer> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(frame: Payload): number {
    const length = payloadLength(this.name, frame);
    const { delimiter, maxLength } = this.rule;
    if (length > maxLength) throw sendTooLong(this.name, length, maxLength, `{ maxLength: ${length} }`);
    const bytes = typeof frame === "string" ? Buffer.from(frame) : viewOf(frame);
    if (
      bytes.indexOf(delimiter) !== -1 ||
      this.overlaps.some((n) => endsWith(bytes, delimiter.subarray(0, n)))
    ) {
      const fact =
        "the frame contains the delimiter, or ends in its beginning, so the peer would end it earlier";
      throw sendInvalid(this.name, `${fact}; split or escape it`);
    }
    return length + delimiter.length;
  }

  encodeInto(frame: Payload, target: Buffer, offset: number): number {
    const end = writePayload(frame, target, offset);
    target.set(this.rule.delimiter, end);
    return end + this.rule.delimiter.length;
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function endsWith(bytes: Buffer, end: Buffer): boolean {
  return bytes.length >= end.length && bytes.subarray(bytes.length - end.length).equals(end);
}

class Delimited implements FrameRule<Buffer> {
  readonly name = "delimited";
  readonly views = "frame";
  readonly last: number;
  readonly delimiter: Buffer;
  readonly maxLength: number;
  readonly maxTotal: number;

  constructor(delimiter: Buffer, maxLength: number) {
    this.delimiter = delimiter;
    this.last = delimiter[delimiter.length - 1]!;
    this.maxLength = maxLength;
    this.maxTotal = maxLength + delimiter.length;
  }

  measure(bytes: Uint8Array, at: number, end: number, seen: number): number {
    const { delimiter, last } = this;
    // Looks for the last byte and compares backwards: a search for the whole delimiter costs 160 ns and more.
    let from = at + Math.max(seen, delimiter.length - 1);
    for (;;) {
      const found = from < end ? bytes.indexOf(last, from) : -1;
      if (found === -1 || found >= end) return this.withoutEnd(bytes, at, end);
      if (this.endsAt(bytes, found)) {
        const total = found + 1 - at;
        if (total > this.maxTotal) throw this.tooLong();
        return total;
      }
      from = found + 1;
    }
  }

  private endsAt(bytes: Uint8Array, found: number): boolean {
    const { delimiter } = this;
    const start = found - delimiter.length + 1;
    for (let i = delimiter.length - 2; i >= 0; i--) if (bytes[start + i] !== delimiter[i]) return false;
    return true;
  }

  /** The beginning of a delimiter at the end is not counted: the frame may yet end in time. */
  private withoutEnd(bytes: Uint8Array, at: number, end: number): 0 {
    const { delimiter, maxLength } = this;
    const excess = end - at - maxLength;
    if (excess <= 0) return 0;
    for (let length = delimiter.length - 1; length >= excess; length--) {
      let same = 0;
      while (same < length && bytes[end - length + same] === delimiter[same]) same++;
      if (same === length) return 0;
    }
    throw this.tooLong();
  }

  private tooLong(): Error {
    return receivedTooLong(this.name, "a frame", this.maxLength, "maxLength");
  }

  frame(_bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    return new BufferView(memory, base + at, total - this.delimiter.length);
  }
}
