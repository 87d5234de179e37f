/**
 * Tokens of claims: a hybrid logical clock. Milliseconds of the wall clock times 4096, or one more than the last token
 * given out or heard of. It fits into a double until the year 2039.
 */
import { wallTime } from "../../otp/time/clock.js";

const PER_MS = 4096;
/** A token of another server that is further ahead of our wall clock is not taken over: its clock is wrong. */
export const MAX_AHEAD_MS = 60_000;

export class TokenClock {
  readonly #wall: () => number;
  #last = 0;

  /** @param wall wall-clock milliseconds */
  constructor(wall: () => number = wallTime) {
    this.#wall = wall;
  }

  /** A token above all that were given out or observed, and above this one. */
  next(above = 0): number {
    this.observe(above);
    this.#last = Math.max(this.#last + 1, this.#wall() * PER_MS);
    // The name was claimed by a server whose clock is wrong: this claim is above it, the next of another name is not.
    return above >= this.#last ? above + 1 : this.#last;
  }

  /** A token of this server, given out before it was started anew. */
  restore(token: number): void {
    this.#last = Math.max(this.#last, token);
  }

  /** A token of another server. */
  observe(token: number): void {
    if (token > this.#last && token <= (this.#wall() + MAX_AHEAD_MS) * PER_MS) this.#last = token;
  }

  /** What other servers are told: no later token of this server is below it. */
  get present(): number {
    return Math.min(Math.max(this.#last, this.#wall() * PER_MS), (this.#wall() + MAX_AHEAD_MS) * PER_MS);
  }

  /** Milliseconds by which the wall clock of another server is ahead of ours. */
  aheadBy(wall: number): number {
    return wall - this.#wall();
  }

  get wall(): number {
    return this.#wall();
  }
}
