/** What the charts draw: one sample for each second of the last quarter of an hour. */
import type { Stats } from "../../../cluster/control.js";
import { Ring } from "./ring.js";

/** Seconds that a chart shows at most. */
export const SPAN = 15 * 60;
const LEAST_SPAN = 60;
/** Milliseconds without a word after which a rate would be an average over a hole. */
const HOLE = 3_500;

/** `null`: not known at that time; a line has a gap there. */
export interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly active: number | null;
  /** Per second, as the rates below. */
  readonly framesIn: number | null;
  readonly framesOut: number | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  /** Milliseconds, of the worker whose loop is slowest. */
  readonly lag: number | null;
  /** Bytes resident, of all workers. */
  readonly memory: number | null;
  readonly restarts: number | null;
}

export type Measure = Exclude<keyof Sample, "at">;

export class History {
  readonly #samples = new Ring<Sample>(SPAN + 30);
  #last: Stats | undefined = undefined;

  push(stats: Stats): void {
    const last = this.#last;
    this.#last = stats;
    // Totals that fell are those of another program.
    const follows =
      last !== undefined &&
      stats.at - last.at < HOLE &&
      stats.at > last.at &&
      stats.totals.accepted >= last.totals.accepted;
    if (last !== undefined && !follows) this.#samples.push(nothing(stats.at / 1000 - 0.5));
    this.#samples.push(sample(stats, follows ? last : undefined));
  }

  /** Seconds that a chart shows: as many as there are, within bounds. */
  get span(): number {
    const first = this.#samples.oldest();
    const last = this.latest();
    return first && last ? Math.min(SPAN, Math.max(LEAST_SPAN, last.at - first.at)) : LEAST_SPAN;
  }

  latest(): Sample | undefined {
    return this.#samples.newest(1)[0];
  }

  /** Times and so many lines, as uPlot takes them. */
  columns(measures: readonly Measure[]): (number | null)[][] {
    const samples = this.#samples.toArray();
    return [samples.map(({ at }) => at), ...measures.map((measure) => samples.map((one) => one[measure]))];
  }
}

function sample({ at, totals, workers }: Stats, last: Stats | undefined): Sample {
  const rate = (name: "framesReceived" | "framesSent" | "bytesReceived" | "bytesSent") =>
    last === undefined ? null : Math.max(0, ((totals[name] - last.totals[name]) * 1000) / (at - last.at));
  return {
    at: at / 1000,
    active: totals.active,
    framesIn: rate("framesReceived"),
    framesOut: rate("framesSent"),
    bytesIn: rate("bytesReceived"),
    bytesOut: rate("bytesSent"),
    lag: workers.length === 0 ? null : Math.max(...workers.map(({ loopLagMs }) => loopLagMs)),
    memory: workers.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
    restarts: totals.restarts,
  };
}

function nothing(at: number): Sample {
  const none = null;
  return {
    at,
    active: none,
    framesIn: none,
    framesOut: none,
    bytesIn: none,
    bytesOut: none,
    lag: none,
    memory: none,
    restarts: none,
  };
}
