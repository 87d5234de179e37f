/**
 * Framings of the protocols whose packets begin with a header of fixed length that declares the length of the rest, as
 * Erlang's `sunrm`, `cdr`, `fcgi` and `tpkt`. Frames are whole packets: the header is neither removed nor added, since
 * the protocol needs what else it says.
 */

import { BufferView } from "../buffer-view.js";
import { declaredTooLong, sendInvalid, sendTooLong } from "../errors.js";
import { type Framing, FramingError } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { checkLimit, checkOptions } from "../options.js";
import { onlyBytes } from "../payload.js";

export interface PacketSizeOptions {
  /** Maximum length of a packet in bytes, without its header, received and sent. Default: 1,048,576 (1 MiB). */
  packetSize?: number;
}

/** Largest packet of Erlang, header included. */
const INT_MAX = 0x7fff_ffff;
const DEFAULT = 1_048_576;

/** Validates `packetSize`. @param largest what the header can declare */
export function packetSizeOf(
  name: string,
  options: PacketSizeOptions,
  headerLength: number,
  largest = INT_MAX,
): number {
  checkOptions(name, options, ["packetSize"]);
  const ceiling = Math.min(INT_MAX - headerLength, largest);
  const instead = `{ packetSize: ${ceiling} }`;
  return checkLimit(name, "packetSize", options.packetSize, Math.min(DEFAULT, ceiling), ceiling, instead);
}

/** Header of fixed length. `body` reads the length of the rest from a complete header. */
export abstract class FixedHeader<In> implements FrameRule<In> {
  abstract readonly name: string;
  abstract readonly headerLength: number;
  readonly packetSize: number;
  readonly views: "frame" | "inside" = "frame";
  readonly last = -1;
  readonly maxTotal = Number.POSITIVE_INFINITY;

  constructor(packetSize: number) {
    this.packetSize = packetSize;
  }

  /** @throws FramingError `frame_invalid` for a header of another protocol */
  protected abstract body(bytes: Uint8Array, at: number): number;

  measure(bytes: Uint8Array, at: number, end: number): number {
    const missing = at + this.headerLength - end;
    if (missing > 0) return -missing;
    const length = this.body(bytes, at);
    if (length > this.packetSize) throw declaredTooLong(this.name, length, this.packetSize, "packetSize");
    return this.headerLength + length;
  }

  abstract frame(
    bytes: Buffer,
    at: number,
    total: number,
    memory: ArrayBufferLike,
    base: number,
  ): In | undefined;
}

/** Frames are whole packets, header included. */
export abstract class WholePacket extends FixedHeader<Buffer> {
  frame(_bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    return new BufferView(memory, base + at, total);
  }
}

/** Framing whose frames are whole packets: a sent frame must carry the header that declares its length. */
export class WholePacketFraming implements Framing<Buffer, Uint8Array> {
  readonly name: string;
  readonly reusable = true;
  private readonly rule: FrameRule<Buffer>;

  constructor(rule: FrameRule<Buffer>) {
    this.name = rule.name;
    this.rule = rule;
  }

  decoder(): MeasuredDecoder<Buffer> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(frame: Uint8Array): number {
    const { length } = onlyBytes(this.name, frame);
    const declared = declaredLength(this.rule, frame);
    if (declared === length) return length;
    const fact =
      declared > 0 ? `the header declares ${declared} bytes in all` : "the frame ends inside its header";
    throw sendInvalid(this.name, `${fact}, and the frame has ${length}; send whole packets, with header`);
  }

  encodeInto(frame: Uint8Array, target: Buffer, offset: number): number {
    target.set(frame, offset);
    return offset + frame.length;
  }
}

/** Length that a frame to be sent declares; 0 or less if its header is incomplete. */
export function declaredLength(rule: FrameRule<unknown>, frame: Uint8Array): number {
  try {
    return rule.measure(frame, 0, frame.length, 0);
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    if (error.code === "frame_too_long") throw sendTooLong(rule.name, frame.length, limitOf(rule));
    throw new FramingError("send_invalid", `${rule.name}: ${factOf(error)}`);
  }
}

function limitOf(rule: FrameRule<unknown>): number {
  return (rule as Partial<FixedHeader<unknown>>).packetSize ?? rule.maxTotal;
}

function factOf(error: FramingError): string {
  return error.message.replace(/^\w+: /, "").replace(/; the peer.*$/, "");
}
