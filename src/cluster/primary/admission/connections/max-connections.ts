/**
 * Enforces the maximum number of connections over all workers: that of all listeners together, and those that listeners
 * have of their own. Each worker gets its share of every one of them and keeps to all; what is free is read from snapshots.
 * Places that a worker cannot use are lent to others (`lent-places.ts`).
 */

import type { WorkerSlot } from "../../workers/worker-slot.js";
import { ConnectionShares } from "./connection-shares.js";
import { LentPlaces, type LimitedListener, type LimitOf, type ListenerKnowledge } from "./lent-places.js";

const NONE: ReadonlySet<number> = new Set();

/** Shares of one limit. */
interface Limit extends LimitOf {
  /** The share that each worker was told last, by slot. */
  readonly told: Map<number, number>;
}

/** Shares of one worker. */
export interface WorkerShares {
  /** Of the limit of all listeners. */
  readonly maxConnections: number;
  /** Of each listener's own, in their order: Infinity where it has none. */
  readonly own: readonly number[];
}

export class MaxConnections {
  readonly #slots: () => readonly WorkerSlot[];
  readonly #limit: (workers: number) => number;
  readonly #listeners: readonly LimitedListener[];
  readonly #knowledge: ListenerKnowledge;
  readonly #lentPlaces: LentPlaces;
  readonly #total: Limit;
  /** Of each listener's own, in their order: Infinity where it has none. */
  readonly #own: readonly (Limit & { readonly listener: LimitedListener })[];
  /** By limit: slots whose workers have ended and are not back, or have no part of the accept rate. */
  #away: readonly ReadonlySet<number>[] = [];
  /** Workers that have read their first message: before that they read no other. */
  readonly #booted = new WeakSet<object>();
  /** Number of messages about limits sent to the present worker of each slot. */
  readonly #sent = new Map<number, number>();

