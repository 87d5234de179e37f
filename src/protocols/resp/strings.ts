/** Commands on strings and counters. */
import type { RespValue } from "../../index.js";
import { bigint, bytes, type Commands, copy, id, integer, SYNTAX, sum } from "./command.js";
import { CommandError, type Store } from "./store.js";

/** `SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]` */
function set(store: Store, key: Buffer, value: Buffer, ...words: Buffer[]): RespValue {
  const name = id(key);
  const options = optionsOf(words);
  const old = options.get ? store.get(name, Buffer) : undefined;
  const exists = options.only !== undefined && store.find(name) !== undefined;
  const allowed = options.only === undefined || (options.only === "XX") === exists;
  if (allowed && options.keep) store.update(name, copy(value));
  else if (allowed) store.set(name, copy(value), options.ttl);
  if (options.get) return old ?? null;
  return allowed ? "OK" : null;
}

interface SetOptions {
  only?: "NX" | "XX";
  get?: true;
  keep?: true;
  ttl?: number;
}

function optionsOf(words: Buffer[]): SetOptions {
  const options: SetOptions = {};
  for (let i = 0; i < words.length; i++) {
    const word = id(words[i] as Buffer).toUpperCase();
    const value = words[i + 1];
    const timed = options.keep ?? options.ttl;
    if ((word === "NX" || word === "XX") && (options.only ?? word) === word) options.only = word;
    else if (word === "GET") options.get = true;
    else if (word === "KEEPTTL" && options.ttl === undefined) options.keep = true;
    else if ((word === "EX" || word === "PX") && value !== undefined && timed === undefined) {
      options.ttl = lifetime(value, word === "EX" ? 1000 : 1, "set");
      i++;
    } else throw new CommandError(SYNTAX);
  }
  return options;
}

function lifetime(word: Buffer, unit: number, command: string): number {
  const ttl = integer(word) * unit;
  if (ttl <= 0 || !Number.isSafeInteger(ttl))
    throw new CommandError(`ERR invalid expire time in '${command}' command`);
  return ttl;
}

function setFor(unit: number, command: string) {
  return (store: Store, key: Buffer, ttl: Buffer, value: Buffer): RespValue => {
    store.set(id(key), copy(value), lifetime(ttl, unit, command));
    return "OK";
  };
}

function add(store: Store, key: Buffer, by: bigint): bigint {
  const name = id(key);
  const value = sum(store.get(name, Buffer), by);
  store.update(name, bytes(String(value)));
  return value;
}

function subtract(store: Store, key: Buffer, word: Buffer): bigint {
  const by = bigint(word);
  if (by === -(2n ** 63n)) throw new CommandError("ERR decrement would overflow");
  return add(store, key, -by);
}

function append(store: Store, key: Buffer, more: Buffer): number {
  const name = id(key);
  const value = Buffer.concat([store.get(name, Buffer) ?? Buffer.alloc(0), more]);
  store.update(name, value);
  return value.length;
}

function pairs(words: Buffer[], command: string): [key: string, value: Buffer][] {
  if (words.length % 2 !== 0)
    throw new CommandError(`ERR wrong number of arguments for '${command}' command`);
  return words.flatMap((key, i) => (i % 2 === 0 ? [[id(key), copy(words[i + 1] as Buffer)]] : []));
}

export const strings: Commands = {
  GET: [2, (store, key) => store.get(id(key), Buffer) ?? null],
  SET: [-3, set, "grows"],
  SETEX: [4, setFor(1000, "setex"), "grows"],
  PSETEX: [4, setFor(1, "psetex"), "grows"],
  SETNX: [3, (store, key, value) => (set(store, key, value, bytes("NX")) ? 1 : 0), "grows"],
  GETSET: [3, (store, key, value) => set(store, key, value, bytes("GET")), "grows"],
  GETDEL: [
    2,
    (store, key) => {
      const value = store.get(id(key), Buffer);
      if (value !== undefined) store.delete(id(key));
      return value ?? null;
    },
  ],
  MGET: [
    -2,
    (store, ...keys) =>
      keys.map((key) => {
        const value = store.find(id(key));
        return Buffer.isBuffer(value) ? value : null;
      }),
  ],
  MSET: [
    -3,
    (store, ...words) => {
      for (const [key, value] of pairs(words, "mset")) store.set(key, value);
      return "OK";
    },
    "grows",
  ],
  MSETNX: [
    -3,
    (store, ...words) => {
      const all = pairs(words, "msetnx");
      if (all.some(([key]) => store.find(key) !== undefined)) return 0;
      for (const [key, value] of all) store.set(key, value);
      return 1;
    },
    "grows",
  ],
  INCR: [2, (store, key) => add(store, key, 1n), "grows"],
  DECR: [2, (store, key) => add(store, key, -1n), "grows"],
  INCRBY: [3, (store, key, by) => add(store, key, bigint(by)), "grows"],
  DECRBY: [3, subtract, "grows"],
  APPEND: [3, append, "grows"],
  STRLEN: [2, (store, key) => store.get(id(key), Buffer)?.length ?? 0],
};
