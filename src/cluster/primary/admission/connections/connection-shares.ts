/**
 * Shares of a maximum number of connections, one for each worker: their sum never exceeds the limit, not even while the number of
 * workers changes. Shares shrink first; only connections that a worker has really given up are granted to others, and
 * it gives up those of its clients when they leave. Below a lowered limit no worker accepts until the sum fits.
 */
interface Share {
  /** Equal part of the limit. */
  even: number;
  /** Share to be reached: the equal part, with what is lent. */
  target: number;
  /** Connections that the worker may have open by now. */
  granted: number;
}

/** Workers that accept nothing. */
export interface Away {
  /** Their slots. */
  readonly slots: ReadonlySet<number>;
  /** Places that a worker may have in all, with those of others. */
  readonly most: number;
}

const NONE_AWAY: Away = { slots: new Set(), most: Infinity };

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
   * @param away whose workers accept nothing: the others have their places meanwhile
   */
  aim(limit: number, workers: number, first = 0, { slots: away, most }: Away = NONE_AWAY): void {
    this.#limit = limit;
    while (this.#shares.length < workers) this.#shares.push({ even: 0, target: 0, granted: 0 });
    this.settled = false;
    // Without a limit there is nothing to divide.
    if (limit === Infinity) {
      for (const [at, share] of this.#shares.entries())
        share.even = share.target = at < workers ? Infinity : 0;
      return;
    }
    const there = this.#shares.flatMap((_, at) => (at < workers && !away.has(at + 1) ? [at] : []));
    for (const share of this.#shares) share.even = share.target = 0;
    for (const [nth, at] of there.entries()) {
      const extra =
        (nth - (first % there.length) + there.length) % there.length < limit % there.length ? 1 : 0;
      const even = Math.floor(limit / there.length) + extra;
      // One worker may not have descriptors for the places of the others.
      const own = Math.ceil(limit / workers);
      const share = this.#shares[at] as Share;
      share.even = share.target = Math.min(even, Math.max(own, most));
    }
  }

  /**
   * One worker lends free places to another, until both are aimed again or it gets them back.
   * @param most places that the other may have in all
   */
  lend(from: number, to: number, count: number, most = Infinity): void {
    const [lender, borrower] = [this.#shares[from - 1], this.#shares[to - 1]];
    if (!lender || !borrower || this.#limit === Infinity) return;
    const lent = Math.min(count, lender.target, most - borrower.target);
    if (lent <= 0) return;
    lender.target -= lent;
    borrower.target += lent;
    this.settled = false;
  }

  /** Whether a worker has places of another one. */
  get lent(): boolean {
    return this.#shares.some(({ even, target }) => target !== even);
  }

  /** Equal part of the worker in this slot. */
  even(slot: number): number {
    return this.#shares[slot - 1]?.even ?? 0;
  }

  /** Every worker is to have its equal part again. */
  returnLent(): void {
    for (const share of this.#shares) share.target = share.even;
    this.settled = false;
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
