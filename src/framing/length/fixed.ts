/**
 * `fixed(n)`: frames of n bytes each, with nothing between them. For records of one size, and for the bytes that a line
 * has announced (`conn.setFraming(fixed(n))`, as in NATS and memcached).
 */

import { BufferView } from "../buffer-view.js";
import { sendInvalid } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { type Payload, payloadLength, writePayload } from "../payload.js";

const CEILING = 0x7fff_ffff;

/**
 * Framing by length alone: every frame has `length` bytes. Received frames are Buffers; a Buffer, a Uint8Array or a
 * string (sent as UTF-8) can be sent. Memory is taken as bytes arrive, not for the length.
 *
 * `conn.send` throws a `FramingError` `send_invalid` for a frame of any other length, and for any other value.
 * @param length in bytes, from 1 to 2,147,483,647
 * @throws TypeError when it is not a number; RangeError when it is out of range or not whole
 */
export function fixed(length: number): Framing<Buffer, Payload> {
  if (typeof length !== "number")
    throw new TypeError(`fixed: the length is a number of bytes, not ${typeof length}`);
  if (!Number.isInteger(length) || length < 1 || length > CEILING)
    throw new RangeError(`fixed: the length is a whole number from 1 to ${CEILING} bytes, not ${length}`);
  return new FixedFraming(length);
}

class FixedFraming implements Framing<Buffer, Payload> {
  readonly name: string;
  readonly reusable = true;
  private readonly rule: Fixed;

  constructor(length: number) {
    this.rule = new Fixed(length);
    this.name = this.rule.name;
  }

  decoder(): MeasuredDecoder<Buffer> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(frame: Payload): number {
    const length = payloadLength(this.name, frame);
    const { maxTotal } = this.rule;
    if (length !== maxTotal)
      throw sendInvalid(this.name, `a frame has ${maxTotal} bytes, and this one has ${length}`);
    return length;
  }

  encodeInto(frame: Payload, target: Buffer, offset: number): number {
    return writePayload(frame, target, offset);
  }
}

class Fixed implements FrameRule<Buffer> {
  readonly name: string;
  readonly views = "frame";
  readonly last = -1;
  readonly maxTotal: number;

  constructor(length: number) {
    this.name = `fixed(${length})`;
    this.maxTotal = length;
  }

  measure(): number {
    return this.maxTotal;
  }

  frame(_bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    return new BufferView(memory, base + at, total);
  }
}
