/**
 * Bound on how often a full listener that cannot pause acquires its listening socket again: a token bucket. With one free place each
 * reopening admits one client. It costs 0.5 ms of CPU over both OS processes, ten times as much as a short connection
 * itself, because the primary replaces the copy. With the bound this is at most a quarter of a core for each worker.
 */

/** Reopenings per second, for as long as clients keep coming. */
const RATE = 500;
/** Reopenings allowed at once: as many as the backlog may hold clients that have given up. */
const BURST = 1_500;

export class ReopenBudget {
  #left = BURST;
  #at = 0;

  /** @returns 0: reopen now; otherwise milliseconds until the next reopening is allowed */
  take(now: number): number {
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) * RATE) / 1_000);
    this.#at = now;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) * 1_000) / RATE);
    this.#left--;
    return 0;
  }
}
