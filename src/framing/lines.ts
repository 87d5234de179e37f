/**
 * `lines()`: lines of text terminated by "\n" or "\r\n", as strings (or Buffers) without the terminator. Both are accepted
 * from any peer, so that `nc` and `telnet` both work. A protocol in which a bare "\n" must not end a line, such as SMTP,
 * uses `delimited("\r\n")`.
 *
 * Bytes are decoded when the line is complete: a character may be split over chunks, and invalid UTF-8 becomes
 * U+FFFD in its own line only.
 */

import { constants } from "node:buffer";
import type { ReusedBuffer } from "./buffer-view.js";
import { receivedTooLong } from "./errors.js";
import type { BorrowingDecoder, FrameMemory, Framing } from "./framing.js";
import { FramingError } from "./framing.js";
import { checkMaxLength, checkOptions } from "./options.js";
import { copyOut, EMPTY, pushedTooEarly, reserve, restOf } from "./partial-frame.js";
import type { Payload } from "./payload.js";
import { LineBytesFraming } from "./text/line-bytes.js";

const LF = 0x0a;
const CR = 0x0d;
const DEFAULT = 8192;
/** Maximum string length of V8: a UTF-8 text has at most as many UTF-16 units as bytes. */
const CEILING = constants.MAX_STRING_LENGTH;
const BEYOND_LATIN1 = /[^\0-\xff]/;

export interface LinesOptions {
  /** Maximum length of a line in bytes, without terminator, received and sent. Default: 8192. */
  maxLength?: number;
  /**
   * Terminator of sent lines; received lines may end in either. Where a bare "\n" must not end a line, as in SMTP, use
   * `delimited("\r\n")`. Default: "\n".
   */
  terminator?: "\n" | "\r\n";
  /**
   * What lines are: strings of UTF-8 ("utf8") or of one byte per character ("latin1"), or bytes ("buffer").
   * Default: "utf8".
   */
  encoding?: "utf8" | "latin1" | "buffer";
}

type Encoding = "utf8" | "latin1";

/**
 * Framing by lines of text, as in Erlang's `{packet, line}`. Frames are strings without the terminator, received and
 * sent; with `encoding: "buffer"` they are Buffers, and a Buffer, a Uint8Array or a string (UTF-8) can be sent. A
 * received line longer than `maxLength` ends the connection with `frame_too_long`.
 *
 * `conn.send` throws a `FramingError`: `send_too_long` above `maxLength`, `send_invalid` for a value of another type,
 * one that contains "\n" or ends in "\r", and, with "latin1", characters above U+00FF.
 * @param options `maxLength` in bytes (default 8192), `terminator` of sent lines (default "\n"), `encoding` (default
 * "utf8")
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `maxLength` out of range.
 */
export function lines(options?: LinesOptions & { encoding?: Encoding }): Framing<string>;
export function lines(options: LinesOptions & { encoding: "buffer" }): Framing<Buffer, Payload>;
export function lines(options: LinesOptions = {}): Framing<string> | Framing<Buffer, Payload> {
  checkOptions("lines", options, ["maxLength", "terminator", "encoding"]);
  const instead = `lines({ maxLength: ${CEILING} }), or use packet(4) for what is not text`;
  const maxLength = checkMaxLength("lines", options.maxLength, DEFAULT, CEILING, instead);
  const terminator = options.terminator ?? "\n";
  if (terminator !== "\n" && terminator !== "\r\n") {
    const given = JSON.stringify(terminator);
    throw new TypeError(`lines: the terminator is "\\n" or "\\r\\n", not ${given}; omit it for "\\n"`);
  }
  const { encoding = "utf8" } = options;
  if (encoding === "buffer") return new LineBytesFraming(maxLength, terminator);
  if (encoding === "utf8" || encoding === "latin1") return new LinesFraming(maxLength, terminator, encoding);
  const given = JSON.stringify(encoding);
  throw new TypeError(
    `lines: the encoding is "utf8", "latin1" or "buffer", not ${given}; omit it for "utf8"`,
  );
}

class LinesFraming implements Framing<string> {
  readonly name: string;
  readonly reusable = true;
  private readonly maxLength: number;
  private readonly terminator: "\n" | "\r\n";
  private readonly encoding: Encoding;

