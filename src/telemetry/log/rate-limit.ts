/**
 * Rate limit for log lines: 10 of one kind per second are written, the rest is counted and summarised in one
 * line. A client that makes ten thousand connections crash must not fill the disk.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { LineLevel } from "./levels.js";

const MAX_PER_WINDOW = 10;
const WINDOW_MS = 1000;
/** Maximum number of kinds counted separately within one second, so that memory is bounded. */
const MAX_KINDS = 64;

/** Shared by all kinds beyond that maximum. */
const OTHER = "other";

/** Lines of one kind that were suppressed in one second. */
export interface Suppressed {
  readonly kind: string;
  readonly level: LineLevel;
  readonly count: number;
}

interface Window {
  readonly level: LineLevel;
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
  allows(kind: string, level: LineLevel): boolean {
    const key = this.#windows.has(kind) || this.#windows.size < MAX_KINDS ? kind : OTHER;
    const window = this.#windows.get(key) ?? { level, count: 0 };
    this.#windows.set(key, window);
    window.count++;
    this.#timer ??= clock.setTimeout(() => this.flush(), WINDOW_MS, true);
    return window.count <= MAX_PER_WINDOW;
  }

  /** Ends the window and reports what was suppressed in it. */
  flush(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const windows = [...this.#windows];
    this.#windows.clear();
    for (const [kind, { level, count }] of windows) {
      if (count > MAX_PER_WINDOW) this.#summarise({ kind, level, count: count - MAX_PER_WINDOW });
    }
  }
}
