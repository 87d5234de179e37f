/**
 * Enforces the maximum number of connections over all workers: that of all listeners together, and those that listeners
 * have of their own. Each worker gets its share of every one of them and keeps to all; what is free is read from snapshots.
 */

import type { PrimaryListener } from "../primary-listener.js";
import type { WorkerSlot } from "../worker-slot.js";
import { ConnectionShares } from "./connection-shares.js";

/** A listener that has, or has not, a limit of its own. */
export type LimitedListener = Pick<PrimaryListener, "name" | "at" | "maxConnections">;

/** Shares of one limit; `listener` is `undefined` for that of all listeners. */
interface Limit {
  readonly listener: LimitedListener | undefined;
  readonly shares: ConnectionShares;
}

export class MaxConnections {
  readonly #slots: () => readonly WorkerSlot[];
  readonly #limit: (workers: number) => number;
  readonly #total: ConnectionShares;
  /** Of listeners with a limit of their own. */
  readonly #own: readonly (Limit & { readonly listener: LimitedListener })[];

  /** @param limit the limit of all listeners, over all of this number of workers */
  constructor(
    slots: () => readonly WorkerSlot[],
    limit: (workers: number) => number,
    listeners: readonly LimitedListener[],
  ) {
    this.#slots = slots;
    this.#limit = limit;
    const workers = slots().length;
    const limited = listeners.filter(({ maxConnections }) => maxConnections !== undefined);
    this.#total = new ConnectionShares(limit(workers), workers);
    this.#own = limited.map((listener, at) => {
      const shares = new ConnectionShares(limitOf(listener), workers, remainders(limited.slice(0, at)));
      return { listener, shares };
    });
  }

  /** Connections that the worker in this slot may have at present, over all listeners. */
  allowed(slot: number): number {
    return this.#total.allowed(slot);
  }

  /** Connections that a listener may have in this slot at present, by its own limit: Infinity where it has none. */
  allowedOf(listener: Pick<LimitedListener, "name">, slot: number): number {
    const own = this.#own.find((one) => one.listener.name === listener.name);
    return own?.shares.allowed(slot) ?? Infinity;
  }

  /** Divides the limits again, after the number of workers has changed. A larger share is granted when it is free. */
  redivide(): void {
    const workers = this.#slots().length;
    this.#total.aim(this.#limit(workers), workers);
    let first = 0;
    for (const { listener, shares } of this.#own) {
      shares.aim(limitOf(listener), workers, first);
      first += limitOf(listener);
    }
    for (const limit of this.#limits()) for (const slot of limit.shares.shrinking()) this.#send(limit, slot);
    this.settle();
  }

  /** Grants what has become free; called when a worker has sent a snapshot or ended. */
  settle(): void {
    for (const limit of this.#limits()) if (!limit.shares.settled) this.#settle(limit);
  }

  #settle(limit: Limit): void {
    const { listener, shares } = limit;
    for (const slot of shares.shrinking()) {
      const { process, last } = this.#slots()[slot - 1] ?? {};
      if (!process?.alive) {
        shares.reduce(slot, 0);
        continue;
      }
      const listeners = last?.listeners ?? [];
      const counted = listener ? listeners.slice(listener.at, listener.at + 1) : listeners;
      const share = listener ? counted[0]?.gauges.share : last?.gauges.share;
      const active = counted.reduce((sum, { gauges }) => sum + gauges.active, 0);
      // A snapshot from before the worker got its new share says nothing about what it will accept.
      if (share !== undefined && share <= shares.allowed(slot)) shares.reduce(slot, active);
    }
    for (const slot of shares.grow()) this.#send(limit, slot);
  }

  #limits(): Limit[] {
    return [{ listener: undefined, shares: this.#total }, ...this.#own];
  }

  #send({ listener, shares }: Limit, slot: number): void {
    const request = {
      name: "limit",
      listener: listener?.name,
      maxConnections: shares.allowed(slot),
    } as const;
    void this.#slots()[slot - 1]?.process?.request(request);
  }
}

function limitOf({ maxConnections = Infinity }: LimitedListener): number {
  return maxConnections;
}

function remainders(listeners: readonly LimitedListener[]): number {
  return listeners.reduce((sum, listener) => sum + limitOf(listener), 0);
}
