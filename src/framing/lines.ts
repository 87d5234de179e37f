/**
 * Lines of text: everything up to "\n", as a string without it. A "\r" before the "\n" belongs to the
 * terminator too, whichever of the two a peer sends, so that both `nc` and `telnet` can be served.
 *
 * Bytes are made into text when the line is whole, never before: so a character that is split over chunks
 * survives, and bytes that are not UTF-8 become U+FFFD inside their line and harm no other.
 */

import { constants } from "node:buffer";
import type { ReusedBuffer } from "./buffer-view.js";
import type { BorrowingDecoder, FrameMemory, Framing } from "./framing.js";
import { FramingError } from "./framing.js";
import { checkMaxLength, checkOptions } from "./options.js";
import { copyOut, EMPTY, pushedTooEarly, reserve } from "./partial-frame.js";

const LF = 0x0a;
const CR = 0x0d;
const DEFAULT = 8192;
/** A longer line could not become a string in V8; text has at most as many units as it has bytes. */
const CEILING = constants.MAX_STRING_LENGTH;

export interface LinesOptions {
  /** Bytes of the longest line, its terminator not counted, in both directions. Default: 8192. */
  maxLength?: number;
  /** What is sent after a line; both are understood when received. Default: "\n". */
  terminator?: "\n" | "\r\n";
}

/**
 * Frames that are lines of UTF-8 text, given and taken without their terminator.
 * @throws TypeError, RangeError when the options are wrong.
 */
export function lines(options: LinesOptions = {}): Framing<string> {
  checkOptions("lines", options, ["maxLength", "terminator"]);
  const instead = `lines({ maxLength: ${CEILING} }), or use packet(4) for what is not text`;
  const maxLength = checkMaxLength("lines", options.maxLength, DEFAULT, CEILING, instead);
  const terminator = options.terminator ?? "\n";
  if (terminator !== "\n" && terminator !== "\r\n") {
    const given = JSON.stringify(terminator);
    throw new TypeError(
      `lines: the terminator is "\\n" or "\\r\\n", not ${given}; leave it out to have "\\n"`,
    );
  }
  return new LinesFraming(maxLength, terminator);
}

class LinesFraming implements Framing<string> {
  readonly name: string;
  readonly reusable = true;
  private readonly maxLength: number;
  private readonly terminator: "\n" | "\r\n";

  constructor(maxLength: number, terminator: "\n" | "\r\n") {
    this.name = "lines";
    this.maxLength = maxLength;
    this.terminator = terminator;
  }

  decoder(): LineDecoder {
    return new LineDecoder(this.maxLength);
  }

  encodedLength(line: string): number {
    if (typeof line !== "string")
      throw sendInvalid(`a line is a string, not ${typeof line}; write String(value)`);
    const length = Buffer.byteLength(line);
    if (length > this.maxLength) throw sendTooLong(length, this.maxLength);
    if (line.includes("\n")) {
      throw sendInvalid('the line contains "\\n", so the peer would read several; split it and send each');
    }
    if (line.endsWith("\r")) {
      throw sendInvalid('the line ends in "\\r", which the peer would take off; remove it before sending');
    }
    return length + this.terminator.length;
  }

  encodeInto(line: string, target: Buffer, offset: number): number {
    let end = offset + target.write(line, offset);
    if (this.terminator === "\r\n") target[end++] = CR;
    target[end++] = LF;
    return end;
  }
}

/**
 * A line that lies whole in the chunk is read where it lies. The beginning of one that does not is copied
 * into `own`, already searched and free of "\n": so every byte is searched once, however it comes.
 *
 * Text is a copy, so nothing of lent memory has to be kept but what has not been pulled.
 */
export class LineDecoder implements BorrowingDecoder<string> {
  private readonly maxLength: number;
  private chunk: Buffer;
  /** Where in the chunk the next line, or the rest of this one, starts. */
  private at: number;
  /** What the chunk is the beginning of, while it is lent. */
  private source: ReusedBuffer | undefined;
  private own: Buffer;
  private filled: number;

  constructor(maxLength: number) {
    this.maxLength = maxLength;
    this.chunk = EMPTY;
    this.at = 0;
    this.source = undefined;
    this.own = EMPTY;
    this.filled = 0;
  }

  get buffered(): number {
    return this.filled + this.chunk.length - this.at;
  }

  push(chunk: Buffer): void {
    if (this.at !== this.chunk.length) throw pushedTooEarly("lines");
    this.chunk = chunk;
    this.at = 0;
    this.source = undefined;
  }

  pushBorrowed(source: ReusedBuffer, length: number): void {
    this.push(source.view(0, length));
    this.source = source;
  }

  copyRest(frameMemory: FrameMemory): void {
    const { source } = this;
    this.source = undefined;
    if (!source || this.at === this.chunk.length) return;
    this.chunk = copyOut(source, this.at, this.chunk.length - this.at, frameMemory);
    this.at = 0;
  }

  pull(): string | undefined {
    const { chunk, at } = this;
    const newline = chunk.indexOf(LF, at);
    if (newline === -1) return this.keepBeginning();
    const length = this.contentLength(newline);
    if (length > this.maxLength) throw frameTooLong(this.maxLength);
    if (this.filled !== 0) return this.finish(newline, length);
    this.at = newline + 1;
    return chunk.toString("utf8", at, at + length);
  }

  /** Bytes of what is begun, were it to end at `end` in the chunk; a "\r" there is not one of them. */
  private contentLength(end: number): number {
    const length = this.filled + end - this.at;
    if (length === 0) return 0;
    const last = end > this.at ? this.chunk[end - 1] : this.own[this.filled - 1];
    return last === CR ? length - 1 : length;
  }

  private finish(newline: number, length: number): string {
    const received = this.filled + newline - this.at;
    const own = reserve(this.own, this.filled, received, received);
    this.chunk.copy(own, this.filled, this.at, newline);
    this.own = EMPTY;
    this.filled = 0;
    this.at = newline + 1;
    return own.toString("utf8", 0, length);
  }

  private keepBeginning(): undefined {
    const { chunk, at, filled } = this;
    // A "\r" may yet turn out to belong to the terminator, so it is held against nobody: at most
    // maxLength + 1 bytes are ever kept.
    if (this.contentLength(chunk.length) > this.maxLength) throw frameTooLong(this.maxLength);
    const received = filled + chunk.length - at;
    this.own = reserve(this.own, filled, received, this.maxLength + 1);
    chunk.copy(this.own, filled, at);
    this.filled = received;
    this.chunk = EMPTY;
    this.at = 0;
    this.source = undefined;
  }
}

function frameTooLong(maxLength: number): FramingError {
  const fact = `lines: the peer sends a line of more than ${maxLength} bytes`;
  const fix = "raise maxLength if that is right; if not, the peer speaks another protocol";
  return new FramingError("frame_too_long", `${fact}; ${fix}`);
}

function sendTooLong(length: number, maxLength: number): FramingError {
  const fact = `lines: the line has ${length} bytes and the limit is ${maxLength}`;
  const fix = `split it, or raise the limit on both sides with lines({ maxLength: ${length} })`;
  return new FramingError("send_too_long", `${fact}; ${fix}`);
}

function sendInvalid(message: string): FramingError {
  return new FramingError("send_invalid", `lines: ${message}`);
}
