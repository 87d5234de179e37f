/** Encoder of RESP values and commands, as a list of strings and bytes to be written one after the other. */

import { isUint8Array } from "node:util/types";
import { sendInvalid } from "../errors.js";
import { RespError, RespPush, type RespValue, RespVerbatim, type RespWord } from "./values.js";

export type Part = string | Uint8Array;

/** Above it a client would run out of stack before we do. */
const DEEPEST = 100;
const INT64 = 2n ** 63n;

/** @param version in 2 a value without a type of its own is sent as another one */
export function valueParts(value: RespValue, version: 2 | 3): Part[] {
  const parts: Part[] = [];
  put(value, version, parts, 0);
  return parts;
}

export function commandParts(words: readonly RespWord[]): Part[] {
  if (!Array.isArray(words) || words.length === 0) {
    throw sendInvalid("resp", 'a command is a list of words, such as ["GET", "key"]');
  }
  const parts: Part[] = [`*${words.length}\r\n`];
  for (const word of words) {
    if (typeof word === "number" || typeof word === "bigint") putText("$", String(word), parts);
    else if (typeof word === "string") putText("$", word, parts);
    else if (isUint8Array(word)) putBytes("$", word, parts);
    else throw sendInvalid("resp", `a word is a string, bytes or a number, not ${nameOf(word)}`);
  }
  return parts;
}

export function lengthOf(parts: readonly Part[]): number {
  let length = 0;
  for (const part of parts) length += typeof part === "string" ? Buffer.byteLength(part) : part.length;
  return length;
}

export function writeParts(parts: readonly Part[], target: Buffer, offset: number): number {
  let at = offset;
  for (const part of parts) {
    if (typeof part === "string") at += target.write(part, at);
    else {
      target.set(part, at);
      at += part.length;
    }
  }
  return at;
}

function put(value: RespValue, version: 2 | 3, parts: Part[], depth: number): void {
  if (depth > DEEPEST)
    throw sendInvalid("resp", `the value is deeper than ${DEEPEST} levels, or contains itself`);
  if (typeof value === "string") parts.push(line("+", value));
  else if (isUint8Array(value)) putBytes("$", value, parts);
  else if (value === null) parts.push(version === 3 ? "_\r\n" : "$-1\r\n");
  else if (typeof value === "number") putNumber(value, version, parts);
  else if (typeof value === "bigint") putBigint(value, version, parts);
  else if (typeof value === "boolean")
    parts.push(version === 3 ? `#${value ? "t" : "f"}\r\n` : `:${value ? 1 : 0}\r\n`);
  else if (value instanceof RespError) parts.push(line("-", value.message));
  else if (value instanceof RespVerbatim) putVerbatim(value, version, parts);
  else putAggregate(value, version, parts, depth + 1);
}

function putAggregate(value: RespValue, version: 2 | 3, parts: Part[], depth: number): void {
  const three = version === 3;
  if (value instanceof Map) {
    parts.push(three ? `%${value.size}\r\n` : `*${value.size * 2}\r\n`);
    for (const [key, item] of value) {
      put(key, version, parts, depth);
      put(item, version, parts, depth);
    }
  } else if (value instanceof Set) putItems(three ? "~" : "*", [...value], version, parts, depth);
  else if (value instanceof RespPush) putItems(three ? ">" : "*", value.items, version, parts, depth);
  else if (Array.isArray(value)) putItems("*", value, version, parts, depth);
  else throw noValue(value);
}

function noValue(value: unknown): Error {
  if (value instanceof Error)
    return sendInvalid(
      "resp",
      `${value.name} is not a RESP value; for an error reply send new RespError("ERR text")`,
    );
  const fact = `${nameOf(value)} is not a RESP value`;
  return sendInvalid("resp", `${fact}; send a Map for an object, null for no value`);
}

function putItems(
  type: string,
  items: readonly RespValue[],
  version: 2 | 3,
  parts: Part[],
  depth: number,
): void {
  parts.push(`${type}${items.length}\r\n`);
  for (const item of items) put(item, version, parts, depth);
}

function putNumber(value: number, version: 2 | 3, parts: Part[]): void {
  if (Number.isSafeInteger(value)) parts.push(`:${value}\r\n`);
  else if (version === 2) putText("$", doubleText(value), parts);
  else parts.push(`,${doubleText(value)}\r\n`);
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "inf" : "-inf";
}

function putBigint(value: bigint, version: 2 | 3, parts: Part[]): void {
  if (value >= -INT64 && value < INT64) parts.push(`:${value}\r\n`);
  else if (version === 3) parts.push(`(${value}\r\n`);
  else putText("$", String(value), parts);
}

function putVerbatim({ format, text }: RespVerbatim, version: 2 | 3, parts: Part[]): void {
  if (version === 2) return putBytes("$", text, parts);
  if (!/^[\x21-\x7e]{3}$/.test(format))
    throw sendInvalid("resp", "the format of a verbatim string has 3 characters");
  parts.push(`=${text.length + 4}\r\n${format}:`, text, "\r\n");
}

function line(type: string, text: string): string {
  if (typeof text !== "string" || /[\r\n]/.test(text)) {
    throw sendInvalid("resp", "a simple string or error is one line; send a Buffer instead");
  }
  return `${type}${text}\r\n`;
}

function putText(type: string, text: string, parts: Part[]): void {
  parts.push(`${type}${Buffer.byteLength(text)}\r\n${text}\r\n`);
}

function putBytes(type: string, bytes: Uint8Array, parts: Part[]): void {
  parts.push(`${type}${bytes.length}\r\n`, bytes, "\r\n");
}

function nameOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
