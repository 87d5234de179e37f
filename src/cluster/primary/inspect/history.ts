/**
 * The last quarter of an hour in numbers, a row for each second, for whoever comes to look in the middle of an
 * incident. It is made of what workers have told already and asks nobody; its memory is taken once.
 */

import { HISTORY_COLUMNS, type Stats, type StatsHistory } from "../../../control/stats.js";
import { clock, type TimerRef, wallTime } from "../../../otp/time/clock.js";

/** Rows that are kept. */
const ROWS = 15 * 60;
/** Between two rows, in milliseconds. */
const EVERY = 1_000;
const WIDTH = HISTORY_COLUMNS.length;

export class History {
  readonly #stats: () => Stats;
  /** A ring: row n has its place at n modulo `ROWS`, and begins with NaN where nothing was seen. */
  readonly #numbers = new Float64Array(ROWS * WIDTH);
  /** Of row 0, by the clock that never goes back. */
  #begunAt = 0;
  /** Number of the row after the last. */
  #next = 0;
  #timer: TimerRef = undefined;

  constructor(stats: () => Stats) {
    this.#stats = stats;
  }

  /** Takes the first row at once, and then one each second until it is stopped. */
  start(): void {
    this.#begunAt = clock.now();
    this.#take();
  }

  stop(): void {
    clock.clearTimeout(this.#timer);
  }

  get rows(): StatsHistory {
    const first = Math.max(0, this.#next - ROWS);
    // From where it is by now: when somebody sets the wall clock, all rows move with it.
    const from = Math.round(wallTime() - (clock.now() - this.#begunAt - first * EVERY));
    const rows = Array.from({ length: this.#next - first }, (_, at) => this.#row(first + at));
    return { from, everyMs: EVERY, columns: HISTORY_COLUMNS, rows };
  }

  #row(row: number): readonly number[] | null {
    const at = (row % ROWS) * WIDTH;
    const numbers = this.#numbers.subarray(at, at + WIDTH);
    return Number.isNaN(numbers[0]) ? null : [...numbers];
  }

  #take(): void {
    const row = Math.round((clock.now() - this.#begunAt) / EVERY);
    // Seconds in which this OS process stood still, or was frozen together with the machine.
    for (let missed = Math.max(this.#next, row - ROWS); missed < row; missed++) this.#put(missed, undefined);
    this.#put(row, this.#stats());
    this.#next = row + 1;
    // By the row and not by the last time: seconds that are each a little late would add up.
    const due = this.#begunAt + this.#next * EVERY;
    this.#timer = clock.setTimeout(() => this.#take(), due - clock.now(), true);
  }

  #put(row: number, stats: Stats | undefined): void {
    const at = (row % ROWS) * WIDTH;
    const sums = stats && sumsOf(stats);
    for (const [column, name] of HISTORY_COLUMNS.entries())
      this.#numbers[at + column] = sums?.[name] ?? Number.NaN;
  }
}

function sumsOf({ totals, workers }: Stats): Record<(typeof HISTORY_COLUMNS)[number], number> {
  let [loopLagMs, residentBytes] = [0, 0];
  for (const worker of workers) {
    loopLagMs = Math.max(loopLagMs, worker.loopLagMs);
    residentBytes += worker.residentBytes;
  }
  // As exact as anybody can read it, and a tenth of the text.
  return { ...totals, loopLagMs: Math.round(loopLagMs * 10) / 10, residentBytes };
}
