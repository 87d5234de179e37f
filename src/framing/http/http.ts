/**
 * `http()`, `httpBin()`, `httph()`, `httphBin()`: the lines of HTTP/1 message heads, parsed, as Erlang's
 * `{packet, http | http_bin | httph | httph_bin}`.
 *
 *     GET /a HTTP/1.1\r\n ──▶ request ─┐ `http`: after a request or status line come headers,
 *     Host: b\r\n         ──▶ header   │ after the empty line the next message
 *     \r\n                ──▶ end    ◀─┘ `httph`: headers from the beginning
 *
 * Bodies are not read: they follow the `end` frame, and their length is in the headers.
 */

import { BufferView } from "../buffer-view.js";
import { receivedTooLong, sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { checkLimit, checkOptions } from "../options.js";
import { CR, isBlank, LF } from "./characters.js";
import { lineOf } from "./encode.js";
import type { HttpFrame } from "./frames.js";
import { parseHeader } from "./header.js";
import { parseStartLine } from "./start-line.js";

export interface HttpOptions {
  /** Maximum length of a line in bytes, line end and folded lines included, received and sent. Default: 8192. */
  packetSize?: number;
  /** The same, where `packetSize` is not set, as in Erlang. */
  lineLength?: number;
}

const DEFAULT = 8192;
const CEILING = 0x7fff_ffff;

/**
 * Framing of HTTP/1 message heads, as Erlang's `{packet, http}`: a frame is a line, `{ kind: "request" | "response" |
 * "header" | "end", … }` with strings (Latin-1), received and sent. A line that is not HTTP is a frame
 * `{ kind: "error", line }`, as in Erlang; it cannot be sent.
 *
 * A line above `packetSize` ends the connection with `frame_too_long`. `conn.send` throws a `FramingError`:
 * `send_too_long` above `packetSize`, `send_invalid` for a value that is not a frame or has a line end in it.
 * @param options `packetSize`, or `lineLength` for it, in bytes, line end included (default 8192)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `packetSize` out of range.
 */
export function http(options: HttpOptions = {}): Framing<HttpFrame<string>> {
  return new HttpFraming("http", options, false, stringOf, "none");
}

/** As `http`, with Buffers instead of strings, except for methods and names of headers (`{packet, http_bin}`). */
export function httpBin(
  options: HttpOptions = {},
): Framing<HttpFrame<Buffer>, HttpFrame<string | Uint8Array>> {
  return new HttpFraming("http_bin", options, false, viewOf, "inside");
}

/** As `http`, for headers alone: trailers, and protocols with headers like HTTP's (`{packet, httph}`). */
export function httph(options: HttpOptions = {}): Framing<HttpFrame<string>> {
  return new HttpFraming("httph", options, true, stringOf, "none");
}

/** As `httph`, with Buffers instead of strings, except for names of headers (`{packet, httph_bin}`). */
export function httphBin(
  options: HttpOptions = {},
): Framing<HttpFrame<Buffer>, HttpFrame<string | Uint8Array>> {
  return new HttpFraming("httph_bin", options, true, viewOf, "inside");
}

function stringOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, end);
}

function viewOf(bytes: Buffer, start: number, end: number): Buffer {
  return new BufferView(bytes.buffer, bytes.byteOffset + start, end - start);
}

class HttpFraming<T extends string | Uint8Array>
  implements Framing<HttpFrame<T>, HttpFrame<string | Uint8Array>>
{
  readonly name: string;
  /** A decoder of `http` with nothing buffered may be among the headers of a message. */
  readonly reusable: boolean;
  private readonly rule: HttpRule<T>;

  constructor(
    name: string,
    options: HttpOptions,
    headersOnly: boolean,
    text: (bytes: Buffer, start: number, end: number) => T,
    views: "inside" | "none",
  ) {
    checkOptions(name, options, ["packetSize", "lineLength"]);
    const instead = `{ packetSize: ${CEILING} }`;
    const alias = checkLimit(name, "lineLength", options.lineLength, DEFAULT, CEILING, instead);
    const limit = checkLimit(name, "packetSize", options.packetSize, alias, CEILING, instead);
    this.name = name;
    this.reusable = headersOnly;
    this.rule = new HttpRule(name, limit, headersOnly, text, views);
  }

  decoder(): MeasuredDecoder<HttpFrame<T>> {
    return new MeasuredDecoder(this.rule.fresh());
  }

  encodedLength(frame: HttpFrame<string | Uint8Array>): number {
    const { length } = lineOf(this.name, frame);
    if (length > this.rule.maxTotal) throw sendTooLong(this.name, length, this.rule.maxTotal);
    return length;
  }

  encodeInto(frame: HttpFrame<string | Uint8Array>, target: Buffer, offset: number): number {
    return offset + target.write(lineOf(this.name, frame), offset, "latin1");
  }
}

/** Has the state of one decoder: whether the next line is a header. */
class HttpRule<T> implements FrameRule<HttpFrame<T>> {
  readonly name: string;
  readonly views: "inside" | "none";
  readonly last = LF;
  readonly maxTotal: number;
  private readonly headersOnly: boolean;
  private readonly text: (bytes: Buffer, start: number, end: number) => T;
  private inHeaders: boolean;

  constructor(
    name: string,
    limit: number,
    headersOnly: boolean,
    text: (bytes: Buffer, start: number, end: number) => T,
    views: "inside" | "none",
  ) {
    this.name = name;
    this.maxTotal = limit;
    this.headersOnly = headersOnly;
    this.text = text;
    this.views = views;
    this.inHeaders = headersOnly;
  }

  fresh(): HttpRule<T> {
    return new HttpRule(this.name, this.maxTotal, this.headersOnly, this.text, this.views);
  }

  measure(bytes: Uint8Array, at: number, end: number, seen: number): number {
    const received = end - at;
    if (received <= 2 && bytes[end - 1] === LF && (received === 1 || bytes[at] === CR)) return received;
    // The last byte seen may be a line end after which a folded line can begin.
    let from = seen > 0 ? at + seen - 1 : at;
    for (;;) {
      const found = bytes.indexOf(LF, from);
      if (found === -1 || found >= end) {
        if (received >= this.maxTotal) throw this.tooLong();
        return 0;
      }
      const length = found + 1 - at;
      const folded = this.inHeaders && length > 2 && isBlank(bytes[found + 1]) && found + 1 < end;
      if (!folded) {
        if (length > this.maxTotal) throw this.tooLong();
        // A header is complete when the next byte shows that no folded line follows.
        return this.inHeaders && found + 1 === end ? -1 : length;
      }
      from = found + 1;
    }
  }

  private tooLong(): Error {
    return receivedTooLong(this.name, "a line", this.maxTotal, "packetSize");
  }

  frame(bytes: Buffer, at: number, total: number): HttpFrame<T> {
    const end = contentEnd(bytes, at, at + total);
    const frame = this.parse(bytes, at, end);
    if (frame === undefined) return { kind: "error", line: this.text(bytes, at, at + total) };
    this.inHeaders = this.headersOnly || frame.kind !== "end";
    return frame;
  }

  private parse(bytes: Buffer, at: number, end: number): HttpFrame<T> | undefined {
    if (!this.inHeaders) return parseStartLine(bytes, at, end, this.text);
    return at === end ? { kind: "end" } : parseHeader(bytes, at, end, this.text);
  }
}

/** End of a line without "\r\n" or "\n". */
function contentEnd(bytes: Buffer, start: number, end: number): number {
  return end - start >= 2 && bytes[end - 2] === CR ? end - 2 : end - 1;
}
