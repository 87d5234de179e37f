/**
 * Parts of a thrown value, read without running code that it has brought: a getter may throw, or take for ever, and a
 * Proxy runs its own code at every look. What a class of errors defines for all its errors is called.
 */
import { types } from "node:util";

/** Longest text that is read: the first look at one that was put together from parts copies it whole, 1 ms for so many. */
const MAX_READ = 1_000_000;
const UNPRINTABLE = "unprintable";
/** In newer majors `stack` is a getter of each error itself. */
const NATIVE_STACK = Object.getOwnPropertyDescriptor(new Error(), "stack")?.get;

/** Whether looking at it runs code of its own. */
export function isProxied(value: object): boolean {
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at))
    if (types.isProxy(at)) return true;
  return false;
}

/** Whether it is an error that can be looked at: `instanceof` alone would run the code of a Proxy. */
export function isReadableError(value: unknown): value is Error {
  return typeof value === "object" && value !== null && !isProxied(value) && value instanceof Error;
}

/** Name, message or stack of an error; `unprintable` when it cannot be read. */
export function errorPart(error: Error, key: "name" | "message" | "stack"): string {
  // The stack is made at the first look at it, and begins with the other two.
  const read = key === "stack" ? (["name", "message", "stack"] as const) : [key];
  if (isProxied(error) || read.some((part) => hasOwnGetter(error, part))) return UNPRINTABLE;
  try {
    return readable(error[key]);
  } catch {
    return UNPRINTABLE;
  }
}

function hasOwnGetter(error: Error, key: string): boolean {
  const getter = Object.getOwnPropertyDescriptor(error, key)?.get;
  return getter !== undefined && getter !== NATIVE_STACK;
}

/** The text, or how long it is. Objects are not printed: they do so by code of their own. */
function readable(value: unknown): string {
  if (typeof value === "string") return boundedText(value);
  return typeof value === "object" && value !== null ? UNPRINTABLE : primitiveText(value);
}

export function boundedText(text: string): string {
  return text.length > MAX_READ ? `a text of ${text.length} characters` : text;
}

/** What is no object, as text. */
export function primitiveText(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol" && (value.description ?? "").length > MAX_READ) return "a symbol";
  // Its digits take a time that grows with the square of their number.
  if (typeof value === "bigint" && (value > Number.MAX_VALUE || value < -Number.MAX_VALUE)) return "a bigint";
  return String(value);
}
