/**
 * `erlang.line()`: lines of bytes that keep their terminator, as Erlang's `{packet, line}`, with its options
 * `packet_size`, `line_length` and `line_delimiter`. `lines()` is the framing for text.
 */

import { BufferView } from "../buffer-view.js";
import { receivedTooLong, sendInvalid, sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { checkLimit, checkOptions } from "../options.js";
import { type Payload, payloadLength, writePayload } from "../payload.js";

export interface LineOptions {
  /**
   * Maximum length of a line in bytes, terminator included, received and sent; a longer line ends the connection.
   * Default: 8192, or no limit where `lineLength` is set.
   */
  packetSize?: number;
  /** A longer line is received in pieces of so many bytes. Default: lines are not divided. */
  lineLength?: number;
  /** The byte that ends a line: a number from 0 to 255. Default: 10 ("\n"). */
  lineDelimiter?: number;
}

const LF = 10;
const DEFAULT = 8192;
const CEILING = 0x7fff_ffff;

/**
 * Framing by lines of bytes that keep their terminator, as Erlang's `{packet, line}`. Received frames are Buffers; a
 * Buffer, a Uint8Array or a string (sent as UTF-8) can be sent, terminator included.
 *
 * A line above `packetSize` ends the connection with `frame_too_long`; a line above `lineLength` is received in pieces
 * of that length, of which only the last has the terminator. `conn.send` throws a `FramingError`: `send_too_long` above
 * `packetSize` or `lineLength`, `send_invalid` for a value that is not exactly one line.
 * @param options `packetSize` and `lineLength` in bytes (default 8192, and none), `lineDelimiter` a byte (default 10)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for a value out of range.
 */
export function line(options: LineOptions = {}): Framing<Buffer, Payload> {
  checkOptions("line", options, ["packetSize", "lineLength", "lineDelimiter"]);
  const limit = (option: "packetSize" | "lineLength", fallback: number) =>
    checkLimit("line", option, options[option], fallback, CEILING, `${option}: ${CEILING}`);
  const lineLength = limit("lineLength", 0);
  const packetSize = limit("packetSize", lineLength > 0 ? 0 : DEFAULT);
  const delimiter = options.lineDelimiter ?? LF;
  if (typeof delimiter !== "number") {
    throw new TypeError(`line: lineDelimiter is a byte, a number from 0 to 255, not ${typeof delimiter}`);
  }
  if (!Number.isInteger(delimiter) || delimiter < 0 || delimiter > 255) {
    throw new RangeError(`line: lineDelimiter is a byte, a number from 0 to 255, not ${delimiter}`);
  }
  return new LineFraming(new Line(packetSize, lineLength, delimiter));
}

class LineFraming implements Framing<Buffer, Payload> {
  readonly name = "line";
  readonly reusable = true;
  private readonly rule: Line;

  constructor(rule: Line) {
    this.rule = rule;
  }

  decoder(): MeasuredDecoder<Buffer> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(frame: Payload): number {
    const { last, maxTotal } = this.rule;
    const length = payloadLength(this.name, frame);
    const bytes = typeof frame === "string" ? Buffer.from(frame) : frame;
    if (bytes.indexOf(last) !== length - 1 || length === 0) {
      const fact = `a line has the byte ${last} at its end and nowhere else`;
      throw sendInvalid(this.name, `${fact}; send one line at a time, terminator included`);
    }
    if (length > maxTotal) throw sendTooLong(this.name, length, maxTotal, `line({ packetSize: ${length} })`);
    return length;
  }

  encodeInto(frame: Payload, target: Buffer, offset: number): number {
    return writePayload(frame, target, offset);
  }
}

class Line implements FrameRule<Buffer> {
  readonly name = "line";
  readonly views = "frame";
  readonly last: number;
  readonly maxTotal: number;
  /** 0 for none. */
  private readonly packetSize: number;
  private readonly lineLength: number;

  constructor(packetSize: number, lineLength: number, delimiter: number) {
    this.packetSize = packetSize;
    this.lineLength = lineLength;
    this.last = delimiter;
    this.maxTotal = Math.min(packetSize || CEILING, lineLength || CEILING);
  }

  measure(bytes: Uint8Array, at: number, end: number, seen: number): number {
    const { packetSize, lineLength } = this;
    const found = bytes.indexOf(this.last, at + seen);
    const length = (found === -1 || found >= end ? end : found + 1) - at;
    if (packetSize !== 0 && length > packetSize) {
      throw receivedTooLong(this.name, "a line", packetSize, "packetSize");
    }
    if (lineLength !== 0 && length >= lineLength) return lineLength;
    return found === -1 || found >= end ? 0 : length;
  }

  frame(_bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    return new BufferView(memory, base + at, total);
  }
}