  /** @param limit the limit of all listeners, over all of this number of workers */
  constructor(
    slots: () => readonly WorkerSlot[],
    limit: (workers: number) => number,
    listeners: readonly LimitedListener[],
    knowledge: ListenerKnowledge,
  ) {
    this.#slots = slots;
    this.#limit = limit;
    this.#listeners = listeners;
    this.#knowledge = knowledge;
    const workers = slots().length;
    const total = new ConnectionShares(limit(workers), workers);
    this.#total = { listener: undefined, shares: total, told: new Map() };
    let first = 0;
    this.#own = listeners.map((listener) => {
      const shares = new ConnectionShares(limitOf(listener), workers, first);
      first += remainderOf(listener);
      return { listener, shares, told: new Map() };
    });
    this.#lentPlaces = new LentPlaces(
      { total: this.#total, own: this.#own },
      { ...knowledge, slots, most: () => limit(1), taken: (slot, of) => this.#atMost(slot, of) },
    );
  }

  /** Connections that the worker in this slot may have at present, over all listeners. */
  allowed(slot: number): number {
    return this.#total.shares.allowed(slot);
  }

  /** Connections that a listener may have in this slot at present, by its own limit: Infinity where it has none. */
  allowedOf(listener: Pick<LimitedListener, "name">, slot: number): number {
    const own = this.#own.find((one) => one.listener.name === listener.name);
    return own?.shares.allowed(slot) ?? Infinity;
  }

  /** The shares with which the worker in this slot starts. */
  boot(slot: number): WorkerShares {
    const { process } = this.#slots()[slot - 1] ?? {};
    if (process) this.#booted.add(process);
    this.#sent.set(slot, 0);
    for (const { shares, told } of this.#limits()) told.set(slot, shares.allowed(slot));
    return {
      maxConnections: this.allowed(slot),
      own: this.#listeners.map((listener) => this.allowedOf(listener, slot)),
    };
  }

  /** Divides the limits again, after they or the number of workers have changed. A larger share is granted when it is free. */
  redivide(): void {
    this.#aim(this.#allGone());
    this.settle();
  }

  #aim(away: readonly ReadonlySet<number>[]): void {
    this.#away = away;
    const workers = this.#slots().length;
    const [total = NONE, ...own] = away;
    this.#total.shares.aim(this.#limit(workers), workers, 0, { slots: total, most: this.#limit(1) });
    let first = 0;
    for (const [at, { listener, shares }] of this.#own.entries()) {
      shares.aim(limitOf(listener), workers, first, { slots: own[at] ?? NONE, most: Infinity });
      first += remainderOf(listener);
    }
  }

  #allGone(): readonly ReadonlySet<number>[] {
    return this.#limits().map(({ listener }) => this.#gone(listener));
  }

  /** Slots whose worker cannot accept: their places serve the clients of the others until there is one that does. */
  #gone(listener: LimitedListener | undefined): ReadonlySet<number> {
    const { rated } = this.#knowledge;
    const slots = this.#slots();
    const gone = slots.filter((one) => isGone(one) || !rated(one.slot, listener?.name));
    return new Set(gone.length < slots.length ? gone.map(({ slot }) => slot) : []);
  }

  /** Grants what has become free; called when a worker has sent a snapshot or ended. */
  settle(): void {
    const gone = this.#allGone();
    if (gone.some((slots, at) => !same(slots, this.#away[at] ?? NONE))) this.#aim(gone);
    for (const limit of this.#limits()) if (!limit.shares.settled) this.#settle(limit);
  }

  /** Lends free places where no worker can accept for a listener; called when a worker has sent a snapshot. */
  lend(): void {
    if (this.#lentPlaces.update()) this.settle();
  }

  #settle(limit: Limit): void {
    const { shares } = limit;
    this.#tell(limit);
    for (const slot of shares.shrinking()) {
      const active = this.#atMost(slot, limit);
      if (active !== undefined) shares.reduce(slot, active);
    }
    shares.grow();
    this.#tell(limit);
  }

  /** Connections that a worker has, and will have no more of than it was told; `undefined`: unknown. */
  #atMost(slot: number, { listener }: LimitOf): number | undefined {
    const { process, last } = this.#slots()[slot - 1] ?? {};
    // Before its first message, too, it has no connection.
    if (!process?.alive || process.state === "down" || !this.#booted.has(process)) return 0;
    // A worker that has not read all messages may accept more than its last snapshot shows.
    if (!last || last.gauges.limitsApplied !== this.#sent.get(slot)) return undefined;
    const counted = listener ? last.listeners.slice(listener.at, listener.at + 1) : last.listeners;
    return counted.reduce((sum, { gauges }) => sum + gauges.taken, 0);
  }

  #limits(): Limit[] {
    return [this.#total, ...this.#own];
  }

  /** Sends its share to each worker that was told another one: it may have been aimed lower, and higher again. */
  #tell({ listener, shares, told }: Limit): void {
    for (const { slot, process } of this.#slots()) {
      const maxConnections = shares.allowed(slot);
      if (!process || !this.#booted.has(process) || told.get(slot) === maxConnections) continue;
      told.set(slot, maxConnections);
      const sent = (this.#sent.get(slot) ?? 0) + 1;
      this.#sent.set(slot, sent);
      void process
        .request({ name: "limit", listener: listener?.name, maxConnections })
        .then((active) => this.#heard(slot, process, sent, shares, active));
    }
  }

  /** Sooner than its next snapshot, a worker's answer tells what a smaller share leaves to others. */
  #heard(slot: number, process: unknown, sent: number, shares: ConnectionShares, active: unknown): void {
    // A later message may have allowed it more than that.
    const present = this.#slots()[slot - 1]?.process === process && this.#sent.get(slot) === sent;
    if (!present || typeof active !== "number" || shares.settled) return;
    shares.reduce(slot, active);
    this.settle();
  }
}

/** A start may take long; only the first one of a slot has its places from the beginning. */
function isGone({ process, restarts, startFailures }: WorkerSlot): boolean {
  if (process === undefined) return false;
  if (!process.alive || process.state === "down") return true;
  return process.state === "starting" && restarts + startFailures > 0;
}

function same(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  return one.size === other.size && [...one].every((slot) => other.has(slot));
}

function limitOf({ maxConnections = Infinity }: LimitedListener): number {
  return maxConnections;
}

/** What it adds to the worker that gets the remainder of the next one. */
function remainderOf(listener: LimitedListener): number {
  const limit = limitOf(listener);
  return limit === Infinity ? 0 : limit;
}
