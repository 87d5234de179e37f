/**
 * Rate limit for log lines: 10 of one kind per second (or the kind's own limit) are written, the rest is counted and
 * summarised in one line. A client that makes ten thousand connections crash must not fill the disk.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { LineLevel } from "./levels.js";

/** Limit of a kind: so many lines within so many milliseconds. */
export interface Limit {
  readonly lines: number;
  readonly windowMs: number;
}

const DEFAULT: Limit = { lines: 10, windowMs: 1000 };
/** Interval at which windows are closed, in milliseconds. */
const CHECK_EVERY = 1000;
/** Maximum number of kinds counted separately at the same time, so that memory is bounded. */
const MAX_KINDS = 64;

/** Shared by all kinds beyond that maximum. */
const OTHER = "other";

/** Lines of one kind that were suppressed in one window. */
export interface Suppressed {
  readonly kind: string;
  readonly level: LineLevel;
  readonly count: number;
  readonly windowMs: number;
}

interface Window {
  readonly level: LineLevel;
  readonly limit: Limit;
  readonly began: number;
  count: number;
}

export class RateLimit {
  readonly #windows = new Map<string, Window>();
  readonly #summarise: (suppressed: Suppressed) => void;
  #timer: TimerRef | undefined = undefined;

  constructor(summarise: (suppressed: Suppressed) => void) {
    this.#summarise = summarise;
  }

  /** Counts one more line of this kind; says whether it is within the limit. */
  allows(kind: string, level: LineLevel, limit = DEFAULT): boolean {
    const key = this.#windows.has(kind) || this.#windows.size < MAX_KINDS ? kind : OTHER;
    const window = this.#windows.get(key) ?? { level, limit, began: clock.now(), count: 0 };
    this.#windows.set(key, window);
    window.count++;
    this.#timer ??= clock.setTimeout(() => this.#check(), CHECK_EVERY, true);
    return window.count <= window.limit.lines;
  }

  #check(): void {
    this.#timer = undefined;
    const now = clock.now();
    // Half an interval early at most: a timer may be late, and the window of one second would last two.
    this.#end(([, { began, limit }]) => now - began >= limit.windowMs - CHECK_EVERY / 2);
    if (this.#windows.size > 0) this.#timer ??= clock.setTimeout(() => this.#check(), CHECK_EVERY, true);
  }

  /** Ends all windows and reports what was suppressed in them. */
  flush(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#end(() => true);
  }

  #end(over: (window: [string, Window]) => boolean): void {
    const ended = [...this.#windows].filter(over);
    for (const [kind] of ended) this.#windows.delete(kind);
    for (const [kind, { level, count, limit }] of ended) {
      const { lines, windowMs } = limit;
      if (count > lines) this.#summarise({ kind, level, count: count - lines, windowMs });
    }
  }
}
