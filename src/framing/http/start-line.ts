/** Parser of the first line of an HTTP message: a request line or a status line. `undefined` where it is neither. */

import { isBlank, isToken, numberAt, skipBlanks, skipDigits } from "./characters.js";
import type { HttpRequest, HttpResponse, TextOf } from "./frames.js";
import { parseUri } from "./uri.js";

/** "HTTP/" */
const HTTP = [0x48, 0x54, 0x54, 0x50, 0x2f] as const;
const DOT = 0x2e;
/** Length of "HTTP/1.1", the shortest version. */
const VERSION_LENGTH = 8;

export function parseStartLine<T>(
  bytes: Buffer,
  start: number,
  end: number,
  text: TextOf<T>,
): HttpRequest<T> | HttpResponse<T> | undefined {
  return startsWithHttp(bytes, start, end)
    ? parseStatusLine(bytes, start, end, text)
    : parseRequestLine(bytes, start, end, text);
}

function parseStatusLine<T>(
  bytes: Buffer,
  start: number,
  end: number,
  text: TextOf<T>,
): HttpResponse<T> | undefined {
  const version = parseVersion(bytes, start, end);
  if (version === undefined) return undefined;
  const statusAt = skipBlanks(bytes, version.end, end);
  if (statusAt === version.end) return undefined;
  const statusEnd = skipDigits(bytes, statusAt, end);
  const status = numberAt(bytes, statusAt, statusEnd);
  const reasonAt = skipBlanks(bytes, statusEnd, end);
  if (status < 0 || (reasonAt === statusEnd && reasonAt < end)) return undefined;
  return { kind: "response", version: version.numbers, status, reason: text(bytes, reasonAt, end) };
}

function parseRequestLine<T>(
  bytes: Buffer,
  start: number,
  end: number,
  text: TextOf<T>,
): HttpRequest<T> | undefined {
  let methodEnd = start;
  while (methodEnd < end && isToken(bytes[methodEnd]!)) methodEnd++;
  if (methodEnd === start || methodEnd === end || !isBlank(bytes[methodEnd])) return undefined;
  const uriAt = skipBlanks(bytes, methodEnd, end);
  let uriEnd = uriAt;
  while (uriEnd < end && !isBlank(bytes[uriEnd])) uriEnd++;
  if (uriEnd === uriAt) return undefined;
  const versionAt = skipBlanks(bytes, uriEnd, end);
  const version = versionAt === end ? undefined : parseVersion(bytes, versionAt, end);
  // What follows the version is ignored, as in Erlang.
  if (versionAt < end && (version === undefined || end - versionAt < VERSION_LENGTH)) return undefined;
  return {
    kind: "request",
    method: bytes.toString("latin1", start, methodEnd),
    uri: parseUri(bytes, uriAt, uriEnd, text),
    version: version?.numbers ?? [0, 9],
  };
}

function startsWithHttp(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= HTTP.length && HTTP.every((code, i) => bytes[at + i] === code);
}

function parseVersion(
  bytes: Uint8Array,
  at: number,
  end: number,
): { numbers: [major: number, minor: number]; end: number } | undefined {
  if (!startsWithHttp(bytes, at, end)) return undefined;
  const majorAt = at + HTTP.length;
  const majorEnd = skipDigits(bytes, majorAt, end);
  if (majorEnd === majorAt || majorEnd === end || bytes[majorEnd] !== DOT) return undefined;
  const minorAt = majorEnd + 1;
  const minorEnd = skipDigits(bytes, minorAt, end);
  const major = numberAt(bytes, majorAt, majorEnd);
  const minor = numberAt(bytes, minorAt, minorEnd);
  if (minorEnd === minorAt || major < 0 || minor < 0) return undefined;
  return { numbers: [major, minor], end: minorEnd };
}
