/**
 * Spreads connections evenly over workers that accept on one socket, where the kernel wakes whom it likes: a
 * worker that is ahead of the one with the fewest stands back until the others have caught up.
 *
 *   worker ──"ahead, I have 108"──▶ primary ──"how many have you?"──▶ the others
 *                                      │ ◀── 98, 101, (no answer within 20 ms: not counted)
 *   all    ◀──"up to 98 + slack"───────┘     and again in a while, as long as anybody stands back
 *
 * Balance never costs a client its place: who does not answer is not waited for, and a worker that hears nothing
 * from the primary goes on accepting by itself.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";

/** A worker that accepts at present. */
export interface Member {
  readonly slot: number;
  /** Asks it how many connections it has. */
  askLoad(): void;
  /** @param mark from so many on it is to say how many it has, so that it need not wait at the ceiling */
  setQuota(connections: number, mark: number): void;
}

/** Connections that a worker may be ahead: this share of what the emptiest has, but so many at least. */
const SLACK = 0.12;
const LEAST_SLACK = 12;
/**
 * In a burst as many as come within so many milliseconds, for a kernel queue that is full costs clients a second and
 * more; but so many, or this share, at most.
 */
const BURST = 20;
/** Over so many milliseconds at least the rate is taken: ten clients at once are no burst. */
const SPELL = 50;
const BURST_SLACK = 96;
const BURST_SHARE = 0.25;
/** How long an answer is waited for, in milliseconds. */
const PATIENCE = 20;
/** Between two looks, while a worker stands back: doubled as long as nothing changes. */
const SOON = 20;
const LATE = 1_000;

export class Balance {
  /** Up to how many connections a worker may accept, and from how many on it tells. */
  ceiling = Infinity;
  mark = Infinity;
  readonly #members: () => readonly Member[];
  readonly #limit: (slot: number) => number;
  readonly #loads = new Map<number, number>();
  /** Asked, and not heard of yet. */
  readonly #unheard = new Set<number>();
  /** While a question is open, and until the next look. */
  #round: TimerRef = undefined;
  #next: TimerRef = undefined;
  #delay = SOON;
  #lowest = 0;
  #sum = 0;
  #lookedAt = -Infinity;

  /** @param limit how many connections a worker may have at most, ahead or not */
  constructor(members: () => readonly Member[], limit: (slot: number) => number) {
    this.#members = members;
    this.#limit = limit;
  }

  /** A worker says how many connections it has; `ahead`: it stands back, or would. */
  told(slot: number, active: number, ahead: boolean): void {
    this.#loads.set(slot, active);
    this.#unheard.delete(slot);
    if (this.#round !== undefined) {
      if (this.#unheard.size === 0) this.#settle();
    } else if (ahead) {
      this.#ask(slot);
    }
  }

  /** From its numbers of each second: below the mark nobody tells, so the ceiling would stay when many have left. */
  seen(slot: number, active: number): void {
    if (this.#round !== undefined || active >= this.#lowest * (1 - SLACK) - LEAST_SLACK) return;
    const counts = active < this.#limit(slot) && this.#members().some((member) => member.slot === slot);
    if (counts) this.#ask();
  }

  /** Workers have come or gone. */
  changed(): void {
    this.stop();
    if (this.#members().length > 1) this.#ask();
    else this.#settle();
  }

  stop(): void {
    clock.clearTimeout(this.#round);
    clock.clearTimeout(this.#next);
    this.#round = this.#next = undefined;
    this.#unheard.clear();
  }

  /** @param asking has just said what the others are asked */
  #ask(asking?: number): void {
    this.stop();
    const others = this.#members().filter(({ slot }) => slot !== asking);
    this.#round = clock.setTimeout(() => this.#settle(), PATIENCE, true);
    for (const { slot } of others) this.#unheard.add(slot);
    for (const other of others) other.askLoad();
    if (others.length === 0) this.#settle();
  }

  #settle(): void {
    const unheard = new Set(this.#unheard);
    this.stop();
    const members = this.#members();
    if (members.length < 2) {
      this.#lowest = 0;
      return this.#announce(Infinity, Infinity);
    }
    const heard = members.flatMap(({ slot }) => (unheard.has(slot) ? [] : slot));
    const loads = heard.map((slot) => this.#loads.get(slot) ?? 0);
    // One at its limit does not catch up, so nobody is to wait for it.
    const open = loads.filter((load, at) => load < this.#limit(heard[at] as number));
    const lowest = Math.min(...(open.length > 0 ? open : loads));
    const sum = loads.reduce((all, load) => all + load, 0);
    // Where there is no other, it is not held up, and asked again when it has doubled.
    const share = open.length > 1 ? lowest * SLACK : lowest;
    const now = clock.now();
    const came = ((sum - this.#sum) * BURST) / Math.max(SPELL, now - this.#lookedAt);
    const burst = Math.min(came, Math.max(BURST_SLACK, lowest * BURST_SHARE));
    const slack = Math.ceil(Math.max(LEAST_SLACK, share, burst));
    this.#announce(lowest + slack, lowest + Math.ceil(slack / 2));
    this.#delay = lowest === this.#lowest ? Math.min(2 * this.#delay, LATE) : SOON;
    this.#lowest = lowest;
    this.#sum = sum;
    this.#lookedAt = now;
    // At the mark it may be at the ceiling by now.
    if (unheard.size > 0 || Math.max(...open) >= this.mark) {
      this.#next = clock.setTimeout(() => this.#ask(), this.#delay, true);
    }
  }

  /** To all, changed or not: those that stand back have to hear that there is a primary. */
  #announce(ceiling: number, mark: number): void {
    this.ceiling = ceiling;
    this.mark = mark;
    for (const member of this.#members()) member.setQuota(ceiling, mark);
  }
}
