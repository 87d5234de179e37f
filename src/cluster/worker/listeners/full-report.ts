/**
 * Tells the primary that a listener of this worker is full, or no longer: where clients are turned
 * away instead of waiting, that begins when the listeners of all workers are full.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { FullPolicy, WhenFull } from "../../../tcp/admission/full-policy.js";

/** Least milliseconds between two reports: at the limit it is full with each client that comes for one that leaves. */
const GAP = 100;
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
    if (this.#full === this.#reported) return;
    const due = this.#full ? this.#at + GAP - clock.now() : ROOM;
    if (due <= 0) this.#report();
    else this.#timer = clock.setTimeout(() => this.#report(), due, true);
  }

  #report(): void {
    this.#timer = undefined;
    this.#reported = this.#full;
    if (this.#full) this.#at = clock.now();
    this.#send(this.#full);
  }
}
