/**
 * Definitions of the metrics and close reasons of protocols, as data: the primary, which runs no code of the user, gets
 * them at the start, and with them knows the layout of the numbers that workers send. Closed: no client can add a series.
 */

export type MetricKind = "counter" | "gauge" | "histogram";

/** Values of a label that were not declared are counted under this one. */
export const OTHER = "other";

export interface MetricDefinition {
  /** `tracker_logins_total` */
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  /** Names and declared values. */
  readonly labels: readonly (readonly [name: string, values: readonly string[]])[];
  /** Upper bounds of a histogram, ascending; else empty. */
  readonly buckets: readonly number[];
}

/** The numbers of one OS process beside those of drover: metrics in this order, then the reasons of each listener. */
export interface OwnLayout {
  readonly metrics: readonly MetricDefinition[];
  /** In the order of the listeners. */
  readonly reasons: readonly (readonly string[])[];
}

/** Numbers of one series: of a histogram one count per bucket, the count above all of them, and the sum. */
export function seriesWidth({ kind, buckets }: Pick<MetricDefinition, "kind" | "buckets">): number {
  return kind === "histogram" ? buckets.length + 2 : 1;
}

/** Number of series, those of `other` included. */
export function seriesCount({ labels }: Pick<MetricDefinition, "labels">): number {
  return labels.reduce((count, [, values]) => count * (values.length + 1), 1);
}

export function metricLength(definition: MetricDefinition): number {
  return seriesCount(definition) * seriesWidth(definition);
}

export function layoutLength({ metrics, reasons }: OwnLayout): number {
  const numbers = metrics.reduce((sum, definition) => sum + metricLength(definition), 0);
  return reasons.reduce((sum, { length }) => sum + length, numbers);
}

/** Label values of a series. @param at its number */
export function labelValues({ labels }: Pick<MetricDefinition, "labels">, at: number): string[] {
  let rest = at;
  return labels.map(([, values]) => {
    const value = values[rest % (values.length + 1)] ?? OTHER;
    rest = Math.floor(rest / (values.length + 1));
    return value;
  });
}

/** `tracker` and `loginsFailed` become `tracker_logins_failed_total`. */
export function metricName(protocol: string, key: string, kind: MetricKind): string {
  const snake = key.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  const total = kind === "counter" && !snake.endsWith("_total") ? "_total" : "";
  return `${protocol.replaceAll("-", "_")}_${snake}${total}`;
}
