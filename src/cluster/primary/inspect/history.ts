/**
 * History: the last 15 minutes of counters and gauges, one row per second, for the charts of the observer page. It is
 * built from the snapshots that workers send anyway, in memory that is allocated once.
 */

import { HISTORY_COLUMNS, type Stats, type StatsHistory, type WorkerStats } from "../../../control/stats.js";
import { clock, type TimerRef, wallTime } from "../../../otp/time/clock.js";

/** Rows that are kept. */
const ROWS = 15 * 60;
/** Interval of the rows, in milliseconds. */
const EVERY = 1_000;
const WIDTH = HISTORY_COLUMNS.length;

/** What a row is made of; the rest of `Stats` would be read from the kernel each second for nothing. */
type Summed = Pick<Stats, "totals"> & {
  readonly workers: readonly Pick<WorkerStats, "loopLagMs" | "residentBytes">[];
};

export class History {
  readonly #stats: () => Summed;
  /** Ring buffer: row n is at n modulo `ROWS`, and begins with NaN when it was missed. */
  readonly #numbers = new Float64Array(ROWS * WIDTH);
  /** Time of row 0, by the monotonic clock. */
  #startedAt = 0;
  /** Number of the next row. */
  #next = 0;
  #timer: TimerRef = undefined;

  constructor(stats: () => Summed) {
    this.#stats = stats;
  }

  /** Takes the first row at once, then one every second. */
  start(): void {
    this.#startedAt = clock.now();
    this.#take();
  }

  stop(): void {
    clock.clearTimeout(this.#timer);
  }

  get rows(): StatsHistory {
    const first = Math.max(0, this.#next - ROWS);
    // Computed back from now: when the wall clock is set, all rows move with it.
    const from = Math.round(wallTime() - (clock.now() - this.#startedAt - first * EVERY));
    const rows = Array.from({ length: this.#next - first }, (_, at) => this.#row(first + at));
    return { from, everyMs: EVERY, columns: HISTORY_COLUMNS, rows };
  }

  #row(row: number): readonly number[] | null {
    const at = (row % ROWS) * WIDTH;
    const numbers = this.#numbers.subarray(at, at + WIDTH);
    return Number.isNaN(numbers[0]) ? null : [...numbers];
  }

  #take(): void {
    const row = Math.round((clock.now() - this.#startedAt) / EVERY);
    // Seconds in which this OS process was blocked or the machine was suspended.
    for (let missed = Math.max(this.#next, row - ROWS); missed < row; missed++) this.#put(missed, undefined);
    this.#put(row, this.#stats());
    this.#next = row + 1;
    // Computed from row 0: delays of single rows must not add up.
    const due = this.#startedAt + this.#next * EVERY;
    this.#timer = clock.setTimeout(() => this.#take(), due - clock.now(), true);
  }

  #put(row: number, stats: Summed | undefined): void {
    const at = (row % ROWS) * WIDTH;
    const sums = stats && sumsOf(stats);
    for (const [column, name] of HISTORY_COLUMNS.entries())
      this.#numbers[at + column] = sums?.[name] ?? Number.NaN;
  }
}

function sumsOf({ totals, workers }: Summed): Record<(typeof HISTORY_COLUMNS)[number], number> {
  let [loopLagMs, residentBytes] = [0, 0];
  for (const worker of workers) {
    loopLagMs = Math.max(loopLagMs, worker.loopLagMs);
    residentBytes += worker.residentBytes;
  }
  // One decimal: a tenth of the response size.
  return { ...totals, loopLagMs: Math.round(loopLagMs * 10) / 10, residentBytes };
}
