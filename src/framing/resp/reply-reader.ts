/** Makes the value of a complete RESP reply. Its extent and depth have been checked. */

import { BufferView } from "../buffer-view.js";
import { frameInvalid } from "../errors.js";
import { header, readCount } from "./header.js";
import { CR, LF, RespError, RespPush, type RespValue, RespVerbatim } from "./values.js";

const INTEGER = /^[+-]?\d{1,19}$/;
const DOUBLE = /^(?:[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?inf|-?nan)$/;
/** Above this the conversion from decimal costs more than linear time. */
const LONGEST_BIG = 4096;

export class ReplyReader {
  private readonly bytes: Buffer;
  private readonly end: number;
  private readonly memory: ArrayBufferLike;
  private readonly base: number;
  private at: number;

  constructor(bytes: Buffer, at: number, end: number, memory: ArrayBufferLike, base: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.memory = memory;
    this.base = base;
  }

  value(): RespValue {
    const type = String.fromCharCode(this.bytes[this.at++]!);
    switch (type) {
      case "+":
        return this.line("utf8");
      case "-":
        return new RespError(this.line("utf8"));
      case ":":
        return integerOf(this.line("latin1"));
      case ",":
        return doubleOf(this.line("latin1"));
      case "(":
        return bigOf(this.line("latin1"));
      case "#":
        return booleanOf(this.line("latin1"));
      case "_":
        if (this.line("latin1") !== "") throw invalid('a null ("_") is followed by other characters');
        return null;
      default:
        return this.counted(type);
    }
  }

  private counted(type: string): RespValue {
    readCount("resp", this.bytes, this.at, this.end);
    this.at = header.next;
    const count = header.value;
    if (count < 0) {
      if (type !== "$" && type !== "*") throw invalid(`a value of type "${type}" has a negative length`);
      return null;
    }
    switch (type) {
      case "$":
        return this.bulk(count);
      case "!":
        return new RespError(this.bulk(count).toString());
      case "=":
        return this.verbatim(count);
      case "*":
        return this.values(count);
      case ">":
        return new RespPush(this.values(count));
      case "~":
        return new Set(this.values(count));
      default: {
        const map = new Map<RespValue, RespValue>();
        for (let i = 0; i < count; i++) map.set(keyOf(this.value()), this.value());
        return map;
      }
    }
  }

  private values(count: number): RespValue[] {
    const values: RespValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value());
    return values;
  }

  private line(encoding: "utf8" | "latin1"): string {
    const start = this.at;
    const end = this.bytes.indexOf(CR, start);
    this.at = end + 2;
    const text = this.bytes.toString(encoding, start, end);
    if (text.includes("\n")) throw invalid("a line has a line feed in it");
    return text;
  }

  private bulk(length: number): Buffer {
    const start = this.at;
    const end = start + length;
    if (this.bytes[end] !== CR || this.bytes[end + 1] !== LF)
      throw invalid("a string does not end in \\r\\n");
    this.at = end + 2;
    return new BufferView(this.memory, this.base + start, length);
  }

  private verbatim(length: number): RespVerbatim {
    const bytes = this.bulk(length);
    if (bytes[3] !== 0x3a)
      throw invalid('a verbatim string ("=") does not begin with three characters and ":"');
    return new RespVerbatim(bytes.toString("latin1", 0, 3), bytes.subarray(4));
  }
}

/** Bulk strings as text: a Buffer would only be found by the same object. */
function keyOf(value: RespValue): RespValue {
  return Buffer.isBuffer(value) ? value.toString() : value;
}

function integerOf(text: string): number | bigint {
  if (!INTEGER.test(text)) throw invalid('an integer (":") is not a decimal number of at most 19 digits');
  const value = Number(text);
  return Number.isSafeInteger(value) ? value + 0 : BigInt(text.replace("+", ""));
}

function doubleOf(text: string): number {
  if (!DOUBLE.test(text)) throw invalid('a double (",") is not a decimal number, inf or nan');
  if (text.endsWith("nan")) return Number.NaN;
  if (text.endsWith("inf")) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

function bigOf(text: string): bigint {
  if (text.length > LONGEST_BIG || !/^[+-]?\d+$/.test(text))
    throw invalid(`a big number ("(") is not a decimal number of at most ${LONGEST_BIG} characters`);
  return BigInt(text.replace("+", ""));
}

function booleanOf(text: string): boolean {
  if (text !== "t" && text !== "f") throw invalid('a boolean ("#") is not t or f');
  return text === "t";
}

function invalid(fact: string): Error {
  return frameInvalid("resp", fact);
}
