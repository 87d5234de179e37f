/**
 * Balance: spreads connections evenly over the workers, which accept on one socket, where the kernel chooses the worker.
 * A worker that is ahead of the one with the fewest connections stops accepting at a quota, until the others catch up.
 *
 *   worker ──"I have 108, ahead"──▶ primary ──"report your load"──▶ the other workers
 *                                      │ ◀── 98, 101, (no answer within 20 ms: not counted)
 *   all    ◀──"quota: 98 + slack"──────┘     repeated as long as a worker is ahead
 *
 * Balance never keeps a client waiting: a worker that does not answer is left out, and a worker that hears nothing from
 * the primary lifts its quota itself (`worker/accept-balance.ts`).
 */
import { clock, type TimerRef } from "../../../../otp/time/clock.js";
import type { Quota } from "../../../channel/limit-terms.js";

/** A worker that accepts at present. */
export interface Member {
  readonly slot: number;
  /** Asks the worker to report its number of connections. */
  askLoad(): void;
  /** A worker reports its load from `reportAt` on, so that it need not wait when it reaches the quota. */
  setQuota(quota: Quota): void;
}

/** Lead that a worker may have: this share of the lowest load, but at least this number of connections. */
const SLACK = 0.12;
const LEAST_SLACK = 12;
/**
 * In a burst the lead may be the connections of this many milliseconds, because a full backlog costs clients a second
 * and more; but at most this number, or this share of the lowest load.
 */
const BURST = 20;
/** Least time over which the rate is measured, in milliseconds: ten clients at once are no burst. */
const RATE_WINDOW = 50;
const BURST_SLACK = 96;
const BURST_SHARE = 0.25;
/** Milliseconds to wait for reports. */
const PATIENCE = 20;
/** Milliseconds between two rounds while a worker is ahead: doubled as long as the lowest load stays the same. */
const FIRST_DELAY = 20;
const MAX_DELAY = 1_000;

export class Balance {
  /** What all workers were sent last. */
  quota: Quota = { quota: Infinity, reportAt: Infinity };
  readonly #members: () => readonly Member[];
  readonly #limit: (slot: number) => number;
  readonly #loads = new Map<number, number>();
  /** Workers that were asked in this round and have not reported. */
  readonly #missing = new Set<number>();
  /** Runs while reports are waited for. */
  #round: TimerRef = undefined;
  /** Runs until the next round. */
  #next: TimerRef = undefined;
  #delay = FIRST_DELAY;
  /** Results of the last round. */
  #lowest = 0;
  #sum = 0;
  #endedAt = -Infinity;

  /** @param limit connections that a worker may have, whatever its quota is */
  constructor(members: () => readonly Member[], limit: (slot: number) => number) {
    this.#members = members;
    this.#limit = limit;
  }

  /** A worker has reported its load. @param ahead whether it did so unasked, because it reached `reportAt` */
  reported(slot: number, active: number, ahead: boolean): void {
    this.#loads.set(slot, active);
    this.#missing.delete(slot);
    if (this.#round !== undefined) {
      if (this.#missing.size === 0) this.#endRound();
    } else if (ahead) {
      this.#startRound(slot);
    }
  }

  /** Compares with snapshots: below `reportAt` no worker reports, so the quota would stay when many clients have left. */
  seen(slot: number, active: number): void {
    if (this.#round !== undefined || active >= this.#lowest * (1 - SLACK) - LEAST_SLACK) return;
    const counts = active < this.#limit(slot) && this.#members().some((member) => member.slot === slot);
    if (counts) this.#startRound();
  }

  /** Workers have started or stopped to accept. */
  changed(): void {
    this.stop();
    if (this.#members().length > 1) this.#startRound();
    else this.#endRound();
  }

  stop(): void {
    clock.clearTimeout(this.#round);
    clock.clearTimeout(this.#next);
    this.#round = this.#next = undefined;
    this.#missing.clear();
  }

  /** @param reporter has just reported and is not asked */
  #startRound(reporter?: number): void {
    this.stop();
    const asked = this.#members().filter(({ slot }) => slot !== reporter);
    this.#round = clock.setTimeout(() => this.#endRound(), PATIENCE, true);
    for (const { slot } of asked) this.#missing.add(slot);
    for (const member of asked) member.askLoad();
    if (asked.length === 0) this.#endRound();
  }

  #endRound(): void {
    const missing = new Set(this.#missing);
    this.stop();
    const members = this.#members();
    if (members.length < 2) {
      this.#lowest = 0;
      return this.#send({ quota: Infinity, reportAt: Infinity });
    }
    const heard = members.flatMap(({ slot }) => (missing.has(slot) ? [] : slot));
    const loads = heard.map((slot) => this.#loads.get(slot) ?? 0);
    // A worker at its limit cannot catch up: the others must not wait for it.
    const open = loads.filter((load, at) => load < this.#limit(heard[at] as number));
    const lowest = Math.min(...(open.length > 0 ? open : loads));
    const sum = loads.reduce((all, load) => all + load, 0);
    const slack = this.#slack(lowest, sum, open.length);
    this.#send({ quota: lowest + slack, reportAt: lowest + Math.ceil(slack / 2) });
    this.#delay = lowest === this.#lowest ? Math.min(2 * this.#delay, MAX_DELAY) : FIRST_DELAY;
    this.#lowest = lowest;
    this.#sum = sum;
    this.#endedAt = clock.now();
    // A worker at `reportAt` may have reached the quota by now.
    if (missing.size > 0 || Math.max(...open) >= this.quota.reportAt) {
      this.#next = clock.setTimeout(() => this.#startRound(), this.#delay, true);
    }
  }

  /** @param open number of workers that are below their limit */
  #slack(lowest: number, sum: number, open: number): number {
    // The only worker below its limit has none to wait for: it may double its connections until the next round.
    const share = open > 1 ? lowest * SLACK : lowest;
    const came = ((sum - this.#sum) * BURST) / Math.max(RATE_WINDOW, clock.now() - this.#endedAt);
    const burst = Math.min(came, Math.max(BURST_SLACK, lowest * BURST_SHARE));
    return Math.ceil(Math.max(LEAST_SLACK, share, burst));
  }

  /** To all workers, changed or not: one at its quota has to hear that there is a primary. */
  #send(quota: Quota): void {
    this.quota = quota;
    for (const member of this.#members()) member.setQuota(quota);
  }
}
