// Trend of a series of samples: least squares over the time after the warm-up, and what the bars allow.

export interface Sample {
  readonly seconds: number;
  readonly value: number;
}

/** By name of the figure and of the OS process. */
export type Figures = Map<string, Map<string, Sample[]>>;

/** Slope per hour. */
export function slope(samples: readonly Sample[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(samples.map(({ seconds }) => seconds));
  const height = mean(samples.map(({ value }) => value));
  const spread = samples.reduce((sum, { seconds }) => sum + (seconds - middle) ** 2, 0);
  const together = samples.reduce(
    (sum, { seconds, value }) => sum + (seconds - middle) * (value - height),
    0,
  );
  return spread > 0 ? (together / spread) * 3_600 : 0;
}

/** Median of the last quarter, divided by that of the first. */
export function growth(samples: readonly Sample[]): number {
  const quarter = Math.max(1, samples.length >> 2);
  const median = (part: readonly Sample[]) =>
    part.map(({ value }) => value).sort((a, b) => a - b)[part.length >> 1] ?? 0;
  return median(samples.slice(-quarter)) / Math.max(median(samples.slice(0, quarter)), 1e-9);
}
