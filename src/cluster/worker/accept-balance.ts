/**
 * The worker's side of balance: stands back where it is ahead, says so, and goes on by itself when nobody
 * answers.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { AcceptQuota } from "../../tcp/accept-quota.js";
import type { Counters } from "../../tcp/observe/counters.js";

/** Heard nothing for so many milliseconds, the primary is stopped or busy: better uneven than not served. */
const PATIENCE = 100;
/** Likewise when it has spoken once: while a worker stands back, it speaks every second. */
const SILENCE = 3_000;
/** Over so many milliseconds it is seen whether connections come to stay. */
const WINDOW = 100;
/** An older window says nothing any more. */
const STALE = 1_000;

export interface AcceptBalanceOptions {
  readonly ceiling: number;
  readonly mark: number;
  counters(): Counters | undefined;
  /** Whether the listening socket can be had again at once, even without the primary. */
  mayClose(): boolean;
  /** Tells the primary how many it has. */
  tell(): void;
  /** The ceiling has changed. */
  changed(): void;
}

export class AcceptBalance implements AcceptQuota {
  value: number;
  mark: number;
  readonly #options: AcceptBalanceOptions;
  #waiting: TimerRef = undefined;
  /** Whether the primary has been told since it last spoke. */
  #told = false;
  /** Where the window began. */
  #since = 0;
  #accepted = 0;
  #active = 0;
  /** The fewest connections since then. */
  #fewest = Infinity;
  /** Whether in the last window clients went about as fast as they came. */
  #churned = false;

  constructor(options: AcceptBalanceOptions) {
    this.#options = options;
    this.value = options.ceiling;
    this.mark = options.mark;
  }

  reached(active: number): boolean {
    const counters = this.#options.counters();
    if (!counters || this.#churns(counters)) return false;
    if (!this.#told) this.#options.tell();
    this.#told = true;
    if (active < this.value || !this.#options.mayClose()) return false;
    this.#wait(PATIENCE);
    return true;
  }

  released(active: number): void {
    if (active < this.#fewest) this.#fewest = active;
  }

  /** The primary has spoken. */
  set(ceiling: number, mark: number): void {
    if (this.#waiting !== undefined) this.#wait(SILENCE);
    this.#told = false;
    this.mark = mark;
    if (ceiling === this.value) return;
    this.value = ceiling;
    this.#options.changed();
  }

  #wait(ms: number): void {
    clock.clearTimeout(this.#waiting);
    this.#waiting = clock.setTimeout(() => this.#goOn(), ms, true);
  }

  #goOn(): void {
    this.#waiting = undefined;
    const { active = 0 } = this.#options.counters() ?? {};
    // Otherwise it has gone on already.
    if (active >= this.value) this.set(Infinity, Infinity);
  }

  /**
   * Clients that come for a moment need no balance, and closing the socket between them costs more than they do.
   * Only where those that stay are below the ceiling.
   */
  #churns({ accepted, active }: Counters): boolean {
    const came = accepted - this.#accepted;
    const went = came - (active - this.#active);
    const churns = went * 2 > came && this.#fewest < this.value;
    const now = clock.now();
    if (now - this.#since < WINDOW) return churns || this.#churned;
    this.#churned = churns && now - this.#since < STALE;
    this.#since = now;
    this.#accepted = accepted;
    this.#active = this.#fewest = active;
    return this.#churned;
  }
}
