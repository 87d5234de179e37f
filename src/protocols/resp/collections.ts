/** Commands on lists, hashes and sets. */
import type { RespValue } from "../../index.js";
import { bigint, bytes, type Commands, copy, id, integer, positive, sum } from "./command.js";
import { List } from "./list.js";
import { CommandError, Hash, Members, type Store } from "./store.js";

function push(end: "pushLeft" | "pushRight") {
  return (store: Store, key: Buffer, ...items: Buffer[]): number => {
    const list = store.getOrCreate(id(key), List);
    for (const item of items) list[end](copy(item));
    return list.size;
  };
}

/** `LPOP key [count]`: without a count one element, with one a list of them. */
function pop(end: "popLeft" | "popRight") {
  return (store: Store, key: Buffer, word?: Buffer): RespValue => {
    const count = word === undefined ? undefined : positive(word);
    const list = store.get(id(key), List);
    if (list === undefined) return null;
    const items: Buffer[] = [];
    for (let left = Math.min(count ?? 1, list.size); left > 0; left--) items.push(list[end]() as Buffer);
    store.deleteIfEmpty(id(key), list);
    return count === undefined ? (items[0] ?? null) : items;
  };
}

/** `LRANGE key start stop`: both inclusive; negative ones count from the end. */
function range(store: Store, key: Buffer, from: Buffer, to: Buffer): Buffer[] {
  const [start, stop] = [integer(from), integer(to)];
  const list = store.get(id(key), List);
  if (list === undefined) return [];
  const index = (n: number) => (n < 0 ? n + list.size : n);
  return list.slice(Math.max(0, index(start)), index(stop) + 1);
}

function element(store: Store, key: Buffer, word: Buffer): Buffer | null {
  const list = store.get(id(key), List);
  if (list === undefined) return null;
  const index = integer(word);
  return list.at(index < 0 ? index + list.size : index) ?? null;
}

const lists: Commands = {
  LPUSH: [-3, push("pushLeft"), "grows"],
  RPUSH: [-3, push("pushRight"), "grows"],
  LPOP: [-2, pop("popLeft")],
  RPOP: [-2, pop("popRight")],
  LLEN: [2, (store, key) => store.get(id(key), List)?.size ?? 0],
  LINDEX: [3, element],
  LRANGE: [4, range],
};

function setFields(store: Store, key: Buffer, ...words: Buffer[]): number {
  if (words.length % 2 !== 0) throw new CommandError("ERR wrong number of arguments for 'hset' command");
  const hash = store.getOrCreate(id(key), Hash);
  const before = hash.size;
  for (let i = 0; i < words.length; i += 2) hash.set(id(words[i] as Buffer), copy(words[i + 1] as Buffer));
  return hash.size - before;
}

function addToField(store: Store, key: Buffer, field: Buffer, word: Buffer): bigint {
  const by = bigint(word);
  const old = store.get(id(key), Hash)?.get(id(field));
  const value = sum(old, by, "ERR hash value is not an integer");
  store.getOrCreate(id(key), Hash).set(id(field), bytes(String(value)));
  return value;
}

/** Removes from a hash or a set. @returns how many were in it */
function remove(kind: typeof Hash | typeof Members) {
  return (store: Store, key: Buffer, ...words: Buffer[]): number => {
    const value = store.get<Hash | Members>(id(key), kind);
    if (value === undefined) return 0;
    const removed = words.filter((word) => value.delete(id(word))).length;
    store.deleteIfEmpty(id(key), value);
    return removed;
  };
}

const hash = (store: Store, key: Buffer): Hash => store.get(id(key), Hash) ?? new Hash();

const hashes: Commands = {
  HSET: [-4, setFields, "grows"],
  HGET: [3, (store, key, field) => hash(store, key).get(id(field)) ?? null],
  HMGET: [
    -3,
    (store, key, ...fields) => {
      const all = hash(store, key);
      return fields.map((field) => all.get(id(field)) ?? null);
    },
  ],
  HGETALL: [2, (store, key) => new Map([...hash(store, key)].map(([field, value]) => [bytes(field), value]))],
  HKEYS: [2, (store, key) => [...hash(store, key).keys()].map(bytes)],
  HVALS: [2, (store, key) => [...hash(store, key).values()]],
  HEXISTS: [3, (store, key, field) => Number(hash(store, key).has(id(field)))],
  HLEN: [2, (store, key) => hash(store, key).size],
  HDEL: [-3, remove(Hash)],
  HINCRBY: [4, addToField, "grows"],
};

function addMembers(store: Store, key: Buffer, ...words: Buffer[]): number {
  const members = store.getOrCreate(id(key), Members);
  const before = members.size;
  for (const word of words) members.add(id(word));
  return members.size - before;
}

/** The oldest member, where Redis takes a random one: found without looking at the others. */
function popMember(store: Store, key: Buffer): Buffer | null {
  const members = store.get(id(key), Members);
  if (members === undefined) return null;
  const [member] = members;
  members.delete(member as string);
  store.deleteIfEmpty(id(key), members);
  return bytes(member as string);
}

const members = (store: Store, key: Buffer): Members => store.get(id(key), Members) ?? new Members();

const sets: Commands = {
  SADD: [-3, addMembers, "grows"],
  SREM: [-3, remove(Members)],
  SPOP: [2, popMember],
  SCARD: [2, (store, key) => members(store, key).size],
  SISMEMBER: [3, (store, key, word) => Number(members(store, key).has(id(word)))],
  SMEMBERS: [2, (store, key) => new Set([...members(store, key)].map(bytes))],
};

export const collections: Commands = { ...lists, ...hashes, ...sets };
