// Judgement of a soak: trends of all figures after the warm-up, and which of them pass their bar. Pure.
import { type Figures, growth, type Sample, slope } from "./trend.js";

/** The bars: memory of a worker per hour, and the last quarter beside the first. */
const SLOPE_MIB = 1;
const P99_GROWTH = 1.25;
const COUNTS = ["descriptors", "active timers"];
const SPARE = 5;
/** Below this one garbage collection, or one busy neighbour, decides slopes and p99: they are shown and not judged. */
const JUDGED_SECONDS = 1_800;

export interface Judgement {
  readonly lines: readonly string[];
  readonly violations: readonly string[];
}

export function judge(figures: Figures, seconds: number): Judgement {
  // Compiled code and pools grow at first: a fifth of the time, ten minutes at most.
  const warm = Math.min(seconds / 5, 600);
  const judged = seconds >= JUDGED_SECONDS;
  const [lines, violations] = [[] as string[], [] as string[]];
  for (const [figure, series] of figures)
    for (const [line, all] of series) {
      const samples = all.filter((one) => one.seconds >= warm);
      const [perHour, times] = [slope(samples), growth(samples)];
      const name = `${figure}: ${line}`;
      lines.push(
        `${name.padEnd(34)} ${perHour.toFixed(2)} an hour, last quarter ${times.toFixed(2)} of the first`,
      );
      if (judged && figure === "p99, ms" && times > P99_GROWTH)
        violations.push(`${name} grew ${times.toFixed(2)} times`);
      if (COUNTS.includes(figure) && rise(samples) > SPARE)
        violations.push(`${name} rose by ${Number(rise(samples).toFixed(1))}`);
      if (judged && figure.includes("MiB") && perHour > SLOPE_MIB)
        violations.push(`${name} grows by ${perHour.toFixed(2)} MiB an hour`);
    }
  if (seconds < JUDGED_SECONDS)
    lines.push(`memory and p99 are judged in runs of ${JUDGED_SECONDS / 60} minutes and more`);
  return { lines, violations };
}

/** Clients come and go, so the lowest of the last quarter stands beside the lowest of the first. */
function rise(samples: readonly Sample[]): number {
  const quarter = Math.max(1, samples.length >> 2);
  const least = (part: readonly Sample[]) => Math.min(...part.map(({ value }) => value));
  return least(samples.slice(-quarter)) - least(samples.slice(0, quarter));
}
