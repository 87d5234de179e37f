/** What a command of the example `resp` is, and how its words are read. */
import type { RespValue } from "../../index.js";
import { CommandError, type Store } from "./store.js";

/**
 * Number of words with the name (`-2`: 2 or more, as Redis lists it), what it does with the words after the name, and
 * whether it may need memory. It answers a value; it throws a `CommandError` to answer an error.
 */
export type Command = readonly [
  arity: number,
  run: (store: Store, ...words: Buffer[]) => RespValue,
  grows?: "grows",
];
export type Commands = Readonly<Record<string, Command>>;

export const SYNTAX = "ERR syntax error";
const NOT_INTEGER = "ERR value is not an integer or out of range";
const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

/** Key, field or member: a string that stands for the same bytes. */
export const id = (word: Buffer): string => word.toString("latin1");
export const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
/** A word is a view of the bytes that were received with it; what is stored is copied out of them. */
export const copy = (word: Buffer): Buffer => Buffer.from(word);

/** An integer of 64 bits, written as Redis writes it: no leading zero. @throws CommandError with `otherwise` */
export function bigint(word: Buffer, otherwise = NOT_INTEGER): bigint {
  const text = word.toString("latin1");
  const value = /^(?:0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value < LOWEST || value > HIGHEST) throw new CommandError(otherwise);
  return value;
}

/** An integer for counts and indexes. @throws CommandError */
export const integer = (word: Buffer): number => Number(bigint(word));

/** @throws CommandError */
export function positive(word: Buffer): number {
  const text = word.toString("latin1");
  if (!/^(?:0|[1-9]\d{0,18})$/.test(text))
    throw new CommandError("ERR value is out of range, must be positive");
  return Number(text);
}

/** The sum of both. @throws CommandError, with `otherwise` where the value is no integer */
export function sum(value: Buffer | undefined, by: bigint, otherwise = NOT_INTEGER): bigint {
  const result = (value === undefined ? 0n : bigint(value, otherwise)) + by;
  if (result < LOWEST || result > HIGHEST)
    throw new CommandError("ERR increment or decrement would overflow");
  return result;
}
