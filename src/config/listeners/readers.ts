/**
 * Readers of nested configuration, such as one listener and its `tls`: each validates a value from a file and returns
 * it typed, or refuses it by its place. The value types of single options (options/kinds.ts) are readers as well.
 */
import * as v from "valibot";
import type { Kind } from "../options/kinds.js";
import { didYouMean } from "../options/suggest.js";
import { show } from "../options/value.js";
import type { Place } from "./place.js";

/** @throws ConfigError that names the place, the value and what is allowed */
export type Reader<Out> = (value: unknown, place: Place) => Out;

/** A value of an option's type: durations become milliseconds, paths absolute. */
export function ofKind<Out>(kind: Kind<any, Out>): Reader<Out> {
  return (value, place) => {
    const refusal = kind.refusal?.(value);
    if (refusal !== undefined) throw place.error(refusal);
    const result = v.safeParse(kind.schema, value);
    if (!result.success) {
      const hint = typeof value === "string" ? didYouMean(value, kind.words) : "";
      throw place.error(`expected ${kind.expected}, got ${show(value)}${hint}`);
    }
    return kind.absolute(result.output, place.folder);
  };
}

/** An object with any of these keys; others are refused. Keys with the value `undefined` are left out. */
export function objectOf<Out extends object>(
  fields: {
    readonly [K in keyof Out]-?: Reader<Exclude<Out[K], undefined>>;
  },
): Reader<Partial<Out>> {
  return (value, place) => {
    if (!isPlainObject(value)) throw place.error(`expected an object, got ${show(value)}`);
    const read: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(value)) {
      if (!Object.hasOwn(fields, key)) {
        const absent = Object.keys(fields).filter((known) => !Object.hasOwn(value, known));
        throw place.at(key).error(`unknown key ${JSON.stringify(key)}${didYouMean(key, absent)}`);
      }
      if (one !== undefined) read[key] = fields[key as keyof Out](one, place.at(key));
    }
    return read as Partial<Out>;
  };
}

/** An array whose elements are read by `one`. @param expected completes the message "expected …" */
export function listOf<Out>(one: Reader<Out>, expected: string): Reader<readonly Out[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw place.error(`expected ${expected}, got ${show(value)}`);
    return value.map((element, at) => one(element, place.at(at)));
  };
}

/** An object with keys of the user's own, such as names. @param expected completes the message "expected …" */
export function recordOf<Out>(
  one: Reader<Out>,
  key: RegExp,
  expected: string,
): Reader<Readonly<Record<string, Out>>> {
  return (value, place) => {
    if (!isPlainObject(value)) throw place.error(`expected ${expected}, got ${show(value)}`);
    const entries = Object.entries(value).map(([name, element]) => {
      if (!key.test(name)) throw place.error(`expected ${expected}, got the key ${show(name)}`);
      return [name, one(element, place.at(name))] as const;
    });
    if (entries.length === 0) throw place.error(`expected ${expected}, got an empty object`);
    return Object.assign(Object.create(null), Object.fromEntries(entries)) as Record<string, Out>;
  };
}

/** `{ __proto__: … }` in a module is an object that looks empty: it is refused here. */
export function isPlainObject(value: unknown): value is object {
  if (value === null || typeof value !== "object") return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
