/**
 * Values of RESP, as a client reads them: replies and pushed messages, nested up to a depth. Attributes (`|`) and
 * streamed values (`$?`) are refused: no server sends them unless it is asked to.
 */

import { frameInvalid, receivedTooLong } from "../errors.js";
import type { FrameRule } from "../measured-decoder.js";
import { header, readCount } from "./header.js";
import { ReplyReader } from "./reply-reader.js";
import { CR, LF, type RespValue } from "./values.js";

/** Values that are one line, values with a length, and values with a count. */
const LINES = "+-:,(#_";
const LENGTHS = "$!=";
const COUNTS = "*~>%";
const [LINE, LENGTH, COUNT, PAIRS] = [1, 2, 3, 4] as const;
const KINDS = new Uint8Array(256);
for (const type of LINES) KINDS[type.charCodeAt(0)] = LINE;
for (const type of LENGTHS) KINDS[type.charCodeAt(0)] = LENGTH;
for (const type of COUNTS) KINDS[type.charCodeAt(0)] = COUNT;
KINDS["%".charCodeAt(0)] = PAIRS;
/** `_\r\n`, the shortest value. */
const SHORTEST = 3;

/** Has the state of one decoder: how far the value begun has been read. */
export class ReplyRule implements FrameRule<RespValue> {
  readonly name = "resp";
  readonly views = "inside";
  readonly last = LF;
  readonly maxTotal: number;
  private readonly maxDepth: number;
  /** Offset from the beginning of the frame of the next value, and how many are to come at each depth. */
  private position = 0;
  private readonly pending: number[] = [];

  constructor(maxLength: number, maxDepth: number) {
    this.maxTotal = maxLength;
    this.maxDepth = maxDepth;
  }

  measure(bytes: Uint8Array, at: number, end: number, seen: number): number {
    const { pending } = this;
    if (seen === 0) {
      this.position = 0;
      pending.length = 0;
      pending.push(1);
    }
    while (pending.length > 0) {
      if (pending[pending.length - 1] === 0) {
        pending.pop();
        continue;
      }
      const start = at + this.position;
      if (start >= end) return end - start - 1;
      const next = this.skip(bytes, start, end, at + seen);
      if (next === 0) return 0;
      this.position = next - at;
    }
    return this.position;
  }

  /** Offset after the value at `start`, or after the head of an aggregate; 0 if that is not complete. */
  private skip(bytes: Uint8Array, start: number, end: number, seen: number): number {
    const kind = KINDS[bytes[start]!]!;
    if (kind === 0)
      throw frameInvalid(this.name, `a value begins with the byte ${bytes[start]}, which is not a RESP type`);
    const next =
      kind === LINE ? this.lineEnd(bytes, start, end, seen) : this.headEnd(bytes, start, end, kind);
    this.pending[this.pending.length - 1]!--;
    if (next === 0) {
      this.checkTotal(Math.max(SHORTEST, end - start));
      this.pending[this.pending.length - 1]!++;
      return 0;
    }
    if (kind >= COUNT) this.open(header.value * (kind === PAIRS ? 2 : 1));
    this.checkTotal(next - start);
    return next;
  }

  private lineEnd(bytes: Uint8Array, start: number, end: number, seen: number): number {
    // The last byte seen may be the "\r".
    const found = bytes.indexOf(CR, Math.max(start, seen - 1));
    if (found === -1 || found + 1 >= end) return 0;
    if (bytes[found + 1] !== LF) throw frameInvalid(this.name, "a carriage return without line feed");
    return found + 2;
  }

  private headEnd(bytes: Uint8Array, start: number, end: number, kind: number): number {
    if (!readCount(this.name, bytes, start + 1, end)) return 0;
    if (kind === LENGTH && header.value >= 0) return header.next + header.value + 2;
    return header.next;
  }

  private open(count: number): void {
    if (count <= 0) return;
    if (this.pending.length > this.maxDepth) {
      throw frameInvalid(this.name, `a value is deeper than ${this.maxDepth} levels (maxDepth)`);
    }
    this.pending.push(count);
  }

  /** What cannot fit with the values still to come is refused before it has come. */
  private checkTotal(length: number): void {
    let least = this.position + length;
    for (const count of this.pending) least += count * SHORTEST;
    if (least > this.maxTotal) throw receivedTooLong(this.name, "a value", this.maxTotal, "maxLength");
  }

  frame(bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): RespValue {
    return new ReplyReader(bytes, at, at + total, memory, base).value();
  }
}
