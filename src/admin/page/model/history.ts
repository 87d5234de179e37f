/** Data of the charts: the last 15 minutes, from the server's history and from the live stream. */
import type { HISTORY_COLUMNS, Stats, StatsHistory } from "../../../control/stats.js";

/** Maximum time span of a chart in seconds. */
export const SPAN = 15 * 60;
const LEAST_SPAN = 60;
/** A gap between two samples from which no rate is computed, in ms. */
const HOLE = 3_500;
/** Minimum distance of two samples in ms: workers report once a second, so a rate over less is wrong. */
const CLOSE = 500;
/** Milliseconds kept: 30 s more than a chart shows, so that it does not begin with a gap. */
const KEPT = (SPAN + 30) * 1000;

/** The counters at one time, `at` in milliseconds since 1970. */
type Point = Readonly<Record<(typeof HISTORY_COLUMNS)[number] | "at", number>>;

/** `null`: unknown at that time; the line has a gap. */
export interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly active: number | null;
  /** Rates per second. */
  readonly framesIn: number | null;
  readonly framesOut: number | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  /** Maximum event-loop lag of all workers in milliseconds. */
  readonly lag: number | null;
  /** Sum of the resident memory of all workers in bytes. */
  readonly memory: number | null;
  readonly restarts: number | null;
}

export type Measure = Exclude<keyof Sample, "at">;

export class History {
  /** Oldest first. */
  #points: readonly Point[] = [];
  /** Computed from the points on demand. */
  #samples: readonly Sample[] | undefined = undefined;

  push(stats: Stats): void {
    const point = pointOf(stats);
    // Later points exist when the server's clock was set back.
    const before = this.#points.filter(({ at }) => at <= point.at - CLOSE);
    this.#keep([...before, point]);
  }

  /** Replaces the points in the time span of the server's history; earlier and later ones stay. */
  merge({ from, everyMs, columns, rows }: StatsHistory): void {
    const kept = rows.flatMap((row, second) => {
      const numbers = columns.map((name, column) => [name, row?.[column]]);
      return row === null ? [] : [{ ...Object.fromEntries(numbers), at: from + second * everyMs } as Point];
    });
    const [first, last] = [kept[0], kept.at(-1)];
    if (!first || !last) return;
    const earlier = this.#points.filter(({ at }) => at <= first.at - CLOSE);
    const later = this.#points.filter(({ at }) => at >= last.at + CLOSE);
    this.#keep([...earlier, ...kept, ...later]);
  }

  #keep(points: readonly Point[]): void {
    const since = (points.at(-1)?.at ?? 0) - KEPT;
    this.#points = points.filter(({ at }) => at >= since);
    this.#samples = undefined;
  }

  /** Time of the oldest point in milliseconds since 1970. */
  get first(): number | undefined {
    return this.#points[0]?.at;
  }

  /** Time span of the charts in seconds. */
  get span(): number {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    return first && last ? Math.min(SPAN, Math.max(LEAST_SPAN, (last.at - first.at) / 1000)) : LEAST_SPAN;
  }

  latest(): Sample | undefined {
    return this.#drawn().at(-1);
  }

  /** The times and one column per measure, in the format of uPlot. */
  columns(measures: readonly Measure[]): (number | null)[][] {
    const samples = this.#drawn();
    return [samples.map(({ at }) => at), ...measures.map((measure) => samples.map((one) => one[measure]))];
  }

  #drawn(): readonly Sample[] {
    this.#samples ??= this.#points.flatMap((point, at) => samples(point, this.#points[at - 1]));
    return this.#samples;
  }
}

function pointOf({ at, totals, workers }: Stats): Point {
  return {
    ...totals,
    at,
    loopLagMs: Math.max(0, ...workers.map(({ loopLagMs }) => loopLagMs)),
    residentBytes: workers.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
  };
}

/** The sample of a point, after a gap when it does not continue the point before. */
function samples(point: Point, before: Point | undefined): Sample[] {
  if (before === undefined) return [sample(point, undefined)];
  // Totals that have fallen belong to a restarted program.
  const follows = point.at - before.at < HOLE && point.accepted >= before.accepted;
  return follows ? [sample(point, before)] : [gap((before.at + point.at) / 2), sample(point, undefined)];
}

function sample(point: Point, before: Point | undefined): Sample {
  const rate = (name: "framesReceived" | "framesSent" | "bytesReceived" | "bytesSent") =>
    before === undefined ? null : Math.max(0, ((point[name] - before[name]) * 1000) / (point.at - before.at));
  return {
    at: point.at / 1000,
    active: point.active,
    framesIn: rate("framesReceived"),
    framesOut: rate("framesSent"),
    bytesIn: rate("bytesReceived"),
    bytesOut: rate("bytesSent"),
    lag: point.loopLagMs,
    memory: point.residentBytes,
    restarts: point.restarts,
  };
}

function gap(at: number): Sample {
  const none = { active: null, lag: null, memory: null, restarts: null };
  return { ...none, framesIn: null, framesOut: null, bytesIn: null, bytesOut: null, at: at / 1000 };
}
