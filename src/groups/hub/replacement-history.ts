/** Names whose holder is replaced again and again: two clients have the same name, and their claims wait longer and longer. */
import { clock } from "../../otp/time/clock.js";

/** More replacements of one name within this many milliseconds: claims wait. */
const WITHIN = 10_000;
const AFTER = 4;
/** Milliseconds that claims of such a name wait: 1, 2, 4, 8 and 10 s. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 10_000;
/** A contested name is reported once in this many milliseconds; so many names are remembered. */
const REPORT_EVERY = 60_000;
const MOST_REPORTED = 100;
const NEVER: readonly number[] = [];

export class ReplacementHistory {
  /** When a name was replaced, oldest first. Most were once: an array takes 180 bytes and 1 us more. */
  readonly #times = new Map<string, number | readonly number[]>();
  readonly #reported = new Map<string, number>();
  #sweptAt = clock.now();
  /** Claims that waited. */
  contested = 0;

  /**
   * The holder of a name is replaced now.
   * @param waits whether the claim is one of this server, and can wait
   * @returns milliseconds that it waits
   */
  record(name: string, waits = true): number {
    const now = clock.now();
    this.#sweep(now);
    const before = this.#times.get(name) ?? NEVER;
    const times = (typeof before === "number" ? [before] : before).filter((at) => at > now - WITHIN);
    const more = times.length - AFTER;
    this.#times.set(name, times.length === 0 ? now : [...times, now]);
    if (more < 0 || !waits) return 0;
    this.contested++;
    return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** more);
  }

  /** Whether it is time to report that a name is contested. */
  isNews(name: string): boolean {
    const now = clock.now();
    const last = this.#reported.get(name);
    if (last !== undefined && now - last < REPORT_EVERY) return false;
    if (this.#reported.size >= MOST_REPORTED) this.#reported.clear();
    this.#reported.set(name, now);
    return true;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < WITHIN) return;
    this.#sweptAt = now;
    for (const [name, times] of this.#times) {
      const last = typeof times === "number" ? times : (times.at(-1) as number);
      if (last <= now - WITHIN) this.#times.delete(name);
    }
  }
}
