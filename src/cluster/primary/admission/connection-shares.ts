/**
 * How many connections each worker may have, so that together they never have more than the limit: not in
 * between either, while workers come and go. A share shrinks first; only what its worker has really given back
 * is given to others, and a worker gives back what its clients still hold when they leave.
 */
interface Share {
  /** What it is to have. */
  target: number;
  /** What it may have used up by now, as far as anybody knows. */
  granted: number;
}

export class ConnectionShares {
  #limit: number;
  /** Whether everybody has what they are to have. */
  settled = false;
  readonly #shares: Share[] = [];

  constructor(limit: number, workers: number) {
    this.#limit = limit;
    this.aim(limit, workers);
    this.grow();
  }

  /** What the worker in this slot may have now. */
  granted(slot: number): number {
    return this.#shares[slot - 1]?.granted ?? 0;
  }

  /** The most that the worker in this slot is to keep: less than what it was granted when it has to give back. */
  allowed(slot: number): number {
    const { target, granted } = this.#shares[slot - 1] ?? { target: 0, granted: 0 };
    return Math.min(target, granted);
  }

  /** Slots above `workers` are to have nothing; those that were not there before begin with nothing. */
  aim(limit: number, workers: number): void {
    this.#limit = limit;
    while (this.#shares.length < workers) this.#shares.push({ target: 0, granted: 0 });
    this.settled = false;
    for (const [at, share] of this.#shares.entries()) {
      const extra = at < limit % workers ? 1 : 0;
      share.target = at < workers ? Math.floor(limit / workers) + extra : 0;
    }
  }

  /** The slots whose workers have to give back. */
  shrinking(): number[] {
    return this.#slotsWhere(({ target, granted }) => granted > target);
  }

  /** A worker heeds what it is allowed, and has `active` connections, or has ended: then 0. */
  gaveBack(slot: number, active: number): void {
    const share = this.#shares[slot - 1];
    if (share && share.granted > share.target)
      share.granted = Math.max(share.target, Math.min(share.granted, active));
  }

  /** Gives what is free to those that are to have more. @returns the slots whose share has grown */
  grow(): number[] {
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

  #slotsWhere(fits: (share: Share) => boolean): number[] {
    return this.#shares.flatMap((share, at) => (fits(share) ? [at + 1] : []));
  }
}
