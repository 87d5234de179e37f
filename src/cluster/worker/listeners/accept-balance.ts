/**
 * The worker's side of the balance: accepts up to the quota that the primary sets, reports when it gets near, and
 * lifts the quota itself when the primary does not answer. The primary's side is `primary/admission/connections/balance.ts`.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { AcceptQuota } from "../../../tcp/listener/accept-quota.js";
import type { Counters } from "../../../tcp/observe/counters.js";
import type { Quota } from "../../channel/limit-terms.js";

/** Milliseconds without an answer after which the quota is lifted: uneven load is better than waiting clients. */
const PATIENCE = 100;
/** The same after the first answer: while a worker is at its quota, the primary sends one every second. */
const SILENCE = 3_000;
/** Milliseconds over which connections opened and closed are compared. */
const WINDOW = 100;
/** A window that is older than this says nothing about the present. */
const STALE = 1_000;

export interface AcceptBalanceOptions extends Quota {
  counters(): Counters;
  /** Places that are taken: a client on which the gate has not decided has one as well. */
  taken(): number;
  /** Whether the listener can stop accepting and go on at once, even without the primary. */
  mayStop(): boolean;
  /** Reports the number of connections to the primary. */
  report(): void;
  /** The quota has changed: the listener compares again. */
  changed(): void;
}

export class AcceptBalance implements AcceptQuota {
  value: number;
  reportAt: number;
  readonly #options: AcceptBalanceOptions;
  /** Runs while the worker is at its quota. */
  #patience: TimerRef = undefined;
  /** Whether the load was reported since the primary's last message. */
  #reported = false;
  /** Start of the window, and the counters then. */
  #since = 0;
  #accepted = 0;
  #active = 0;
  /** Fewest connections in the window. */
  #fewest = Infinity;
  /** Whether in the last window clients left about as fast as they came. */
  #churned = false;

  constructor(options: AcceptBalanceOptions) {
    this.#options = options;
    this.value = options.quota;
    this.reportAt = options.reportAt;
  }

  reached(active: number): boolean {
    if (this.#churns(this.#options.counters())) return false;
    if (!this.#reported) this.#options.report();
    this.#reported = true;
    if (active < this.value || !this.#options.mayStop()) return false;
    this.#wait(PATIENCE);
    return true;
  }

  released(active: number): void {
    if (active < this.#fewest) this.#fewest = active;
  }

  /** The primary has sent a quota, changed or not. */
  set({ quota, reportAt }: Quota): void {
    if (this.#patience !== undefined) this.#wait(SILENCE);
    this.#reported = false;
    this.reportAt = reportAt;
    if (quota === this.value) return;
    this.value = quota;
    this.#options.changed();
  }

  #wait(ms: number): void {
    clock.clearTimeout(this.#patience);
    this.#patience = clock.setTimeout(() => this.#lift(), ms, true);
  }

  /** Lifts the quota where it still keeps the listener from accepting. */
  #lift(): void {
    this.#patience = undefined;
    if (this.#options.taken() >= this.value) this.set({ quota: Infinity, reportAt: Infinity });
  }

  /**
   * Short-lived connections need no balance, and closing the socket between them costs more than they do. This holds
   * only while the connections that stay are below the quota.
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
