/** Parser of a header line. `undefined` where it is none. */

import { isToken, skipBlanks } from "./characters.js";
import type { HttpHeader, TextOf } from "./frames.js";

const COLON = 0x3a;
/** Longer names are not brought into canonical case, as in Erlang. */
const LONGEST_NAME = 50;
/** Canonical names by the name as received: clients send the same few dozen names again and again. */
const canonical = new Map<string, string>();
const MAX_CACHED = 500;

export function parseHeader<T>(
  bytes: Buffer,
  start: number,
  end: number,
  text: TextOf<T>,
): HttpHeader<T> | undefined {
  let nameEnd = start;
  while (nameEnd < end && isToken(bytes[nameEnd]!)) nameEnd++;
  if (nameEnd === end || bytes[nameEnd] !== COLON) return undefined;
  const original = bytes.toString("latin1", start, nameEnd);
  const value = text(bytes, skipBlanks(bytes, nameEnd + 1, end), end);
  return { kind: "header", name: canonicalName(original), original, value };
}

/** One upper-case letter at the beginning of each word, the rest in lower case. */
export function canonicalName(original: string): string {
  if (original.length > LONGEST_NAME) return original;
  const cached = canonical.get(original);
  if (cached !== undefined) return cached;
  const name = capitalized(original.toLowerCase());
  // A client that invents names must not fill the memory.
  if (canonical.size === MAX_CACHED) canonical.clear();
  canonical.set(original, name);
  return name;
}

/** As Erlang: of several hyphens, or of one at the beginning, only the first after a word begins a new one. */
function capitalized(lower: string): string {
  let name = "";
  let begins = true;
  for (const letter of lower) {
    name += begins ? letter.toUpperCase() : letter;
    begins = !begins && letter === "-";
  }
  return name;
}
