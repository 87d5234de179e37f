/** Enforces `--max-connections` over all workers: sends each its share of the limit, and reads from snapshots what is free. */

import type { WorkerSlot } from "../worker-slot.js";
import { ConnectionShares } from "./connection-shares.js";

export class MaxConnections {
  readonly #slots: () => readonly WorkerSlot[];
  readonly #limit: (workers: number) => number;
  readonly #shares: ConnectionShares;

  /** @param limit the limit over all of this number of workers */
  constructor(slots: () => readonly WorkerSlot[], limit: (workers: number) => number) {
    this.#slots = slots;
    this.#limit = limit;
    const workers = slots().length;
    this.#shares = new ConnectionShares(limit(workers), workers);
  }

  /** Connections that the worker in this slot may have at present. */
  allowed(slot: number): number {
    return this.#shares.allowed(slot);
  }

  /** Divides the limit again, after the number of workers has changed. A larger share is granted when it is free. */
  redivide(): void {
    const workers = this.#slots().length;
    this.#shares.aim(this.#limit(workers), workers);
    for (const slot of this.#shares.shrinking()) this.#send(slot);
    this.settle();
  }

  /** Grants what has become free; called when a worker has sent a snapshot or ended. */
  settle(): void {
    if (this.#shares.settled) return;
    for (const slot of this.#shares.shrinking()) {
      const { process, last } = this.#slots()[slot - 1] ?? {};
      if (!process?.alive) this.#shares.reduce(slot, 0);
      else if (last && last.gauges.maxConnections <= this.#shares.allowed(slot))
        this.#shares.reduce(slot, last.gauges.active);
    }
    for (const slot of this.#shares.grow()) this.#send(slot);
  }

  #send(slot: number): void {
    const maxConnections = this.#shares.allowed(slot);
    void this.#slots()[slot - 1]?.process?.request({ name: "limit", maxConnections });
  }
}
