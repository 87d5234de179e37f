/**
 * Timers that mostly do not fire: a call waits five seconds and is answered in microseconds. Those that wait
 * equally long come due in the order in which they began, so they stand in one list with one timer, which is
 * set for the first of them and looks again when it fires. To begin and to end is to enter and to leave the list.
 */
import { type Clock, clock, systemClock, type TimerRef } from "./clock.js";

/** Something that has until then; itself the link of its list. */
export interface Deadline {
  /** @internal */ earlier: Deadline | undefined;
  /** @internal */ later: Deadline | undefined;
  /** @internal Of the list that it stands in. */
  list: DeadlineList | undefined;
  /** @internal By the clock of its list. */
  due: number;
  /** The time is over. */
  expire(): void;
}

class DeadlineList {
  readonly #clock: Clock;
  readonly #ms: number;
  #first: Deadline | undefined = undefined;
  #last: Deadline | undefined = undefined;
  #timer: TimerRef = undefined;
  #leaving = false;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  add(one: Deadline): void {
    one.list = this;
    one.due = this.#clock.now() + this.#ms;
    one.earlier = this.#last;
    if (this.#last) this.#last.later = one;
    else this.#first = one;
    this.#last = one;
    if (this.#timer === undefined) this.#arm(this.#ms);
  }

  remove(one: Deadline): void {
    const { earlier, later } = one;
    if (earlier) earlier.later = later;
    else this.#first = later;
    if (later) later.earlier = earlier;
    else this.#last = earlier;
    one.earlier = one.later = one.list = undefined;
    if (this.#first === undefined) this.#empty();
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let first = this.#first; first && first.due <= now; first = this.#first) {
      this.remove(first);
      first.expire();
    }
    if (this.#first && this.#timer === undefined) this.#arm(this.#first.due - now);
  }

  /** One call after the other empties it a million times a second: the timer is kept until the event loop turns. */
  #empty(): void {
    if (this.#clock !== systemClock) return this.#leave();
    if (this.#leaving) return;
    this.#leaving = true;
    setImmediate(() => {
      this.#leaving = false;
      if (this.#first === undefined) this.#leave();
    });
  }

  #leave(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (lists.get(this.#ms) === this) lists.delete(this.#ms);
  }
}

/** By how long they wait. Of the clock in use: those of another one serve what they have to its end. */
let lists = new Map<number, DeadlineList>();
let clockOfLists: Clock | undefined;

/** Begins: `expire` is called once, `ms` milliseconds from now, unless `withdraw` comes before. */
export function expect(one: Deadline, ms: number): void {
  if (clockOfLists !== clock) {
    clockOfLists = clock;
    lists = new Map();
  }
  let list = lists.get(ms);
  if (list === undefined) {
    list = new DeadlineList(clock, ms);
    lists.set(ms, list);
  }
  list.add(one);
}

export function withdraw(one: Deadline): void {
  one.list?.remove(one);
}