  constructor(maxLength: number, terminator: "\n" | "\r\n", encoding: Encoding) {
    this.name = "lines";
    this.maxLength = maxLength;
    this.terminator = terminator;
    this.encoding = encoding;
  }

  decoder(): LineDecoder {
    return new LineDecoder(this.maxLength, this.encoding);
  }

  encodedLength(line: string): number {
    if (typeof line !== "string")
      throw sendInvalid(`a line is a string, not ${typeof line}; write String(value)`);
    const length = Buffer.byteLength(line, this.encoding);
    if (length > this.maxLength) throw sendTooLong(length, this.maxLength);
    if (line.includes("\n")) {
      throw sendInvalid('the line contains "\\n", so the peer would read several; split it and send each');
    }
    if (line.endsWith("\r")) {
      throw sendInvalid('the line ends in "\\r", which the peer would take off; remove it before sending');
    }
    if (this.encoding === "latin1" && BEYOND_LATIN1.test(line)) {
      throw sendInvalid("the line has a character above U+00FF, which latin1 does not have; use utf8");
    }
    return length + this.terminator.length;
  }

  encodeInto(line: string, target: Buffer, offset: number): number {
    let end = offset + target.write(line, offset, this.encoding);
    if (this.terminator === "\r\n") target[end++] = CR;
    target[end++] = LF;
    return end;
  }
}

/**
 * A line that is complete in the chunk is decoded there. An incomplete line is copied into `own` after it was searched
 * for "\n", so every byte is searched once however the chunks are cut.
 *
 * Strings are copies, so only bytes that were not pulled must be copied out of borrowed memory.
 */
export class LineDecoder implements BorrowingDecoder<string> {
  private readonly maxLength: number;
  private readonly encoding: Encoding;
  private chunk: Buffer;
  /** Offset in the chunk of the next line, or of the rest of this one. */
  private at: number;
  /** The borrowed memory that the chunk is a view of. */
  private source: ReusedBuffer | undefined;
  private own: Buffer;
  private filled: number;

  constructor(maxLength: number, encoding: Encoding) {
    this.maxLength = maxLength;
    this.encoding = encoding;
    this.chunk = EMPTY;
    this.at = 0;
    this.source = undefined;
    this.own = EMPTY;
    this.filled = 0;
  }

  get buffered(): number {
    return this.filled + this.chunk.length - this.at;
  }

  rest(): Buffer {
    return restOf(this.own, this.filled, this.chunk, this.at, this.chunk.length);
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
    if (newline === -1) return this.keepPartialLine();
    const length = this.contentLength(newline);
    if (length > this.maxLength) throw frameTooLong(this.maxLength);
    if (this.filled !== 0) return this.completeLine(newline, length);
    this.at = newline + 1;
    return chunk.toString(this.encoding, at, at + length);
  }

  /** Length of the current line if it ends at `end` in the chunk, without a "\r" there. */
  private contentLength(end: number): number {
    const length = this.filled + end - this.at;
    if (length === 0) return 0;
    const last = end > this.at ? this.chunk[end - 1] : this.own[this.filled - 1];
    return last === CR ? length - 1 : length;
  }

  private completeLine(newline: number, length: number): string {
    const received = this.filled + newline - this.at;
    const own = reserve(this.own, this.filled, received, received);
    this.chunk.copy(own, this.filled, this.at, newline);
    this.own = EMPTY;
    this.filled = 0;
    this.at = newline + 1;
    return own.toString(this.encoding, 0, length);
  }

  private keepPartialLine(): undefined {
    const { chunk, at, filled } = this;
    // A "\r" at the end may belong to the terminator and is not counted: at most maxLength + 1 bytes are kept.
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
  return receivedTooLong("lines", "a line", maxLength, "maxLength");
}

function sendTooLong(length: number, maxLength: number): FramingError {
  const fact = `lines: the line has ${length} bytes and the limit is ${maxLength}`;
  const fix = `split it, or raise the limit on both sides with lines({ maxLength: ${length} })`;
  return new FramingError("send_too_long", `${fact}; ${fix}`);
}

function sendInvalid(message: string): FramingError {
  return new FramingError("send_invalid", `lines: ${message}`);
}
