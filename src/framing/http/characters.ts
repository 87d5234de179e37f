/** Character classes of HTTP lines, as Erlang's packet parser has them, and number parsing. */

export const SPACE = 0x20;
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;

/** 1 for a character that may be part of a token (method, header name). */
const TOKEN = new Uint8Array(256);
for (let code = 33; code < 128; code++) TOKEN[code] = 1;
for (const special of '()<>@,;:\\"/[]?={}') TOKEN[special.charCodeAt(0)] = 0;

/** Erlang's limit of numbers; above it C would wrap around. */
const INT_MAX = 0x7fff_ffff;

export function isToken(code: number): boolean {
  return TOKEN[code] === 1;
}

export function isBlank(code: number | undefined): boolean {
  return code === SPACE || code === TAB;
}

export function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(bytes[at])) at++;
  return at;
}

export function skipDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
  return at;
}

/** The decimal number in the digits from `from` to `end`, 0 for none; -1 if it is greater than 2^31 - 1. */
export function numberAt(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at++) {
    value = value * 10 + bytes[at]! - 0x30;
    if (value > INT_MAX) return -1;
  }
  return value;
}
