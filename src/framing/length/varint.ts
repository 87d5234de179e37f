/**
 * `varint()`: frames with a length in LEB128, as delimited Protocol Buffers have it (encoding of unsigned varints):
 *
 *     ┌──────────────────────────────────────────────┬──────────────┐
 *     │ length: 7 bits a byte, least significant     │ length bytes │
 *     │ first; the top bit says that a byte follows  │ of the frame │
 *     └──────────────────────────────────────────────┴──────────────┘
 *
 * The shortest form of a length is the only valid one, so that equal frames are equal bytes.
 */

import { BufferView } from "../buffer-view.js";
import { declaredTooLong, frameInvalid, sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { checkMaxLength, checkOptions } from "../options.js";
import { type Payload, payloadLength, writePayload } from "../payload.js";

export interface VarintOptions {
  /** Maximum length of a frame in bytes, without header, received and sent. Default: 1,048,576 (1 MiB). */
  maxLength?: number;
}

const DEFAULT = 1_048_576;
const CEILING = 0x7fff_ffff;
/** Bytes of a 32-bit length; a length up to the ceiling needs no more. */
const LONGEST_HEADER = 5;

/**
 * Framing by a LEB128 length (unsigned varint) before each frame, as delimited Protocol Buffers. Received frames are
 * Buffers; a Buffer, a Uint8Array or a string (sent as UTF-8) can be sent.
 *
 * A declared length above `maxLength` ends the connection with `frame_too_long` at the byte that exceeds it, a length
 * that is longer than necessary or has more than 5 bytes with `frame_invalid`. `conn.send` throws a `FramingError`:
 * `send_too_long` above `maxLength`, `send_invalid` for any other value.
 * @param options `maxLength` in bytes, without header (default 1 MiB)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `maxLength` out of range.
 */
export function varint(options: VarintOptions = {}): Framing<Buffer, Payload> {
  checkOptions("varint", options, ["maxLength"]);
  const instead = `varint({ maxLength: ${CEILING} })`;
  return new VarintFraming(checkMaxLength("varint", options.maxLength, DEFAULT, CEILING, instead));
}

class VarintFraming implements Framing<Buffer, Payload> {
  readonly name = "varint";
  readonly reusable = true;
  private readonly rule: Varint;

  constructor(maxLength: number) {
    this.rule = new Varint(maxLength);
  }

  decoder(): MeasuredDecoder<Buffer> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(frame: Payload): number {
    const length = payloadLength(this.name, frame);
    const { maxLength } = this.rule;
    if (length > maxLength)
      throw sendTooLong(this.name, length, maxLength, `varint({ maxLength: ${length} })`);
    return headerLength(length) + length;
  }

  encodeInto(frame: Payload, target: Buffer, offset: number): number {
    const length = typeof frame === "string" ? Buffer.byteLength(frame) : frame.length;
    return writePayload(frame, target, writeHeader(length, target, offset));
  }

  encodeHead(frame: Uint8Array, target: Buffer, offset: number): number {
    return writeHeader(frame.length, target, offset);
  }
}

function headerLength(length: number): number {
  let bytes = 1;
  for (let rest = length >>> 7; rest !== 0; rest >>>= 7) bytes++;
  return bytes;
}

function writeHeader(length: number, target: Buffer, offset: number): number {
  let at = offset;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at] = rest;
  return at + 1;
}

class Varint implements FrameRule<Buffer> {
  readonly name = "varint";
  readonly views = "frame";
  readonly last = -1;
  readonly maxLength: number;
  readonly maxTotal: number;

  constructor(maxLength: number) {
    this.maxLength = maxLength;
    this.maxTotal = LONGEST_HEADER + maxLength;
  }

  measure(bytes: Uint8Array, at: number, end: number): number {
    let length = 0;
    let unit = 1;
    for (let header = 1; header <= LONGEST_HEADER; header++) {
      if (at + header > end) return -1;
      const byte = bytes[at + header - 1]!;
      // Not by shifts: the fifth byte reaches beyond 32 bits.
      length += (byte & 0x7f) * unit;
      if (length > this.maxLength) throw declaredTooLong(this.name, length, this.maxLength, "maxLength");
      if (byte < 0x80) {
        if (byte === 0 && header > 1) throw frameInvalid(this.name, "a length is padded with a zero byte");
        return header + length;
      }
      unit *= 128;
    }
    throw frameInvalid(this.name, `a length has more than ${LONGEST_HEADER} bytes`);
  }

  frame(bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    let header = 1;
    while (bytes[at + header - 1]! >= 0x80) header++;
    return new BufferView(memory, base + at + header, total - header);
  }
}
