/**
 * Against a flood of reports: of one kind only so many a second are written, the rest is counted and told in
 * one line. A client that makes ten thousand connections crash must not fill the disk.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { LineLevel } from "./levels.js";

const PER_SECOND = 10;
const WINDOW = 1000;
/** Kinds that are told apart within one second; what is over shares one, so that nothing grows without end. */
const KINDS = 64;

/** The kind of everything for which there is no room. */
const OTHER = "other";

/** What was held back in one second. */
export interface Surplus {
  readonly kind: string;
  readonly level: LineLevel;
  readonly more: number;
}

interface Seen {
  readonly level: LineLevel;
  count: number;
}

export class Flood {
  readonly #seen = new Map<string, Seen>();
  readonly #summarise: (surplus: Surplus) => void;
  #timer: TimerRef | undefined = undefined;

  constructor(summarise: (surplus: Surplus) => void) {
    this.#summarise = summarise;
  }

  /** Whether one more of this kind is written. */
  admits(kind: string, level: LineLevel): boolean {
    const key = this.#seen.has(kind) || this.#seen.size < KINDS ? kind : OTHER;
    const seen = this.#seen.get(key) ?? { level, count: 0 };
    this.#seen.set(key, seen);
    seen.count++;
    this.#timer ??= clock.setTimeout(() => this.flush(), WINDOW, true);
    return seen.count <= PER_SECOND;
  }

  /** Ends the second: tells what was held back. */
  flush(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const seen = [...this.#seen];
    this.#seen.clear();
    for (const [kind, { level, count }] of seen) {
      if (count > PER_SECOND) this.#summarise({ kind, level, more: count - PER_SECOND });
    }
  }
}
