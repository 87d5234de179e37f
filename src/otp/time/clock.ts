/**
 * The only place that knows what time it is. Everything that waits asks `clock`, so that a test can put a
 * `ManualClock` in its place and decide itself when a minute has passed.
 *
 * Monotonic: nothing here moves when somebody sets the wall clock.
 */
import { performance } from "node:perf_hooks";
import { waiting } from "../process/scheduler.js";

/** What `setTimeout` gives back; only to be handed to `clearTimeout`. */
export type TimerRef = unknown;

export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Calls `callback` once, `ms` milliseconds from now. A `background` timer does not keep the OS process alive. */
  setTimeout(callback: () => void, ms: number, background?: boolean): TimerRef;
  clearTimeout(timer: TimerRef): void;
}

/** Longer than this and the platform's timer fires at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Not the global of this name: node makes that one through an accessor, which costs as much as the reading. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms, background) => {
    const timer = setTimeout(callback, Math.min(ms, MAX_TIMEOUT));
    return background ? timer.unref() : timer;
  },
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** The clock in use. */
export let clock: Clock = systemClock;

/** Puts another clock in place; returns what puts the old one back. */
export function useClock(next: Clock): () => void {
  const before = clock;
  clock = next;
  return () => {
    clock = before;
  };
}

/** Wall-clock milliseconds, for people to read; never for arithmetic. */
export function wallTime(): number {
  return Date.now();
}

interface ManualTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now: number;
  #timers: ManualTimer[] = [];

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): TimerRef {
    const timer: ManualTimer = { at: this.#now + Math.max(0, ms), callback };
    // After those of the same time: equal timers fire in the order in which they were set.
    const later = this.#timers.findIndex((other) => other.at > timer.at);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    return timer;
  }

  clearTimeout(timer: TimerRef): void {
    const at = this.#timers.indexOf(timer as ManualTimer);
    if (at !== -1) this.#timers.splice(at, 1);
  }

  /** How many timers are waiting. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Goes on by `ms`, firing what comes due in order and letting the processes react to each before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let due = this.#timers[0]; due !== undefined && due.at <= end; due = this.#timers[0]) {
      this.#timers.shift();
      this.#now = due.at;
      due.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Turns of the event loop after which `settle` gives up on processes that never stop talking. */
const MAX_TURNS = 100;

/** Waits until everything that can happen without time passing has happened. */
export async function settle(): Promise<void> {
  // Messages run in microtasks, long queues continue in the next turn, and a promise may take a few.
  for (let quiet = 0, turn = 0; quiet < 4 && turn < MAX_TURNS; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = waiting() ? 0 : quiet + 1;
  }
}
