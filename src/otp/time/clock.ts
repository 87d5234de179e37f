/**
 * Clock: the only source of time and timers. Tests replace it with a `ManualClock` and advance time themselves.
 * Monotonic: setting the system's wall clock has no effect.
 */
import { performance } from "node:perf_hooks";
import { hasRunnable } from "../process/scheduler.js";
import { LONGEST_STEP, LongTimer } from "./long-timer.js";

/** A timer, for `clearTimeout`. */
export type TimerRef = unknown;

export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /**
   * Calls `callback` once, `ms` milliseconds from now, however many they are. A `background` timer does not keep the
   * OS process alive.
   */
  setTimeout(callback: () => void, ms: number, background?: boolean): TimerRef;
  clearTimeout(timer: TimerRef): void;
}

/** Imports `performance`: the global of that name is an accessor, which costs as much as reading the clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms, background) => {
    if (ms > LONGEST_STEP) return new LongTimer(callback, ms, background ?? false);
    const timer = setTimeout(callback, ms);
    return background ? timer.unref() : timer;
  },
  clearTimeout: (timer) => {
    if (timer instanceof LongTimer) timer.clear();
    else clearTimeout(timer as NodeJS.Timeout);
  },
};

/** The clock in use. */
export let clock: Clock = systemClock;

/** Replaces the clock. @returns a function that restores the previous one */
export function useClock(next: Clock): () => void {
  const before = clock;
  clock = next;
  return () => {
    clock = before;
  };
}

const MACHINE_OFFSET = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds on the monotonic clock of the machine: the same in all its OS processes, but not on another machine. */
export function machineTime(): number {
  return performance.now() + MACHINE_OFFSET;
}

/** Wall-clock milliseconds, for display; never for arithmetic. */
export function wallTime(): number {
  return Date.now();
}

interface ManualTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock for tests: time passes only in `advance`. */
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
    // Behind timers of the same time: those fire in the order in which they were set.
    const later = this.#timers.findIndex((other) => other.at > timer.at);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    return timer;
  }

  clearTimeout(timer: TimerRef): void {
    const at = this.#timers.indexOf(timer as ManualTimer);
    if (at !== -1) this.#timers.splice(at, 1);
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Advances by `ms`: fires due timers in order, and lets processes react to each before the next. */
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

/** Event loop turns after which `settle` gives up on processes that never stop sending. */
const MAX_TURNS = 100;

/** Waits until nothing more happens without time passing. */
export async function settle(): Promise<void> {
  // Messages run in microtasks, long run queues continue in the next turn, and a promise may take several.
  for (let quiet = 0, turn = 0; quiet < 4 && turn < MAX_TURNS; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = hasRunnable() ? 0 : quiet + 1;
  }
}
