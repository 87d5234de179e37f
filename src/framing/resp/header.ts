/** Reader of the lines of RESP that hold a count or a length: `*3\r\n`, `$-1\r\n`. */

import { frameInvalid } from "../errors.js";
import { CR, LF, MINUS } from "./values.js";

const ZERO = 0x30;
/** Digits of 2^31, and more than any limit needs. */
const LONGEST = 10;

/** Result of `readCount`: the number, and the offset after its line. One object for all, as only one is read at a time. */
export const header = { value: 0, next: 0 };

/**
 * Reads a whole number and its line end. Strict: no sign but that of -1, no leading zero.
 * @returns false if the line is not complete
 * @throws FramingError `frame_invalid` at the first byte that cannot be right
 */
export function readCount(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  let value = 0;
  const negative = at < end && bytes[at] === MINUS;
  if (negative) at++;
  const first = at;
  for (; at < end && bytes[at] !== CR; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9 || at - first === LONGEST || (at > first && value === 0)) throw invalid(name);
    value = value * 10 + digit;
    if (negative && value !== 1) throw invalid(name);
  }
  if (at === end) return false;
  if (at === first) throw invalid(name);
  if (at + 1 === end) return false;
  if (bytes[at + 1] !== LF) throw invalid(name);
  header.value = negative ? -1 : value;
  header.next = at + 2;
  return true;
}

function invalid(name: string): Error {
  return frameInvalid(name, "a count or length is not a whole number that ends in \\r\\n");
}
