/**
 * Copy of a value for `util.inspect`, small and without code of its own. The data of a process may have a million keys,
 * getters or a Proxy: to print all of it, and cut the text then, took seconds in which the worker served no client.
 */
import { inspect, types } from "node:util";
import { boundedText, errorPart, isProxied } from "../../otp/process/exit-reason.js";

export const MAX_DEPTH = 4;
export const MAX_ELEMENTS = 50;
const MAX_STRING = 1_000;
const MAX_KEYS = 100;
/** Objects in one copy. */
const MAX_OBJECTS = 1_000;

/** Keys by which an object changes how it is printed. */
const OWN_CODE: readonly symbol[] = [inspect.custom, Symbol.toStringTag];

/** Is printed as it is. */
class Raw {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  [inspect.custom](): string {
    return this.#text;
  }
}

export function shownCopy(value: unknown): unknown {
  return new Copier().copy(value, 0);
}

class Copier {
  readonly #copies = new Map<object, unknown>();

  copy(value: unknown, depth: number): unknown {
    if (typeof value === "string") return cut(value);
    if (typeof value === "function") return new Raw(functionText(value));
    if (typeof value !== "object" || value === null) return value;
    if (types.isProxy(value)) return new Raw("[Proxy]");
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    if (this.#copies.size >= MAX_OBJECTS) return new Raw("…");
    return this.#object(value, depth);
  }

  #object(value: object, depth: number): unknown {
    if (types.isBoxedPrimitive(value)) return new Raw("[boxed value]");
    // What its class says about itself, and what has no parts, or 50 at most when it is printed.
    if (hasOwnWords(value) || isWhole(value)) return value;
    if (types.isNativeError(value)) return this.#error(value, depth);
    if (Array.isArray(value)) return this.#array(value, depth);
    if (types.isMap(value)) return this.#map(value, depth);
    if (types.isSet(value)) return this.#set(value, depth);
    if (types.isRegExp(value)) return new Raw(cut(String(value)));
    return this.#properties(value, Object.create(prototypeOf(value)), depth);
  }

  #array(values: readonly unknown[], depth: number): unknown {
    const copy: unknown[] = [];
    this.#copies.set(values, copy);
    // The printer says what is deeper only by its kind.
    const shown = depth > MAX_DEPTH ? Math.min(values.length, 1) : Math.min(values.length, MAX_ELEMENTS);
    for (let at = 0; at < shown; at++) copy.push(this.#property(values, `${at}`, depth));
    if (values.length > shown) copy.push(more(values.length - shown, "item"));
    return copy;
  }

  #map(values: ReadonlyMap<unknown, unknown>, depth: number): unknown {
    const copy = new Map<unknown, unknown>();
    this.#copies.set(values, copy);
    const entries = Map.prototype.entries.call(values);
    for (const [key, value] of first(entries))
      copy.set(this.copy(key, depth + 1), this.copy(value, depth + 1));
    if (values.size > MAX_ELEMENTS) copy.set(more(values.size - MAX_ELEMENTS, "item"), new Raw("…"));
    return copy;
  }

  #set(values: ReadonlySet<unknown>, depth: number): unknown {
    const copy = new Set<unknown>();
    this.#copies.set(values, copy);
    for (const value of first(Set.prototype.values.call(values))) copy.add(this.copy(value, depth + 1));
    if (values.size > MAX_ELEMENTS) copy.add(more(values.size - MAX_ELEMENTS, "item"));
    return copy;
  }

  #error(error: Error, depth: number): unknown {
    const copy = new Error();
    copy.stack = cut(errorPart(error, "stack"));
    return this.#properties(error, copy, depth);
  }

  #properties(value: object, copy: object, depth: number): unknown {
    this.#copies.set(value, copy);
    const keys: PropertyKey[] = Object.keys(value);
    // Each look at a million keys takes 100 ms.
    if (keys.length <= MAX_KEYS)
      keys.push(...Object.getOwnPropertySymbols(value).filter((key) => !OWN_CODE.includes(key)));
    const shown = depth > MAX_DEPTH ? keys.slice(0, 1) : keys.slice(0, MAX_KEYS);
    for (const key of shown)
      define(copy, typeof key === "string" ? cut(key) : key, this.#property(value, key, depth));
    if (keys.length > shown.length) define(copy, "…", more(keys.length - shown.length, "key"));
    return copy;
  }

  #property(value: object, key: PropertyKey, depth: number): unknown {
    const property = Object.getOwnPropertyDescriptor(value, key);
    return property?.get ? new Raw("[Getter]") : this.copy(property?.value, depth + 1);
  }
}

function define(copy: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(copy, key, { value, enumerable: true, configurable: true });
}

function* first<T>(values: Iterator<T>): Generator<T> {
  for (let taken = 0; taken < MAX_ELEMENTS; taken++) {
    const { value, done } = values.next();
    if (done) return;
    yield value;
  }
}

function isWhole(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isDate(value) ||
    types.isPromise(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value)
  );
}

/** Its class, which the printer names; not where a Proxy is among its prototypes. */
function prototypeOf(value: object): object | null {
  return isProxied(value) ? Object.prototype : Object.getPrototypeOf(value);
}

/** Whether its class defines how it is printed. */
function hasOwnWords(value: object): boolean {
  const prototype = prototypeOf(value);
  return prototype !== null && inspect.custom in prototype;
}

function functionText(value: object): string {
  const name = Object.getOwnPropertyDescriptor(value, "name")?.value;
  return typeof name === "string" && name !== "" ? `[Function: ${cut(name)}]` : "[Function (anonymous)]";
}

function cut(text: string): string {
  const read = boundedText(text);
  return read.length > MAX_STRING ? `${read.slice(0, MAX_STRING)}… (+${read.length - MAX_STRING})` : read;
}

function more(count: number, what: string): Raw {
  return new Raw(`… ${count} more ${what}${count === 1 ? "" : "s"}`);
}
