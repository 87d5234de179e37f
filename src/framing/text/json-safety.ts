/** Checks of a JSON text and its value: depth, keys that reach a prototype, numbers that became infinite. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether arrays and objects in a JSON text are nested deeper than `limit`. */
export function deeperThan(limit: number, text: string): boolean {
  // Most values have fewer brackets than levels are allowed, or no room for them: each character need not be looked at.
  return text.length > 2 * limit && moreThan(limit, text) && deepest(text, limit) > limit;
}

function moreThan(limit: number, text: string): boolean {
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++count > limit) return true;
    }
  }
  return false;
}

/** The greatest depth, as far as `limit + 1`. */
function deepest(text: string, limit: number): number {
  let depth = 0;
  let most = 0;
  for (let at = 0; at < text.length && most <= limit; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at + 1);
    else if (code === 0x5b || code === 0x7b) most = Math.max(most, ++depth);
    else if (code === 0x5d || code === 0x7d) depth--;
  }
  return most;
}

function endOfString(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** Exponents of three digits and integers of hundreds: nothing else becomes infinite. */
const LONG_EXPONENT = /[eE]\+?0*[1-9]\d\d/;
const LONG_INTEGER = /\d{200}/;
const LONG = 200;

/**
 * Whether the value of this text has to be looked at. Four searches: one expression for all of it took 240 ns for 60
 * bytes, half of what JSON.parse takes. Both kinds of key have "proto" in them, unless `\u` spells it in another way.
 */
export function mayHaveFlaw(text: string): boolean {
  return text.includes("proto") || text.includes("\\u") || LONG_EXPONENT.test(text) || hasLongInteger(text);
}

function hasLongInteger(text: string): boolean {
  // So many digits in a row cover one of these places.
  for (let at = LONG - 1; at < text.length; at += LONG) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) return LONG_INTEGER.test(text);
  }
  return false;
}

/** What is wrong with a value whose depth is bounded; `undefined` if nothing is. */
export function flawOf(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "a number is beyond 1.8e308";
  if (typeof value !== "object" || value === null) return undefined;
  for (const key of Object.keys(value)) {
    if (key === "__proto__") return 'the key "__proto__" is not allowed';
    const part = (value as Record<string, unknown>)[key];
    if (
      key === "constructor" &&
      typeof part === "object" &&
      part !== null &&
      Object.hasOwn(part, "prototype")
    ) {
      return 'a key "constructor" with a "prototype" in it is not allowed';
    }
    const flaw = flawOf(part);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}
