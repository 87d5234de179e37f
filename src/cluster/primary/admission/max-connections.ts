/** Brings the workers their shares of the limit of connections, and learns from their numbers what is free. */

import type { WorkerSlot } from "../worker-slot.js";
import { ConnectionShares } from "./connection-shares.js";

export class MaxConnections {
  readonly #slots: () => readonly WorkerSlot[];
  readonly #limit: (workers: number) => number;
  readonly #shares: ConnectionShares;

  /** @param limit connections at most over so many workers */
  constructor(slots: () => readonly WorkerSlot[], limit: (workers: number) => number) {
    this.#slots = slots;
    this.#limit = limit;
    const workers = slots().length;
    this.#shares = new ConnectionShares(limit(workers), workers);
  }

  /** What a worker that starts now in this slot may have. */
  allowed(slot: number): number {
    return this.#shares.allowed(slot);
  }

  /** The workers there are now share the limit. Who is to have more gets it when it is free. */
  renew(): void {
    const workers = this.#slots().length;
    this.#shares.aim(this.#limit(workers), workers);
    for (const slot of this.#shares.shrinking()) this.#tell(slot);
    this.settle();
  }

  /** A worker has told its numbers, or has ended. */
  settle(): void {
    if (this.#shares.settled) return;
    for (const slot of this.#shares.shrinking()) {
      const { process, last } = this.#slots()[slot - 1] ?? {};
      if (!process?.alive) this.#shares.gaveBack(slot, 0);
      else if (last && last.gauges.maxConnections <= this.#shares.allowed(slot))
        this.#shares.gaveBack(slot, last.gauges.active);
    }
    for (const slot of this.#shares.grow()) this.#tell(slot);
  }

  #tell(slot: number): void {
    const maxConnections = this.#shares.allowed(slot);
    void this.#slots()[slot - 1]?.process?.request({ name: "limit", maxConnections });
  }
}
