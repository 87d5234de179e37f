/**
 * Bound on how many connections are accepted in a second: a token bucket, of one listener or of all listeners of an OS
 * process. Without a token its listeners stop accepting, and clients wait in the backlog: none is refused.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { tokensAt } from "./rate.js";
import type { Rate } from "./terms.js";

/** A listener, as far as a rate needs it. */
export interface RatedListener {
  /** The rate is used up: stop accepting. */
  heedRate(): void;
  /** Connections may be accepted again. */
  heedTokens(): void;
}

/** Milliseconds between two rounds of accepting, where the burst allows it: a round for each client costs more than it. */
const ROUND = 10;
/** A token, without what the arithmetic of fractions may have lost of it. */
const TOKEN = 1 - 1e-9;

export class AcceptRate {
  #rate: Rate | undefined;
  #tokens: number;
  #filledAt = clock.now();
  /** The one that took the last token is last: the others come first when there are tokens again. */
  readonly #listeners = new Set<RatedListener>();
  #timer: TimerRef = undefined;

  /**
   * @param rate `undefined`: no limit
   * @param tokens connections that may be accepted at once. Default: the burst
   */
  constructor(rate: Rate | undefined, tokens = rate?.burst ?? 0) {
    this.#rate = rate;
    this.#tokens = tokens;
  }

  get rate(): Rate | undefined {
    return this.#rate;
  }

  /** Replaces the rate; what may be accepted at once does not grow by it. */
  set(rate: Rate | undefined): void {
    this.#fill();
    // From no limit to one: as if it had been used up.
    this.#tokens = this.#rate === undefined ? 0 : Math.min(this.#tokens, rate?.burst ?? 0);
    this.#rate = rate;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#heed();
    this.#wake();
  }

  /** Whether the next connection has to wait. */
  get spent(): boolean {
    return this.#rate !== undefined && this.#fill() < TOKEN;
  }

  /** @param listener which has accepted a connection */
  take(listener: RatedListener): void {
    if (this.#rate === undefined) return;
    this.#tokens = this.#fill() - 1;
    if (this.#tokens >= TOKEN) return;
    if (this.#listeners.delete(listener)) this.#listeners.add(listener);
    this.#heed();
  }

  join(listener: RatedListener): void {
    this.#listeners.add(listener);
  }

  leave(listener: RatedListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A listener waits: it is told when there are tokens. */
  wait(): void {
    this.#timer ??= this.#arm();
  }

  #heed(): void {
    if (this.spent) for (const listener of this.#listeners) listener.heedRate();
  }

  #arm(): TimerRef {
    const { perSecond, burst } = this.#rate ?? { perSecond: 0, burst: 0 };
    // A share of nothing: another worker accepts.
    if (perSecond === 0) return undefined;
    const missing = Math.max(0, 1 - this.#fill());
    const round = Math.min(ROUND, (burst / perSecond) * 1_000);
    const ms = Math.ceil(Math.max((missing / perSecond) * 1_000, round));
    return clock.setTimeout(() => {
      this.#timer = undefined;
      this.#wake();
    }, ms);
  }

  #wake(): void {
    // Each may have left none for the next one, which waits again then.
    for (const listener of [...this.#listeners]) listener.heedTokens();
  }

  #fill(): number {
    const now = clock.now();
    if (this.#rate !== undefined) this.#tokens = tokensAt(this.#tokens, this.#filledAt, this.#rate, now);
    this.#filledAt = now;
    return this.#tokens;
  }
}
