/**
 * The last connections that were accepted or whose frames were handled, for the report of an exception that no process
 * has thrown: a client whose frames cause it again and again can be found by its address.
 */
const MOST = 8;
/** Connections that have ended, and may have left a timer behind. */
const MOST_ENDED = 64;

export class RecentConnections<T extends object> {
  readonly #ring: (T | undefined)[] = new Array(MOST).fill(undefined);
  #at = 0;
  readonly #ended: (T | undefined)[] = new Array(MOST_ENDED).fill(undefined);
  readonly #asyncIds = new Float64Array(MOST_ENDED);
  #endedAt = 0;

  /** On the hot path: two reads for the connection that was the last one already, otherwise a write. */
  add(one: T): void {
    if (this.#ring[this.#at] === one) return;
    this.#at = (this.#at + 1) % MOST;
    this.#ring[this.#at] = one;
  }

  /** It ends now. @param asyncId of its socket, which has none once it is closed */
  ending(one: T, asyncId = 0): void {
    this.#endedAt = (this.#endedAt + 1) % MOST_ENDED;
    this.#ended[this.#endedAt] = one;
    this.#asyncIds[this.#endedAt] = asyncId;
  }

  /** The one among the last that have ended whose socket had this async id. */
  endedWith(asyncId: number): T | undefined {
    return this.#ended[this.#asyncIds.indexOf(asyncId)];
  }

  /** Puts another in its places: one that has ended must not keep what the protocol had stored in it. */
  replace(one: T, other: () => T): void {
    if (!this.#ring.includes(one) && !this.#ended.includes(one)) return;
    const made = other();
    for (const places of [this.#ring, this.#ended])
      for (const [at, entry] of places.entries()) if (entry === one) places[at] = made;
  }

  /** Each once, the last one first. */
  list(): T[] {
    const inOrder = this.#ring.map((_, back) => this.#ring[(this.#at - back + MOST) % MOST]);
    return [...new Set(inOrder.filter((one) => one !== undefined))];
  }
}
