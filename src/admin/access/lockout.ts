/**
 * Against guessing: an address that has brought so many wrong tokens within a minute is not listened to for
 * the next one, whatever it brings then.
 */
import { clock } from "../../otp/time/clock.js";

const WRONG_TOKENS = 5;
const WINDOW = 60_000;
/** Addresses that are remembered; the oldest is forgotten for a new one, so that nobody fills the memory. */
const ADDRESSES = 1_000;

interface Guesses {
  count: number;
  /** When they are forgotten, in clock milliseconds. */
  until: number;
}

export class Lockout {
  readonly #guesses = new Map<string, Guesses>();

  /** Seconds for which this address is still locked out; 0: it is not. */
  remaining(address: string): number {
    const guesses = this.#of(address);
    return guesses && guesses.count >= WRONG_TOKENS ? Math.ceil((guesses.until - clock.now()) / 1000) : 0;
  }

  /** A wrong token came from there. */
  wrong(address: string): void {
    const guesses = this.#of(address) ?? { count: 0, until: clock.now() + WINDOW };
    // Put in anew: the one that guessed last is forgotten last.
    this.#guesses.delete(address);
    this.#guesses.set(address, guesses);
    if (++guesses.count === WRONG_TOKENS) guesses.until = clock.now() + WINDOW;
    if (this.#guesses.size > ADDRESSES) this.#guesses.delete(this.#guesses.keys().next().value as string);
  }

  #of(address: string): Guesses | undefined {
    const guesses = this.#guesses.get(address);
    if (guesses === undefined || clock.now() < guesses.until) return guesses;
    this.#guesses.delete(address);
    return undefined;
  }
}
