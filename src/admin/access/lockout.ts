/**
 * Lockout after wrong tokens: five within a minute from one address, and its wrong or missing tokens are answered
 * with 429 for the next minute. The right token is accepted all the time; a token has at least 32 characters, so it
 * is not found by guessing.
 */
import { clock } from "../../otp/time/clock.js";

const MAX_WRONG = 5;
/** Milliseconds. */
const WINDOW = 60_000;
/** Bound of the memory: the address whose last wrong token is oldest makes room for a new one. */
const MAX_ADDRESSES = 1_000;

interface Guesses {
  count: number;
  /** Clock time at which the count expires. */
  until: number;
}

export class Lockout {
  readonly #guesses = new Map<string, Guesses>();

  /** Seconds until the lockout of this address ends; 0: it is not locked out. */
  remaining(address: string): number {
    const guesses = this.#of(address);
    return guesses && guesses.count >= MAX_WRONG ? Math.ceil((guesses.until - clock.now()) / 1000) : 0;
  }

  /** Counts a wrong token from this address. */
  wrong(address: string): void {
    const guesses = this.#of(address) ?? { count: 0, until: clock.now() + WINDOW };
    // Inserted again, so that the map stays in order of the last wrong token.
    this.#guesses.delete(address);
    this.#guesses.set(address, guesses);
    if (++guesses.count === MAX_WRONG) guesses.until = clock.now() + WINDOW;
    if (this.#guesses.size > MAX_ADDRESSES) this.#guesses.delete(this.#guesses.keys().next().value as string);
  }

  #of(address: string): Guesses | undefined {
    const guesses = this.#guesses.get(address);
    if (guesses === undefined || clock.now() < guesses.until) return guesses;
    this.#guesses.delete(address);
    return undefined;
  }
}
