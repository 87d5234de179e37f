/** The accept rates that a listener keeps to: its own, and that of all listeners of its OS process together. */
import type { AcceptRate, RatedListener } from "./accept-rate.js";

export class AcceptRates {
  readonly #all: readonly AcceptRate[];

  constructor(...all: readonly AcceptRate[]) {
    this.#all = all;
  }

  /** Whether there is a rate at present. */
  get limited(): boolean {
    for (const { rate } of this.#all) if (rate !== undefined) return true;
    return false;
  }

  /** Whether the next connection has to wait. */
  get spent(): boolean {
    for (const one of this.#all) if (one.spent) return true;
    return false;
  }

  /** @param listener which has accepted a connection */
  take(listener: RatedListener): void {
    for (const one of this.#all) one.take(listener);
  }

  /** Has the listener told (`heedTokens`) when all that are spent now have tokens again. */
  wait(): void {
    const spent = this.#all.filter((one) => one.spent);
    // The listener has found one spent, and a token may have come since: without a timer it would wait for ever.
    for (const one of spent.length > 0 ? spent : this.#all) one.wait();
  }

  join(listener: RatedListener): void {
    for (const one of this.#all) one.join(listener);
  }

  leave(listener: RatedListener): void {
    for (const one of this.#all) one.leave(listener);
  }
}
