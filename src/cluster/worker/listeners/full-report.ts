/**
 * Tells the primary that a listener of this worker is full, or no longer: other workers may lend it places, and where
 * clients are turned away instead of waiting, that begins when the listeners of all workers are full.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { FullPolicy, WhenFull } from "../../../tcp/admission/full-policy.js";

/** Least milliseconds between two reports: at the limit it is full with each client that comes for one that leaves. */
const GAP = 100;
/** Milliseconds after which a listener that is still full says so again: others may have places by then. */
const AGAIN = 1_000;
/** Milliseconds of room after which it is reported: the next client may be there at once. */
const ROOM = 10;

export class FullReport implements FullPolicy {
  mode: WhenFull;
  everywhere = false;
  readonly #send: (full: boolean) => void;
  #full = false;
  /** What was reported last. */
  #reported = false;
  #at = Number.NEGATIVE_INFINITY;
  #timer: TimerRef = undefined;

  constructor(mode: WhenFull, send: (full: boolean) => void) {
    this.mode = mode;
    this.#send = send;
  }

  changed(full: boolean): void {
    this.#full = full;
    this.#wait();
  }

  #wait(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const due = this.#full
      ? this.#at + (this.#reported ? AGAIN : GAP) - clock.now()
      : this.#reported
        ? ROOM
        : Number.POSITIVE_INFINITY;
    if (due <= 0) this.#report();
    else if (due < Number.POSITIVE_INFINITY) this.#timer = clock.setTimeout(() => this.#report(), due, true);
  }

  #report(): void {
    this.#timer = undefined;
    this.#reported = this.#full;
    if (this.#full) this.#at = clock.now();
    this.#send(this.#full);
    if (this.#full) this.#wait();
  }
}
