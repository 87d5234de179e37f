/**
 * Store of the example `resp`: values by key, with expiry. A key that has expired is removed when it is next read, and
 * by `sweep`, which looks at a few keys a time.
 *
 * Keys, fields and members are strings of latin1, one character per byte: Buffers are equal only to themselves.
 */
import type { List } from "./list.js";

export class Hash extends Map<string, Buffer> {}
export class Members extends Set<string> {}
export type Value = Buffer | List | Hash | Members;
type Kind<T extends Value> = (new (...args: never[]) => T) | (T extends Buffer ? typeof Buffer : never);

/** An error that is answered to the client. It begins with its code, as in Redis: `ERR …`, `WRONGTYPE …`. */
export class CommandError extends Error {}

/** Keys that one `sweep` looks at. */
const SWEPT = 200;

export class Store {
  readonly #values = new Map<string, Value>();
  /** Of keys that expire: when, on the clock of `performance.now`. */
  readonly #expiries = new Map<string, number>();
  /** The memory in use has reached its limit: commands that may need more are refused. */
  full = false;

  get size(): number {
    return this.#values.size;
  }

  find(key: string): Value | undefined {
    const at = this.#expiries.size === 0 ? undefined : this.#expiries.get(key);
    if (at !== undefined && at <= performance.now()) this.delete(key);
    return this.#values.get(key);
  }

  /** @throws CommandError when the key holds a value of another kind */
  get<T extends Value>(key: string, kind: Kind<T>): T | undefined {
    const value = this.find(key);
    if (value === undefined || value instanceof kind) return value as T | undefined;
    throw new CommandError("WRONGTYPE Operation against a key holding the wrong kind of value");
  }

  getOrCreate<T extends List | Hash | Members>(key: string, kind: new () => T): T {
    let value = this.get<T>(key, kind as Kind<T>);
    if (value === undefined) {
      value = new kind();
      this.#values.set(key, value);
    }
    return value;
  }

  /** Replaces the value and keeps the expiry. */
  update(key: string, value: Value): void {
    this.#values.set(key, value);
  }

  /** Replaces the value and its expiry: in so many milliseconds, or never. */
  set(key: string, value: Value, ttl?: number): void {
    this.#values.set(key, value);
    if (ttl !== undefined) this.#expiries.set(key, performance.now() + ttl);
    else if (this.#expiries.size > 0) this.#expiries.delete(key);
  }

  delete(key: string): boolean {
    this.#expiries.delete(key);
    return this.#values.delete(key);
  }

  /** A list, hash or set without elements is no value, as in Redis. */
  deleteIfEmpty(key: string, value: List | Hash | Members): void {
    if (value.size === 0) this.delete(key);
  }

  /** @returns whether the key exists */
  expire(key: string, ttl: number): boolean {
    if (this.find(key) === undefined) return false;
    if (ttl <= 0) return this.delete(key);
    this.#expiries.set(key, performance.now() + ttl);
    return true;
  }

  /** @returns whether the key had an expiry */
  persist(key: string): boolean {
    return this.find(key) !== undefined && this.#expiries.delete(key);
  }

  /** Milliseconds that are left; -1 without expiry, -2 without such a key. As in Redis. */
  ttl(key: string): number {
    if (this.find(key) === undefined) return -2;
    const at = this.#expiries.get(key);
    return at === undefined ? -1 : Math.max(0, Math.round(at - performance.now()));
  }

  *keys(): Iterable<string> {
    for (const key of this.#values.keys()) if (this.find(key) !== undefined) yield key;
  }

  clear(): void {
    this.#values.clear();
    this.#expiries.clear();
  }

  /** Removes what has expired of some keys; they go to the end, so that each has its turn. */
  sweep(): void {
    const now = performance.now();
    let seen = 0;
    for (const [key, at] of this.#expiries) {
      if (seen++ === SWEPT) return;
      this.#expiries.delete(key);
      if (at <= now) this.#values.delete(key);
      else this.#expiries.set(key, at);
    }
  }
}
