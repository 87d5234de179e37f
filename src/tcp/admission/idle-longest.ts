/**
 * Finds the connection that has been idle for longest, for a listener that ends it for a new client. Nothing is kept up
 * to date for that while frames come: a scan takes the longest idle ones, and as none can become longer idle than they,
 * the next ones are taken from these as long as they are still idle since then. A scan is shared by many.
 */

/** A connection, as far as it is needed here. */
export interface Idle {
  /** Since when, in clock milliseconds; `Infinity` for one that is not idle, or ends already. */
  readonly idleSince: number;
}

/** Part of all connections that a scan takes, and how many at least. */
const PART = 1 / 32;
const LEAST = 32;

export class IdleLongest<C extends Idle> {
  readonly #all: () => readonly C[];
  /** The longest idle one is last. */
  #found: { readonly one: C; readonly since: number }[] = [];

  /** @param all connections */
  constructor(all: () => readonly C[]) {
    this.#all = all;
  }

  /** @returns `undefined` when none is idle. What is done with it must make it one that is not idle */
  next(): C | undefined {
    return this.#take() ?? (this.#scan() ? this.#take() : undefined);
  }

  #take(): C | undefined {
    for (let last = this.#found.pop(); last; last = this.#found.pop())
      if (last.one.idleSince === last.since) return last.one;
    return undefined;
  }

  /** @returns whether there are any */
  #scan(): boolean {
    const idle = this.#all().filter(({ idleSince }) => idleSince !== Infinity);
    const stamps = Float64Array.from(idle, ({ idleSince }) => idleSince).sort();
    const count = Math.max(LEAST, Math.ceil(idle.length * PART));
    const last = stamps[Math.min(count, stamps.length) - 1] ?? 0;
    this.#found = idle
      .filter(({ idleSince }) => idleSince <= last)
      .map((one) => ({ one, since: one.idleSince }))
      .sort((one, other) => other.since - one.since)
      .slice(-count);
    return this.#found.length > 0;
  }
}
