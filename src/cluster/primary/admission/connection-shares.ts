/**
 * Shares of a maximum number of connections, one for each worker: their sum never exceeds the limit, not even while the number of
 * workers changes. Shares shrink first; only connections that a worker has really given up are granted to others, and
 * it gives up those of its clients when they leave. Below a lowered limit no worker accepts until the sum fits.
 */
interface Share {
  /** Share to be reached. */
  target: number;
  /** Connections that the worker may have open by now. */
  granted: number;
}

export class ConnectionShares {
  #limit: number;
  /** Whether every share has reached its target. */
  settled = false;
  readonly #shares: Share[] = [];

  /** @param first as in `aim` */
  constructor(limit: number, workers: number, first = 0) {
    this.#limit = limit;
    this.aim(limit, workers, first);
    this.grow();
  }

  /** Connections that the worker in this slot may have open by now. */
  granted(slot: number): number {
    return this.#shares[slot - 1]?.granted ?? 0;
  }

  /** Whether more is granted than a limit that was lowered. */
  get #exceeded(): boolean {
    return this.#shares.reduce((sum, { granted }) => sum + granted, 0) > this.#limit;
  }

  /** Limit for the worker in this slot: below what it was granted when its share shrinks. */
  allowed(slot: number): number {
    if (this.#exceeded) return 0;
    const { target, granted } = this.#shares[slot - 1] ?? { target: 0, granted: 0 };
    return Math.min(target, granted);
  }

  /**
   * Sets new targets. Slots above `workers` get 0; new slots start with 0 granted.
   * @param first index of the worker that gets the first connection of the remainder. Several limits go on where the
   *   one before ended: if all favoured the first worker, its share of their sum could not hold them
   */
  aim(limit: number, workers: number, first = 0): void {
    this.#limit = limit;
    while (this.#shares.length < workers) this.#shares.push({ target: 0, granted: 0 });
    this.settled = false;
    for (const [at, share] of this.#shares.entries()) {
      // Infinity: there is no limit, and so nothing to divide.
      const extra = (at - (first % workers) + workers) % workers < limit % workers ? 1 : 0;
      share.target = at < workers ? Math.floor(limit / workers) + extra : 0;
    }
  }

  /** Slots whose share has to shrink. */
  shrinking(): number[] {
    const exceeded = this.#exceeded;
    return this.#slotsWhere(({ target, granted }) => granted > (exceeded ? 0 : target));
  }

  /** The worker applies its limit and has `active` connections; 0 when it has ended. */
  reduce(slot: number, active: number): void {
    const share = this.#shares[slot - 1];
    if (share === undefined) return;
    const least = this.#exceeded ? 0 : share.target;
    if (share.granted > least) share.granted = Math.max(least, Math.min(share.granted, active));
  }

  /** Grants what is free. @returns the slots whose share has grown */
  grow(): number[] {
    if (this.#limit === Infinity) return this.#growAll();
    let free = this.#limit - this.#shares.reduce((sum, { granted }) => sum + granted, 0);
    const grown = this.#slotsWhere((share) => {
      const more = Math.min(free, share.target - share.granted);
      if (more <= 0) return false;
      share.granted += more;
      free -= more;
      return true;
    });
    this.settled = this.#shares.every(({ target, granted }) => target === granted);
    return grown;
  }

  #growAll(): number[] {
    this.settled = true;
    return this.#slotsWhere((share) => {
      const grows = share.granted < share.target;
      share.granted = share.target;
      return grows;
    });
  }

  #slotsWhere(fits: (share: Share) => boolean): number[] {
    return this.#shares.flatMap((share, at) => (fits(share) ? [at + 1] : []));
  }
}
