/**
 * Commands of RESP, as a server reads them: an array of bulk strings (`*2\r\n$3\r\nGET\r\n$1\r\na\r\n`), or an inline
 * command, a line of words between blanks (`GET a\r\n`), for `nc` and `telnet`. A frame is the list of words.
 */

import { BufferView } from "../buffer-view.js";
import { declaredTooLong, frameInvalid, receivedTooLong } from "../errors.js";
import { FramingError } from "../framing.js";
import type { FrameRule } from "../measured-decoder.js";
import { header, readCount } from "./header.js";
import { CR, LF } from "./values.js";

const STAR = 0x2a;
const DOLLAR = 0x24;
const SPACE = 0x20;
const TAB = 0x09;
/** As in Redis. */
const LONGEST_INLINE = 65_536;
/** `$0\r\n\r\n` */
const SHORTEST_WORD = 6;

/** Has the state of one decoder: how far the command begun has been read. */
export class CommandRule implements FrameRule<Buffer[]> {
  readonly name = "resp";
  readonly views = "inside";
  readonly last = LF;
  readonly maxTotal: number;
  private readonly maxWords: number;
  /** Offset from the beginning of the frame of what is read next, and words still to come; -1 before the count. */
  private position = 0;
  private words = -1;

  constructor(maxLength: number, maxWords: number) {
    this.maxTotal = maxLength;
    this.maxWords = maxWords;
  }

  measure(bytes: Uint8Array, at: number, end: number, seen: number): number {
    if (bytes[at] !== STAR) return this.measureInline(bytes, at, end, seen);
    if (seen === 0) {
      this.position = 1;
      this.words = -1;
    }
    if (this.words === -1) {
      if (!readCount(this.name, bytes, at + this.position, end)) return 0;
      this.words = this.checkCount(header.value);
      this.position = header.next - at;
    }
    while (this.words > 0) {
      const start = at + this.position;
      if (start >= end) return end - start - 1;
      if (bytes[start] !== DOLLAR)
        throw frameInvalid(this.name, 'a word of a command does not begin with "$"');
      if (!readCount(this.name, bytes, start + 1, end)) return 0;
      this.position = this.checkLength(header.next - at, header.value);
      this.words--;
    }
    return this.position;
  }

  private checkCount(count: number): number {
    if (count > this.maxWords) {
      const fact = `the peer declares a command of ${count} words and the limit is ${this.maxWords}`;
      throw declaredWords(this.name, fact);
    }
    return Math.max(0, count);
  }

  /** @returns the position after a word of this length. What cannot fit with the words still to come is refused now. */
  private checkLength(start: number, length: number): number {
    if (length < 0) throw frameInvalid(this.name, "a word of a command is null ($-1)");
    const after = start + length + 2;
    const least = after + (this.words - 1) * SHORTEST_WORD;
    if (least > this.maxTotal) throw declaredTooLong(this.name, least, this.maxTotal, "maxLength");
    return after;
  }

  private measureInline(bytes: Uint8Array, at: number, end: number, seen: number): number {
    const limit = Math.min(LONGEST_INLINE, this.maxTotal);
    const found = bytes.indexOf(LF, at + seen);
    const ended = found !== -1 && found < end;
    const length = (ended ? found + 1 : end) - at;
    if (length > limit) throw receivedTooLong(this.name, "an inline command", limit, "maxLength");
    return ended ? length : 0;
  }

  frame(
    bytes: Buffer,
    at: number,
    total: number,
    memory: ArrayBufferLike,
    base: number,
  ): Buffer[] | undefined {
    if (bytes[at] !== STAR) return this.inlineWords(bytes, at, at + total, memory, base);
    readCount(this.name, bytes, at + 1, at + total);
    const count = header.value;
    let next = header.next;
    if (count <= 0) return undefined;
    const words: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      readCount(this.name, bytes, next + 1, at + total);
      const start = header.next;
      const end = start + header.value;
      if (bytes[end] !== CR || bytes[end + 1] !== LF)
        throw frameInvalid(this.name, "a word does not end in \\r\\n");
      words.push(new BufferView(memory, base + start, end - start));
      next = end + 2;
    }
    return words;
  }

  private inlineWords(
    bytes: Buffer,
    start: number,
    end: number,
    memory: ArrayBufferLike,
    base: number,
  ): Buffer[] | undefined {
    const words: Buffer[] = [];
    for (let at = start; at < end; at++) {
      const from = at;
      while (!isBlank(bytes[at]!)) at++;
      if (at === from) continue;
      if (words.length === this.maxWords) {
        throw declaredWords(this.name, `an inline command has more than ${this.maxWords} words`);
      }
      words.push(new BufferView(memory, base + from, at - from));
    }
    return words.length === 0 ? undefined : words;
  }
}

/** The line feed at the end of an inline command is one, too. */
function isBlank(code: number): boolean {
  return code === SPACE || code === TAB || code === LF || code === CR;
}

function declaredWords(name: string, fact: string): Error {
  return new FramingError("frame_too_long", `${name}: ${fact}; raise maxWords if that is right`);
}
