/** Lets so many through in a second, and counts the rest. */
import { clock, type TimerRef } from "../../otp/time/clock.js";

const WINDOW = 1_000;

export class RateLimit {
  readonly #most: number;
  readonly #onSurplus: (more: number) => void;
  #count = 0;
  #timer: TimerRef = undefined;

  /** @param onSurplus told at the end of a second how many were not let through, if any were not */
  constructor(most: number, onSurplus: (more: number) => void) {
    this.#most = most;
    this.#onSurplus = onSurplus;
  }

  admits(): boolean {
    this.#timer ??= clock.setTimeout(() => this.flush(), WINDOW, true);
    return ++this.#count <= this.#most;
  }

  /** Ends the second. */
  flush(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const more = this.#count - this.#most;
    this.#count = 0;
    if (more > 0) this.#onSurplus(more);
  }
}
