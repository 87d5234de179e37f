/** What the charts draw: the last quarter of an hour, as the server has kept it and as it goes on. */
import type { HISTORY_COLUMNS, Stats, StatsHistory } from "../../../control/stats.js";

/** Seconds that a chart shows at most. */
export const SPAN = 15 * 60;
const LEAST_SPAN = 60;
/** Milliseconds without a word after which a rate would be an average over a hole. */
const HOLE = 3_500;
/** Closer than this and a rate would be what a worker has told in a second, over a moment. */
const CLOSE = 500;
/** Milliseconds that are kept: no chart begins with a gap because a second is a little long. */
const KEPT = (SPAN + 30) * 1000;

/** What was told at one time, `at` in milliseconds since 1970. */
type Point = Readonly<Record<(typeof HISTORY_COLUMNS)[number] | "at", number>>;

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
  /** Oldest first. */
  #points: readonly Point[] = [];
  /** Made of the points when somebody draws them. */
  #samples: readonly Sample[] | undefined = undefined;

  push(stats: Stats): void {
    const point = pointOf(stats);
    // Later ones are there when somebody has set the server's clock back.
    const before = this.#points.filter(({ at }) => at <= point.at - CLOSE);
    this.#keep([...before, point]);
  }

  /** Takes what the server has kept in place of what was told in that time; earlier and later stays as it is. */
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

  /** Of the oldest that is known: milliseconds since 1970. */
  get first(): number | undefined {
    return this.#points[0]?.at;
  }

  /** Seconds that a chart shows: as many as there are, within bounds. */
  get span(): number {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    return first && last ? Math.min(SPAN, Math.max(LEAST_SPAN, (last.at - first.at) / 1000)) : LEAST_SPAN;
  }

  latest(): Sample | undefined {
    return this.#drawn().at(-1);
  }

  /** Times and so many lines, as uPlot takes them. */
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

/** With what comes before it: a gap, when the two do not belong together. */
function samples(point: Point, before: Point | undefined): Sample[] {
  if (before === undefined) return [sample(point, undefined)];
  // Totals that fell are those of another program.
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
