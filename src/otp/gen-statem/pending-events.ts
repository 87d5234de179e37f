/**
 * Pending events of a state machine: postponed and inserted events, and timers. Allocated at the first use: most
 * machines have none.
 *
 * Within one transition the last action for a timer wins: as in OTP, actions are processed from last to first, and
 * only the first of each timer counts. A timeout of 0 starts no timer: it joins a queue that is served when no other
 * event is pending, before the next message.
 */
import { clock, type TimerRef } from "../time/clock.js";
import type { SetTimer, StatemEvent, TimerKind } from "./actions.js";

/** A running timer; also the message in the mailbox when it fires. */
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

const pending = (event: StatemEvent): PendingEvent => ({ kind: event.type, content: event });
const keyOf = ({ timer, name }: Timer | SetTimer) => (timer === "timer" ? `timer ${name}` : timer);

/** Events of timers; `idle` is one of connections. */
const TIMEOUTS: readonly string[] = ["timeout", "state_timeout", "timer", "idle"];

/** A postponed or queued event. */
export interface PendingEvent {
  readonly kind: string;
  readonly content: unknown;
}

export class PendingEvents {
  /** Postponed until the state changes. */
  postponed: PendingEvent[] = [];
  /** Handled before any message. */
  queue: PendingEvent[] = [];
  readonly #deliver: (timer: Timer) => void;
  readonly #running = new Map<string, Timer>();
  /** Timeouts of 0, in the order in which they were set. */
  #zeroTimeouts: Timer[] = [];
  #requested: SetTimer[] = [];
  #inserted: StatemEvent[] = [];

  constructor(deliver: (timer: Timer) => void) {
    this.#deliver = deliver;
  }

  insert(event: StatemEvent): void {
    this.#inserted.push(event);
  }

  /** The state has changed: postponed events return to the front of the queue. */
  retryPostponed(): void {
    if (this.postponed.length === 0) return;
    this.queue = [...this.postponed, ...this.queue];
    this.postponed = [];
  }

  /**
   * The next event: inserted ones first, timeouts of 0 last. Requested timers take effect before.
   * @param heldBack events of this kind stay in the queue
   */
  next(heldBack?: string): PendingEvent | undefined {
    if (this.#inserted.length > 0) this.queue = [...this.#inserted.splice(0).map(pending), ...this.queue];
    this.#applyRequested();
    const queued = heldBack === undefined ? this.queue.shift() : this.#takeOther(heldBack);
    if (queued) return queued;
    const timeout = this.#takeZeroTimeout();
    return timeout && pending(timeout);
  }

  /** The first event of another kind. */
  #takeOther(heldBack: string): PendingEvent | undefined {
    const index = this.queue.findIndex(({ kind }) => kind !== heldBack);
    return index === -1 ? undefined : this.queue.splice(index, 1)[0];
  }

  /** Whether an event of this kind is in the queue. */
  holds(kind: string): boolean {
    return this.queue.some((event) => event.kind === kind);
  }

  /** Requests a timer; takes effect at the end of the transition. */
  requestTimer(action: SetTimer): void {
    this.#requested.push(action);
  }

  /** As `requestTimer`, but any other request for this timer in the transition overrides it. */
  requestDefaultTimer(action: SetTimer): void {
    this.#requested.unshift(action);
  }

  /** Ends a transition. As in OTP timers start from last to first: of two with the same time the last one fires first. */
  #applyRequested(): void {
    if (this.#requested.length === 0) return;
    const seen = new Set<string>();
    const zero: Timer[] = [];
    for (const action of this.#requested.toReversed()) {
      const key = keyOf(action);
      if (seen.has(key)) continue;
      seen.add(key);
      const timer = this.#set(key, action);
      if (timer) zero.unshift(timer);
    }
    this.#requested = [];
    this.#zeroTimeouts.push(...zero);
  }

  /** Sets a timer outside any transition: a timeout of 0 comes after the messages in the mailbox. */
  setTimer(action: SetTimer): void {
    const timer = this.#set(keyOf(action), action);
    if (timer) this.#deliver(timer);
  }

  /** @returns the timer if it fires at once, and so was not started */
  #set(key: string, action: SetTimer): Timer | undefined {
    const running = this.#running.get(key);
    if (action.after === "update" && running) {
      running.content = action.content;
      return undefined;
    }
    this.cancel(key);
    if (action.after === Infinity) return undefined;
    const timer = new Timer(action.timer, action.name, action.content);
    this.#running.set(key, timer);
    if (action.after === 0 || action.after === "update") return timer;
    timer.ref = clock.setTimeout(() => this.#deliver(timer), action.after);
    return undefined;
  }

  /** The key is the kind, or `timer` and the name. */
  cancel(key: string): void {
    const timer = this.#running.get(key);
    if (!timer) return;
    this.#running.delete(key);
    if (timer.ref !== undefined) clock.clearTimeout(timer.ref);
    else this.#zeroTimeouts = this.#zeroTimeouts.filter((one) => one !== timer);
  }

  cancelAll(): void {
    for (const key of [...this.#running.keys()]) this.cancel(key);
    this.#requested = [];
    this.#inserted = [];
  }

  /** Drops timers that have expired and whose events were postponed. */
  dropTimeouts(): void {
    const remains = ({ kind }: PendingEvent) => !TIMEOUTS.includes(kind);
    this.queue = this.queue.filter(remains);
    this.postponed = this.postponed.filter(remains);
  }

  /** Removes a timer that has fired. @returns false when it was cancelled or set again meanwhile */
  expire(timer: Timer): boolean {
    const key = keyOf(timer);
    if (this.#running.get(key) !== timer) return false;
    this.#running.delete(key);
    return true;
  }

  #takeZeroTimeout(): StatemEvent | undefined {
    const timer = this.#zeroTimeouts.shift();
    if (!timer) return undefined;
    this.#running.delete(keyOf(timer));
    return timer.event;
  }

  /** Running timers, for `sys.getStatus`. */
  get timers(): { readonly timer: TimerKind; readonly name: string; readonly content: unknown }[] {
    return [...this.#running.values()].map(({ timer, name, content }) => ({ timer, name, content }));
  }
}
