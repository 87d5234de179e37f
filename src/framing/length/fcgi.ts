/**
 * `fcgi()`: FastCGI records (FastCGI Specification 1.0, section 3.3), as Erlang's `{packet, fcgi}`:
 *
 *     ┌───────────┬──────┬────────────┬────────────────┬─────────┬──────────┬─────────┬─────────┐
 *     │ version 1 │ type │ request id │ content length │ padding │ reserved │ content │ padding │
 *     │           │      │ 2 bytes    │ 2 bytes        │ length  │          │         │         │
 *     └───────────┴──────┴────────────┴────────────────┴─────────┴──────────┴─────────┴─────────┘
 *
 * Frames are header and content: padding is removed on receiving and added on sending, zeros of the declared length.
 */

import { BufferView } from "../buffer-view.js";
import { frameInvalid, sendInvalid } from "../errors.js";
import type { Framing } from "../framing.js";
import { MeasuredDecoder } from "../measured-decoder.js";
import { onlyBytes } from "../payload.js";
import { declaredLength, FixedHeader, type PacketSizeOptions, packetSizeOf } from "./fixed-header.js";

const HEADER = 8;
const VERSION = 1;
const LONGEST = 0xffff + 0xff;

/**
 * Framing of FastCGI records, as Erlang's `{packet, fcgi}`. A frame is a record with its 8-byte header and without its
 * padding, received and sent as bytes.
 *
 * A version other than 1 ends the connection with `frame_invalid`, content and padding above `packetSize` with
 * `frame_too_long`. `conn.send` throws a `FramingError`: `send_too_long` above `packetSize`, `send_invalid` where the
 * header does not declare the length of the content.
 * @param options `packetSize` in bytes, without header, with padding (default 65,790, what the header can declare)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `packetSize` out of range.
 */
export function fcgi(options: PacketSizeOptions = {}): Framing<Buffer, Uint8Array> {
  return new FcgiFraming(new Fcgi(packetSizeOf("fcgi", options, HEADER, LONGEST)));
}

class FcgiFraming implements Framing<Buffer, Uint8Array> {
  readonly name = "fcgi";
  readonly reusable = true;
  private readonly rule: Fcgi;

  constructor(rule: Fcgi) {
    this.rule = rule;
  }

  decoder(): MeasuredDecoder<Buffer> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(frame: Uint8Array): number {
    const { length } = onlyBytes(this.name, frame);
    const declared = declaredLength(this.rule, frame);
    if (declared > 0 && declared - frame[6]! === length) return declared;
    const fact =
      declared > 0
        ? `the header declares ${declared - frame[6]!} bytes without padding`
        : "the frame ends inside its header";
    const fix = "send header and content, without the padding, which is added";
    throw sendInvalid(this.name, `${fact}, and the frame has ${length}; ${fix}`);
  }

  encodeInto(frame: Uint8Array, target: Buffer, offset: number): number {
    target.set(frame, offset);
    const end = offset + frame.length;
    target.fill(0, end, end + frame[6]!);
    return end + frame[6]!;
  }
}

class Fcgi extends FixedHeader<Buffer> {
  readonly name = "fcgi";
  readonly headerLength = HEADER;

  protected body(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== VERSION) throw frameInvalid(this.name, `the version is ${bytes[at]}, not ${VERSION}`);
    return ((bytes[at + 4]! << 8) | bytes[at + 5]!) + bytes[at + 6]!;
  }

  frame(bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    return new BufferView(memory, base + at, total - bytes[at + 6]!);
  }
}
