/** Rate limit: allows a number of events per second, and reports how many were suppressed. */
import { clock, type TimerRef } from "../../otp/time/clock.js";

const WINDOW = 1_000;

export class RateLimit {
  readonly #perSecond: number;
  readonly #onSuppressed: (count: number) => void;
  #count = 0;
  #timer: TimerRef = undefined;

  /** @param onSuppressed called at the end of a second in which events were suppressed, with their number */
  constructor(perSecond: number, onSuppressed: (count: number) => void) {
    this.#perSecond = perSecond;
    this.#onSuppressed = onSuppressed;
  }

  /** Counts an event. @returns whether it is within the limit */
  allows(): boolean {
    this.#timer ??= clock.setTimeout(() => this.flush(), WINDOW, true);
    return ++this.#count <= this.#perSecond;
  }

  /** Ends the current second. */
  flush(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const suppressed = this.#count - this.#perSecond;
    this.#count = 0;
    if (suppressed > 0) this.#onSuppressed(suppressed);
  }
}
