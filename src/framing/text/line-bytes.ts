/** `lines({ encoding: "buffer" })`: lines as bytes without the terminator, "\n" or "\r\n". */

import { BufferView } from "../buffer-view.js";
import { receivedTooLong, sendInvalid, sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { type Payload, payloadLength, writePayload } from "../payload.js";

const LF = 0x0a;
const CR = 0x0d;

export class LineBytesFraming implements Framing<Buffer, Payload> {
  readonly name = "lines";
  readonly reusable = true;
  private readonly rule: LineBytes;
  private readonly terminator: "\n" | "\r\n";

  constructor(maxLength: number, terminator: "\n" | "\r\n") {
    this.rule = new LineBytes(maxLength);
    this.terminator = terminator;
  }

  decoder(): MeasuredDecoder<Buffer> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(line: Payload): number {
    const length = payloadLength(this.name, line);
    const { maxLength } = this.rule;
    if (length > maxLength)
      throw sendTooLong(this.name, length, maxLength, `lines({ maxLength: ${length} })`);
    const [newline, ends] =
      typeof line === "string"
        ? [line.includes("\n"), line.endsWith("\r")]
        : [line.includes(LF), line[length - 1] === CR];
    if (newline) throw sendInvalid(this.name, 'the line contains "\\n"; split it and send each');
    if (ends)
      throw sendInvalid(this.name, 'the line ends in "\\r", which the peer would take off; remove it');
    return length + this.terminator.length;
  }

  encodeInto(line: Payload, target: Buffer, offset: number): number {
    const end = writePayload(line, target, offset);
    return end + target.write(this.terminator, end, "latin1");
  }
}

class LineBytes implements FrameRule<Buffer> {
  readonly name = "lines";
  readonly views = "frame";
  readonly last = LF;
  readonly maxLength: number;
  readonly maxTotal: number;

  constructor(maxLength: number) {
    this.maxLength = maxLength;
    this.maxTotal = maxLength + 2;
  }

  measure(bytes: Uint8Array, at: number, end: number, seen: number): number {
    const total = lineLength(bytes, at, end, seen, this.maxLength);
    if (total < 0) throw receivedTooLong(this.name, "a line", this.maxLength, "maxLength");
    return total;
  }

  frame(bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    const terminator = total > 1 && bytes[at + total - 2] === CR ? 2 : 1;
    return new BufferView(memory, base + at, total - terminator);
  }
}

/** Length of the line at `at`, terminator included; 0 if its end has not come; -1 if it has more than `maxLength` bytes. */
export function lineLength(
  bytes: Uint8Array,
  at: number,
  end: number,
  seen: number,
  maxLength: number,
): number {
  const found = bytes.indexOf(LF, at + seen);
  const ended = found !== -1 && found < end;
  const contentEnd = ended ? found : end;
  // A "\r" at the end may belong to the terminator and is not counted.
  const length = contentEnd - at - (contentEnd > at && bytes[contentEnd - 1] === CR ? 1 : 0);
  if (length > maxLength) return -1;
  return ended ? found + 1 - at : 0;
}
