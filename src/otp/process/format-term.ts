/**
 * Values as Erlang terms. The text is cut while it is made: any value can be thrown, and one of a million elements
 * must not hold up the worker for the seconds that its whole text would take.
 */
import { types } from "node:util";
import { boundedText, errorPart, primitiveText } from "./error-part.js";

/** Maximum length of a formatted term, in UTF-16 units. */
const MAX_LENGTH = 10_000;
/** Deeper, and circular, values are not printed. */
const MAX_DEPTH = 1_000;
/** An Erlang atom that needs no quotes. */
const ATOM = /^[a-z][\w@]*$/;

/**
 * Formats a value as an Erlang term: strings as atoms, arrays as tuples, objects as tagged tuples. The key `reason`
 * after another key is left out, as in `{failed_to_start_child,b,noproc}`. No getter of an object is called.
 * @throws an error where the value cannot be read
 */
export function formatTerm(value: unknown): string {
  const writer = new TermWriter();
  writer.write(value, 0);
  return writer.text;
}

/** `TypeError: boom`. Of an error whose name or message cannot be read, the other one. */
export function errorText(error: Error): string {
  const read = (key: "name" | "message"): string => errorPart(error, key).slice(0, MAX_LENGTH);
  return `${read("name")}: ${read("message")}`;
}

class TermWriter {
  text = "";

  get #left(): number {
    return MAX_LENGTH - this.text.length;
  }

  write(value: unknown, depth: number): void {
    if (this.#left <= 0) return;
    if (depth > MAX_DEPTH) throw new RangeError("a circular or very deep value");
    if (value === undefined || value === null) this.text += "undefined";
    else if (typeof value === "string") this.#atom(value);
    else if (typeof value !== "object") this.text += primitiveText(value).slice(0, this.#left);
    else if (types.isProxy(value)) throw new TypeError("a proxy runs code of its own");
    else if (value instanceof Error) this.#quoted(errorText(value));
    else if (Array.isArray(value)) this.#array(value, depth + 1);
    else if (Object.getPrototypeOf(value) === Object.prototype) this.#object(value, depth + 1);
    else if (ArrayBuffer.isView(value))
      this.#quoted(`${value.constructor.name} of ${value.byteLength} bytes`);
    else if (types.isBoxedPrimitive(value)) this.text += "a boxed value";
    else this.text += boundedText(String(value)).slice(0, this.#left);
  }

  #atom(text: string): void {
    const cut = boundedText(text).slice(0, this.#left);
    if (ATOM.test(cut)) this.text += cut;
    else this.#quoted(cut);
  }

  #quoted(text: string): void {
    this.text += `'${text.slice(0, this.#left).replaceAll("'", "\\'")}'`;
  }

  #array(values: readonly unknown[], depth: number): void {
    this.text += "{";
    for (let at = 0; at < values.length && this.#left > 0; at++) {
      if (at > 0) this.text += ",";
      this.write(values[at], depth);
    }
    this.text += "}";
  }

  #object(value: object, depth: number): void {
    this.text += "{";
    let first = true;
    for (const key of Object.keys(value)) {
      if (this.#left <= 0) break;
      if (!first) this.text += ",";
      if (first || key !== "reason") {
        this.#atom(key);
        this.text += ",";
      }
      first = false;
      this.write(ownValue(value, key), depth);
    }
    this.text += "}";
  }
}

function ownValue(value: object, key: string): unknown {
  const property = Object.getOwnPropertyDescriptor(value, key);
  if (property?.get !== undefined) throw new TypeError("a getter runs code of its own");
  return property?.value;
}
