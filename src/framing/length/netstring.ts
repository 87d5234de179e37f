/**
 * `netstring()`: frames with a decimal length (D. J. Bernstein, "Netstrings", 1997; SCGI and QMQP use them):
 *
 *     ┌────────────────────────┬─────┬──────────────┬─────┐
 *     │ length in ASCII digits │ ":" │ length bytes │ "," │
 *     └────────────────────────┴─────┴──────────────┴─────┘
 */

import { BufferView } from "../buffer-view.js";
import { declaredTooLong, frameInvalid, sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { checkMaxLength, checkOptions } from "../options.js";
import { type Payload, payloadLength, writePayload } from "../payload.js";

export interface NetstringOptions {
  /** Maximum length of a frame in bytes, without length, ":" and ",", received and sent. Default: 1,048,576 (1 MiB). */
  maxLength?: number;
}

const DEFAULT = 1_048_576;
const CEILING = 0x7fff_ffff;
/** Ten digits and the colon. */
const LONGEST_HEADER = 11;
const ZERO = 0x30;
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * Framing by netstrings: `5:hello,`. Received frames are Buffers; a Buffer, a Uint8Array or a string (sent as UTF-8)
 * can be sent.
 *
 * A declared length above `maxLength` ends the connection with `frame_too_long` at the digit that exceeds it; a length
 * with a leading zero, another character in it, or a missing "," with `frame_invalid`. `conn.send` throws a
 * `FramingError`: `send_too_long` above `maxLength`, `send_invalid` for any other value.
 * @param options `maxLength` in bytes (default 1 MiB)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `maxLength` out of range.
 */
export function netstring(options: NetstringOptions = {}): Framing<Buffer, Payload> {
  checkOptions("netstring", options, ["maxLength"]);
  const instead = `netstring({ maxLength: ${CEILING} })`;
  return new NetstringFraming(checkMaxLength("netstring", options.maxLength, DEFAULT, CEILING, instead));
}

class NetstringFraming implements Framing<Buffer, Payload> {
  readonly name = "netstring";
  readonly reusable = true;
  private readonly rule: Netstring;

  constructor(maxLength: number) {
    this.rule = new Netstring(maxLength);
  }

  decoder(): MeasuredDecoder<Buffer> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(frame: Payload): number {
    const length = payloadLength(this.name, frame);
    const { maxLength } = this.rule;
    if (length > maxLength)
      throw sendTooLong(this.name, length, maxLength, `netstring({ maxLength: ${length} })`);
    return String(length).length + length + 2;
  }

  encodeInto(frame: Payload, target: Buffer, offset: number): number {
    const length = typeof frame === "string" ? Buffer.byteLength(frame) : frame.length;
    const start = offset + target.write(`${length}:`, offset, "latin1");
    const end = writePayload(frame, target, start);
    target[end] = COMMA;
    return end + 1;
  }
}

class Netstring implements FrameRule<Buffer> {
  readonly name = "netstring";
  readonly views = "frame";
  readonly last = -1;
  readonly maxLength: number;
  readonly maxTotal: number;

  constructor(maxLength: number) {
    this.maxLength = maxLength;
    this.maxTotal = LONGEST_HEADER + maxLength + 1;
  }

  measure(bytes: Uint8Array, at: number, end: number): number {
    let length = 0;
    for (let digits = 0; at + digits < end; digits++) {
      const byte = bytes[at + digits]!;
      if (byte === COLON && digits > 0) return digits + 1 + length + 1;
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9) throw frameInvalid(this.name, 'a frame does not begin with digits and ":"');
      if (digits > 0 && length === 0) throw frameInvalid(this.name, "a length has a leading zero");
      length = length * 10 + digit;
      if (length > this.maxLength) throw declaredTooLong(this.name, length, this.maxLength, "maxLength");
    }
    return -1;
  }

  frame(bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    if (bytes[at + total - 1] !== COMMA) throw frameInvalid(this.name, 'a frame does not end in ","');
    let start = at + 1;
    while (bytes[start - 1] !== COLON) start++;
    return new BufferView(memory, base + start, at + total - 1 - start);
  }
}
