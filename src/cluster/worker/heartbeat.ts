/**
 * The worker's pulse: a timer that measures how late the loop turns, says so when it is very late, and moves a
 * number that the guardian, a thread of its own, sees standing still when the loop hangs.
 */
import { clock } from "../../otp/time/clock.js";
import type { Log } from "../../telemetry/log/log.js";

/** How often it beats, in milliseconds. */
const BEATS_EVERY = 100;
/** One line at most in so many milliseconds. */
const WARNS_EVERY = 10_000;

export class Heartbeat {
  /** One number, which goes up with every beat. */
  readonly shared = new Int32Array(new SharedArrayBuffer(4));
  readonly #log: Pick<Log, "warn">;
  readonly #warnAt: number;
  #beatAt = clock.now();
  #longest = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  /** @param warnAt so late is worth a line in the log, in milliseconds */
  constructor(log: Pick<Log, "warn">, warnAt: number) {
    this.#log = log;
    this.#warnAt = warnAt;
    this.#again();
  }

  /** The longest that the loop was late since this was asked last, in milliseconds. */
  takeLag(): number {
    const lag = Math.max(this.#longest, this.#late());
    this.#longest = 0;
    return lag;
  }

  #late(): number {
    return Math.max(0, clock.now() - this.#beatAt - BEATS_EVERY);
  }

  #again(): void {
    clock.setTimeout(() => this.#beat(), BEATS_EVERY, true);
  }

  #beat(): void {
    const late = this.#late();
    this.#beatAt = clock.now();
    Atomics.add(this.shared, 0, 1);
    this.#longest = Math.max(this.#longest, late);
    if (late >= this.#warnAt) this.#warn(late);
    this.#again();
  }

  #warn(late: number): void {
    const now = clock.now();
    if (now - this.#warnedAt < WARNS_EVERY) {
      this.#unsaid++;
      return;
    }
    const more = this.#unsaid > 0 ? `, and ${this.#unsaid} times more since it was last said` : "";
    const lagMs = Math.round(late);
    this.#log.warn(`the event loop stood still for ${lagMs} ms${more}: a handler computes for too long`, {
      lagMs,
    });
    this.#warnedAt = now;
    this.#unsaid = 0;
  }
}
