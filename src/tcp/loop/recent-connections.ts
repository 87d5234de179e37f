/**
 * The last connections that were accepted or whose frames were handled, for the report of an exception that no process
 * has thrown: a client whose frames cause it again and again can be found by its address.
 */
const MOST = 8;

export class RecentConnections<T extends object> {
  readonly #ring: (T | undefined)[] = new Array(MOST).fill(undefined);
  #at = 0;

  /** On the hot path: two reads for the connection that was the last one already, otherwise a write. */
  add(one: T): void {
    if (this.#ring[this.#at] === one) return;
    this.#at = (this.#at + 1) % MOST;
    this.#ring[this.#at] = one;
  }

  /** Each once, the last one first. */
  list(): T[] {
    const inOrder = this.#ring.map((_, back) => this.#ring[(this.#at - back + MOST) % MOST]);
    return [...new Set(inOrder.filter((one) => one !== undefined))];
  }
}
