/** Commands on keys of any kind, and on the store as a whole. */
import type { RespValue } from "../../index.js";
import { bytes, type Commands, id, integer } from "./command.js";
import { globMatches } from "./glob.js";
import { List } from "./list.js";
import { CommandError, Hash, type Store } from "./store.js";

function expireIn(unit: number, command: string) {
  return (store: Store, key: Buffer, word: Buffer): RespValue => {
    const ttl = integer(word) * unit;
    if (!Number.isSafeInteger(ttl)) throw new CommandError(`ERR invalid expire time in '${command}' command`);
    return Number(store.expire(id(key), ttl));
  };
}

function typeOf(store: Store, key: Buffer): string {
  const value = store.find(id(key));
  if (value === undefined) return "none";
  if (Buffer.isBuffer(value)) return "string";
  if (value instanceof List) return "list";
  return value instanceof Hash ? "hash" : "set";
}

const remove = (store: Store, ...keys: Buffer[]): number =>
  keys.filter((key) => store.find(id(key)) !== undefined && store.delete(id(key))).length;

function clear(store: Store): RespValue {
  store.clear();
  return "OK";
}

function matching(store: Store, pattern: Buffer): Buffer[] {
  const text = id(pattern);
  const keys: Buffer[] = [];
  for (const key of store.keys()) if (globMatches(text, key)) keys.push(bytes(key));
  return keys;
}

export const keys: Commands = {
  DEL: [-2, remove],
  UNLINK: [-2, remove],
  EXISTS: [-2, (store, ...all) => all.filter((key) => store.find(id(key)) !== undefined).length],
  TYPE: [2, typeOf],
  KEYS: [2, matching],
  EXPIRE: [3, expireIn(1000, "expire")],
  PEXPIRE: [3, expireIn(1, "pexpire")],
  PERSIST: [2, (store, key) => Number(store.persist(id(key)))],
  PTTL: [2, (store, key) => store.ttl(id(key))],
  TTL: [
    2,
    (store, key) => {
      const ttl = store.ttl(id(key));
      return ttl < 0 ? ttl : Math.floor((ttl + 500) / 1000);
    },
  ],
  DBSIZE: [1, (store) => store.size],
  FLUSHDB: [-1, clear],
  FLUSHALL: [-1, clear],
};
