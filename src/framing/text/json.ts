/**
 * `json()`: one JSON value a line (newline-delimited JSON, JSON Lines), as JavaScript values.
 *
 * A value comes from a stranger: it is bounded in size and depth, has no key that reaches a prototype when objects are
 * merged, and no number that became infinite.
 */

import { isUtf8 } from "node:buffer";
import { frameInvalid, receivedTooLong, sendInvalid, sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { checkLimit, checkMaxLength, checkOptions } from "../options.js";
import { deeperThan, flawOf, mayHaveFlaw } from "./json-safety.js";
import { lineLength } from "./line-bytes.js";

export interface JsonOptions {
  /** Maximum length of a line in bytes, without terminator, received and sent. Default: 65,536 (64 KiB). */
  maxLength?: number;
  /** Maximum depth of a received value: `[]` is 1 deep, `[[]]` 2. Default: 32. */
  maxDepth?: number;
}

const DEFAULT_LENGTH = 65_536;
/** Half of V8's longest string. */
const CEILING_LENGTH = 0x0fff_ffff;
const DEFAULT_DEPTH = 32;
const CEILING_DEPTH = 1000;
const LF = 0x0a;

/**
 * Framing by lines of JSON: each line is one value, `null` included. `Value` is the type of what is received; it is
 * not checked. Any value that `JSON.stringify` takes can be sent.
 *
 * A line above `maxLength` ends the connection with `frame_too_long`. A line that is empty, not JSON, not UTF-8, deeper
 * than `maxDepth`, or has a key `__proto__`, a `constructor` with a `prototype`, or a number beyond 1.8e308 ends it with
 * `frame_invalid`. `conn.send` throws a `FramingError`: `send_too_long` above `maxLength`, `send_invalid` for a value
 * that has no JSON (undefined, a function, a bigint, a circle).
 * @param options `maxLength` in bytes (default 64 KiB), `maxDepth` in levels (default 32)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for a value out of range.
 */
export function json<Value = unknown>(options: JsonOptions = {}): Framing<Value, unknown> {
  checkOptions("json", options, ["maxLength", "maxDepth"]);
  const instead = `json({ maxLength: ${CEILING_LENGTH} })`;
  const maxLength = checkMaxLength("json", options.maxLength, DEFAULT_LENGTH, CEILING_LENGTH, instead);
  const shallower = `json({ maxDepth: ${CEILING_DEPTH} })`;
  const { maxDepth } = options;
  const depth = checkLimit("json", "maxDepth", maxDepth, DEFAULT_DEPTH, CEILING_DEPTH, shallower, "levels");
  return new JsonFraming<Value>(new Json(maxLength, depth));
}

class JsonFraming<Value> implements Framing<Value, unknown> {
  readonly name = "json";
  readonly reusable = true;
  private readonly rule: Json;
  /** The value last measured, and its text: it is written next, and a second JSON.stringify could differ. */
  private measured: unknown = undefined;
  private text: string | undefined = undefined;

  constructor(rule: Json) {
    this.rule = rule;
  }

  decoder(): MeasuredDecoder<Value> {
    return new MeasuredDecoder(this.rule as FrameRule<Value>);
  }

  encodedLength(value: unknown): number {
    const text = textOf(value);
    const length = Buffer.byteLength(text);
    const { maxLength } = this.rule;
    if (length > maxLength) throw sendTooLong(this.name, length, maxLength, `json({ maxLength: ${length} })`);
    this.measured = value;
    this.text = text;
    return length + 1;
  }

  encodeInto(value: unknown, target: Buffer, offset: number): number {
    const text = this.text !== undefined && this.measured === value ? this.text : textOf(value);
    this.measured = this.text = undefined;
    const end = offset + target.write(text, offset);
    target[end] = LF;
    return end + 1;
  }
}

function textOf(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    // For a circle V8 draws a picture of several lines.
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    throw sendInvalid("json", `the value has no JSON: ${reason}`);
  }
  if (text === undefined) throw sendInvalid("json", `${typeof value} has no JSON; send null instead`);
  return text;
}

class Json implements FrameRule<unknown> {
  readonly name = "json";
  readonly views = "none";
  readonly last = LF;
  readonly maxLength: number;
  readonly maxTotal: number;
  private readonly maxDepth: number;

  constructor(maxLength: number, maxDepth: number) {
    this.maxLength = maxLength;
    this.maxTotal = maxLength + 2;
    this.maxDepth = maxDepth;
  }

  measure(bytes: Uint8Array, at: number, end: number, seen: number): number {
    const total = lineLength(bytes, at, end, seen, this.maxLength);
    if (total < 0) throw receivedTooLong(this.name, "a line", this.maxLength, "maxLength");
    return total;
  }

  frame(bytes: Buffer, at: number, total: number): unknown {
    const text = bytes.toString("utf8", at, at + total - 1);
    // U+FFFD stands for invalid bytes, or for itself.
    if (text.includes("\uFFFD") && !isUtf8(bytes.subarray(at, at + total))) {
      throw frameInvalid(this.name, "the line is not UTF-8");
    }
    if (deeperThan(this.maxDepth, text)) {
      throw frameInvalid(this.name, `the value is deeper than ${this.maxDepth} levels (maxDepth)`);
    }
    const value = parse(text);
    const flaw = mayHaveFlaw(text) ? flawOf(value) : undefined;
    if (flaw !== undefined) throw frameInvalid(this.name, flaw);
    return value;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw frameInvalid("json", factOf(text));
  }
}

/** V8's message quotes the line, which may be private. */
function factOf(text: string): string {
  if (text.startsWith("\uFEFF")) return "the line begins with a byte order mark (U+FEFF)";
  return text.trim() === "" ? "the line is empty" : "the line is not valid JSON";
}
