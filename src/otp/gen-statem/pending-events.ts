/**
 * What a state machine has on its hands: events that were postponed or inserted, and timers. Made when a handler
 * first asks for one of them: most machines never do.
 *
 * Within one transition the last word about a timer counts, and only that: OTP reads the actions from behind
 * and forgets what it has seen. A time of 0 starts no timer: such timeouts stand in a line of their own,
 * which is served when no event waits, and before the next message.
 */
import { clock, type TimerRef } from "../time/clock.js";
import type { SetTimer, StatemEvent, TimerKind } from "./actions.js";

/** A timer that runs, and the message that says that it has run out. */
export class Timer {
  readonly timer: TimerKind;
  readonly name: string;
  content: unknown;
  ref: TimerRef = undefined;
  constructor(timer: TimerKind, name: string, content: unknown) {
    this.timer = timer;
    this.name = name;
    this.content = content;
  }

  get event(): StatemEvent {
    const { timer, name, content } = this;
    return timer === "timer" ? { type: timer, name, content } : { type: timer, content };
  }
}

const held = (event: StatemEvent): Held => ({ kind: event.type, content: event });
const keyOf = ({ timer, name }: Timer | SetTimer) => (timer === "timer" ? `timer ${name}` : timer);

/** An event that waits: postponed, or to be handled before any other. */
export interface Held {
  readonly kind: string;
  readonly content: unknown;
}

export class Agenda {
  /** Until the state changes. */
  postponed: Held[] = [];
  /** To be handled before any message. */
  queue: Held[] = [];
  readonly #deliver: (timer: Timer) => void;
  readonly #running = new Map<string, Timer>();
  /** Timeouts of zero, in the order in which they were set. */
  #zero: Timer[] = [];
  #asked: SetTimer[] = [];
  #inserted: StatemEvent[] = [];

  constructor(deliver: (timer: Timer) => void) {
    this.#deliver = deliver;
  }

  insert(event: StatemEvent): void {
    this.#inserted.push(event);
  }

  /** The state has changed: what was postponed comes again, before all that waits. */
  recall(): void {
    if (this.postponed.length === 0) return;
    this.queue = [...this.postponed, ...this.queue];
    this.postponed = [];
  }

  /**
   * The next event that waits: inserted ones first, timeouts of zero last. Timers that were asked for take effect.
   * @param heldBack events of this kind stay where they are
   */
  next(heldBack?: string): Held | undefined {
    if (this.#inserted.length > 0) this.queue = [...this.#inserted.splice(0).map(held), ...this.queue];
    this.#apply();
    const waiting = heldBack === undefined ? this.queue.shift() : this.#takeOther(heldBack);
    if (waiting) return waiting;
    const zero = this.#takeZero();
    return zero && held(zero);
  }

  /** The first event of another kind. */
  #takeOther(heldBack: string): Held | undefined {
    const at = this.queue.findIndex(({ kind }) => kind !== heldBack);
    return at === -1 ? undefined : this.queue.splice(at, 1)[0];
  }

  /** Whether an event of this kind waits to be handled again. */
  holds(kind: string): boolean {
    return this.queue.some((event) => event.kind === kind);
  }

  /** What is asked for takes effect at the end of the transition. */
  ask(what: SetTimer): void {
    this.#asked.push(what);
  }

  /** As `ask`, but any other word of this transition counts more. */
  askFirst(what: SetTimer): void {
    this.#asked.unshift(what);
  }

  /** The end of a transition. As in OTP timers start from behind: of two with the same time the last one fires first. */
  #apply(): void {
    if (this.#asked.length === 0) return;
    const seen = new Set<string>();
    const zero: Timer[] = [];
    for (const one of this.#asked.toReversed()) {
      const key = keyOf(one);
      if (seen.has(key)) continue;
      seen.add(key);
      const timer = this.#set(key, one);
      if (timer) zero.unshift(timer);
    }
    this.#asked = [];
    this.#zero.push(...zero);
  }

  /** As `ask`, for those who are in no transition: time 0 comes after the messages that wait. */
  setNow(what: SetTimer): void {
    const timer = this.#set(keyOf(what), what);
    if (timer) this.#deliver(timer);
  }

  /** Returns a timer that does not run, because its time is over. */
  #set(key: string, asked: SetTimer): Timer | undefined {
    const running = this.#running.get(key);
    if (asked.after === "update" && running) {
      running.content = asked.content;
      return undefined;
    }
    this.cancel(key);
    if (asked.after === Infinity) return undefined;
    const timer = new Timer(asked.timer, asked.name, asked.content);
    this.#running.set(key, timer);
    if (asked.after === 0 || asked.after === "update") return timer;
    timer.ref = clock.setTimeout(() => this.#deliver(timer), asked.after);
    return undefined;
  }

  /** By kind, or `timer` and a name. */
  cancel(key: string): void {
    const timer = this.#running.get(key);
    if (!timer) return;
    this.#running.delete(key);
    if (timer.ref !== undefined) clock.clearTimeout(timer.ref);
    else this.#zero = this.#zero.filter((one) => one !== timer);
  }

  cancelAll(): void {
    for (const key of [...this.#running.keys()]) this.cancel(key);
    this.#asked = [];
    this.#inserted = [];
  }

  /** Takes a timer that has run out; false when it was cancelled or set again meanwhile. */
  expire(timer: Timer): boolean {
    const key = keyOf(timer);
    if (this.#running.get(key) !== timer) return false;
    this.#running.delete(key);
    return true;
  }

  /** The next timeout of zero. */
  #takeZero(): StatemEvent | undefined {
    const timer = this.#zero.shift();
    if (!timer) return undefined;
    this.#running.delete(keyOf(timer));
    return timer.event;
  }

  /** What runs, for `getStatus`. */
  get timers(): { readonly timer: TimerKind; readonly name: string; readonly content: unknown }[] {
    return [...this.#running.values()].map(({ timer, name, content }) => ({ timer, name, content }));
  }
}
