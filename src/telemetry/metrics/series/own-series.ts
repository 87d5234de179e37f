/** Series of the metrics and close reasons of protocols: sums over all workers. */
import {
  labelValues,
  type MetricDefinition,
  metricLength,
  OTHER,
  type OwnLayout,
  seriesCount,
  seriesWidth,
} from "../../../tcp/metrics/definition.js";
import type { WorkerTotals } from "../worker-totals.js";
import type { Sample, SeriesRow } from "./series-row.js";

type Workers = ReadonlyMap<number, WorkerTotals>;

/** Of one place in the numbers, over all workers. */
function sumAt(workers: Workers, at: number): number {
  let sum = 0;
  for (const { own } of workers.values()) sum += own.value(at);
  return sum;
}

export function ownSeries({ metrics }: OwnLayout): SeriesRow[] {
  let next = 0;
  return metrics.map((definition) => {
    const first = next;
    next += metricLength(definition);
    const { name, help, kind } = definition;
    const labels = definition.labels.map(([label]) => label);
    return {
      ...{ name, help, kind, labels: kind === "histogram" ? [...labels, "le"] : labels },
      samples: ({ workers }) => samplesOf(definition, (at) => sumAt(workers, first + at)),
    };
  });
}

function samplesOf(definition: MetricDefinition, number: (at: number) => number): Sample[] {
  const width = seriesWidth(definition);
  return Array.from({ length: seriesCount(definition) }, (_, at) => at).flatMap((at) => {
    const labels = labelValues(definition, at);
    const numbers = Array.from({ length: width }, (_, index) => number(at * width + index));
    // What should not occur has no series until it does.
    if (labels.includes(OTHER) && numbers.every((one) => one === 0)) return [];
    return definition.kind === "histogram"
      ? bucketSamples(definition, labels, numbers)
      : [[labels, numbers[0] as number]];
  });
}

function bucketSamples(
  { buckets }: MetricDefinition,
  labels: string[],
  numbers: readonly number[],
): Sample[] {
  let count = 0;
  const cumulative = [...buckets, "+Inf"].map((bound, at): Sample => {
    count += numbers[at] as number;
    return [[...labels, bound], count, "_bucket"];
  });
  return [...cumulative, [labels, numbers.at(-1) as number, "_sum"], [labels, count, "_count"]];
}

/** Places of the own reasons of one listener. */
export function ownReasonsAt(
  { metrics, reasons }: OwnLayout,
  listener: number,
): (readonly [string, number])[] {
  let at = metrics.reduce((sum, definition) => sum + metricLength(definition), 0);
  for (const { length } of reasons.slice(0, listener)) at += length;
  return (reasons[listener] ?? []).map((reason, index) => [reason, at + index] as const);
}

/** Adds the own reasons of each listener to `row`, and takes them from `stopped`, which counts them as well. */
export function withOwnReasons(row: SeriesRow, layout: OwnLayout): SeriesRow {
  if (layout.reasons.every(({ length }) => length === 0)) return row;
  return {
    ...row,
    samples: (state) => {
      const own = new Map<string, number>();
      const added = [...state.workers].flatMap(([worker, totals]) =>
        state.listeners.flatMap(({ name }, listener) =>
          ownReasonsAt(layout, listener).map(([reason, at]): Sample => {
            const value = totals.own.value(at);
            own.set(`${worker} ${name}`, (own.get(`${worker} ${name}`) ?? 0) + value);
            return [[worker, name, reason], value];
          }),
        ),
      );
      const others = row.samples(state).map((sample): Sample => {
        const [[worker, name, reason], value] = sample;
        return reason === "stopped" ? [sample[0], value - (own.get(`${worker} ${name}`) ?? 0)] : sample;
      });
      return [...others, ...added];
    },
  };
}

/** The counts by reason, with own reasons in place of `stopped`; without those that did not occur. */
export function closedByOwn(
  closedBy: Readonly<Record<string, number>>,
  workers: readonly WorkerTotals[],
  layout: OwnLayout | undefined,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { ...closedBy };
  for (const [listener] of layout?.reasons.entries() ?? [])
    for (const [reason, at] of ownReasonsAt(layout as OwnLayout, listener))
      for (const { own } of workers) {
        counts[reason] = (counts[reason] ?? 0) + own.value(at);
        counts.stopped = (counts.stopped ?? 0) - own.value(at);
      }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
