/**
 * Deadlines: timers that mostly do not fire. A call times out after 5 s and gets its reply within microseconds.
 * Deadlines of equal duration expire in the order of their start, so all of deadline duration share a linked list and deadline
 * timer, armed for the first of them. Start and cancel are list operations.
 */
import { type Clock, clock, systemClock, type TimerRef } from "./clock.js";

/** A deadline; itself the node of its list. */
export interface Deadline {
  /** @internal */ earlier: Deadline | undefined;
  /** @internal */ later: Deadline | undefined;
  /** @internal The list that it is in. */
  list: DeadlineList | undefined;
  /** @internal When it expires, by the clock of its list. */
  due: number;
  /** Called when the time is over. */
  expire(): void;
}

class DeadlineList {
  readonly #clock: Clock;
  readonly #ms: number;
  #first: Deadline | undefined = undefined;
  #last: Deadline | undefined = undefined;
  #timer: TimerRef = undefined;
  #disposing = false;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  add(deadline: Deadline): void {
    deadline.list = this;
    deadline.due = this.#clock.now() + this.#ms;
    deadline.earlier = this.#last;
    if (this.#last) this.#last.later = deadline;
    else this.#first = deadline;
    this.#last = deadline;
    if (this.#timer === undefined) this.#arm(this.#ms);
  }

  remove(deadline: Deadline): void {
    const { earlier, later } = deadline;
    if (earlier) earlier.later = later;
    else this.#first = later;
    if (later) later.earlier = earlier;
    else this.#last = earlier;
    deadline.earlier = deadline.later = deadline.list = undefined;
    if (this.#first === undefined) this.#emptied();
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#expireDue(), ms);
  }

  #expireDue(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let first = this.#first; first && first.due <= now; first = this.#first) {
      this.remove(first);
      first.expire();
    }
    if (this.#first && this.#timer === undefined) this.#arm(this.#first.due - now);
  }

  /** Sequential calls empty the list a million times a second: the timer is kept until the event loop has run. */
  #emptied(): void {
    if (this.#clock !== systemClock) return this.#dispose();
    if (this.#disposing) return;
    this.#disposing = true;
    setImmediate(() => {
      this.#disposing = false;
      if (this.#first === undefined) this.#dispose();
    });
  }

  #dispose(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (lists.get(this.#ms) === this) lists.delete(this.#ms);
  }
}

/** Lists by duration, for the clock in use. Lists of a replaced clock finish the deadlines that they have. */
let lists = new Map<number, DeadlineList>();
let clockOfLists: Clock | undefined;

/** Starts a deadline: `expire` is called once, `ms` milliseconds from now, unless `cancelDeadline` comes first. */
export function startDeadline(deadline: Deadline, ms: number): void {
  if (clockOfLists !== clock) {
    clockOfLists = clock;
    lists = new Map();
  }
  let list = lists.get(ms);
  if (list === undefined) {
    list = new DeadlineList(clock, ms);
    lists.set(ms, list);
  }
  list.add(deadline);
}

export function cancelDeadline(deadline: Deadline): void {
  deadline.list?.remove(deadline);
}
