/** Parser of the target of an HTTP request, into the forms that Erlang tells apart. */

import { numberAt, skipDigits } from "./characters.js";
import type { HttpUri, TextOf } from "./frames.js";

const STAR = 0x2a;
const SLASH = 0x2f;
const COLON = 0x3a;
const OPENING = 0x5b;
const CLOSING = 0x5d;
const ROOT = Buffer.from("/");

export function parseUri<T>(bytes: Buffer, start: number, end: number, text: TextOf<T>): HttpUri<T> {
  const first = bytes[start];
  if (end - start === 1 && first === STAR) return "*";
  if (end - start <= 1 || first === SLASH) return { kind: "abs_path", path: text(bytes, start, end) };
  const scheme = schemeOf(bytes, start, end);
  if (scheme !== undefined) return absolute(bytes, start + scheme.length + 3, end, scheme, text);
  const colon = find(bytes, COLON, start, end);
  if (colon === -1) return { kind: "string", text: text(bytes, start, end) };
  return { kind: "scheme", scheme: text(bytes, start, colon), rest: text(bytes, colon + 1, end) };
}

function schemeOf(bytes: Buffer, start: number, end: number): "http" | "https" | undefined {
  const prefix = bytes.toString("latin1", start, Math.min(end, start + 8)).toLowerCase();
  if (prefix.startsWith("http://")) return "http";
  return prefix === "https://" ? "https" : undefined;
}

function absolute<T>(
  bytes: Buffer,
  start: number,
  end: number,
  scheme: "http" | "https",
  text: TextOf<T>,
): HttpUri<T> {
  const slash = find(bytes, SLASH, start, end);
  const authorityEnd = slash === -1 ? end : slash;
  const path = slash === -1 ? text(ROOT, 0, 1) : text(bytes, slash, end);
  const hostEnd = endOfHost(bytes, start, authorityEnd);
  const port = bytes[hostEnd] === COLON ? portIn(bytes, hostEnd + 1, authorityEnd) : undefined;
  return { kind: "absoluteURI", scheme, host: text(bytes, start, hostEnd), port, path };
}

/** The host ends at the first colon, or at the bracket of an IPv6 address. */
function endOfHost(bytes: Buffer, start: number, end: number): number {
  const colon = find(bytes, COLON, start, end);
  if (colon === -1) return end;
  const closing = bytes[start] === OPENING ? find(bytes, CLOSING, start, end) : -1;
  return closing === -1 ? colon : closing + 1;
}

function portIn(bytes: Buffer, start: number, end: number): number | undefined {
  if (start >= end || skipDigits(bytes, start, end) !== end) return undefined;
  const port = numberAt(bytes, start, end);
  return port > 0 ? port : undefined;
}

function find(bytes: Buffer, byte: number, start: number, end: number): number {
  const at = bytes.indexOf(byte, start);
  return at >= end ? -1 : at;
}
