// Charts of the HTML report: latency distribution, capacity, and figures over time.
import { lineChart, type Mark, type Series } from "../../chart/line-chart.js";
import { linear, logarithmic, nines, span } from "../../chart/scale.js";
import type { Histogram } from "../both-sides/histogram.js";
import type { Step } from "../coordinator/capacity-ramp.js";
import type { Point } from "../coordinator/timeline.js";
import { duration } from "./format.js";

const A = "var(--a)";
const B = "var(--b)";
const C = "var(--c)";
const BAD = "var(--bad)";

/** `50k` for 50,000: short enough for an axis. */
function compact(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  return value >= 1e3 ? `${Number((value / 1e3).toPrecision(3))}k` : `${Number(value.toPrecision(3))}`;
}

function shortTime(ms: number): string {
  return duration(ms).replace(/\.00 s$/, " s");
}

/** The highest percentile with at least two samples above it: the p99.9 of 200 samples would be their maximum. */
export function highestPercentile(count: number): number {
  return [99.999, 99.99, 99.9, 99, 90].find((percent) => count * (1 - percent / 100) >= 2) ?? 90;
}

export function distribution(latency: Histogram): string {
  const last = highestPercentile(latency.count);
  const depth = -Math.log10(1 - last / 100);
  const percents = Array.from({ length: 121 }, (_, i) => 100 * (1 - 10 ** ((-depth * i) / 120)));
  const points = percents.map((percent) => [percent, latency.percentile(percent)] as const);
  const [low, high] = [points[0]![1], points.at(-1)![1]];
  return lineChart({
    label: `Latency by percentile, from ${duration(low)} to ${duration(high)} at p${last}`,
    series: [{ name: "latency", color: A, points }],
    x: nines(last),
    y: logarithmic(low, high),
    formatX: (percent) => `p${percent}`,
    formatY: shortTime,
  });
}

export function rates(points: Point[], unit: string): string {
  const values = points.map(({ second, rate }) => [second, rate] as const);
  const most = Math.max(...points.map(({ rate }) => rate));
  return overTime(points, {
    label: `${unit} per second over time, maximum ${compact(most)}`,
    series: [{ name: `${unit}/s`, color: A, points: values }],
    y: linear(most),
    formatY: compact,
  });
}

export function latenciesOverTime(points: Point[]): string {
  const of = (key: "p50" | "p99" | "max") => points.map((point) => [point.second, point[key]] as const);
  const seen = points.flatMap(({ p50, max }) => (p50 === undefined || max === undefined ? [] : [p50, max]));
  return overTime(points, {
    label: "Median, p99 and maximum latency over time",
    series: [
      { name: "p50", color: A, points: of("p50") },
      { name: "p99", color: B, points: of("p99") },
      { name: "max", color: C, points: of("max") },
    ],
    y: logarithmic(Math.min(...seen), Math.max(...seen)),
    formatY: shortTime,
  });
}

export function connectionsOverTime(points: Point[]): string {
  const values = points.map(({ second, open }) => [second, open] as const);
  const most = Math.max(...points.map(({ open }) => open));
  return overTime(points, {
    label: `Open connections over time, maximum ${compact(most)}`,
    series: [{ name: "open connections", color: C, points: values }],
    y: linear(most),
    formatY: compact,
  });
}

/** CPU use of the server in each second, 1 = one core. */
export function serverCpu(points: Point[]): string | undefined {
  const values = points.flatMap(({ second, cpuSeconds }, i) => {
    const before = points[i - 1];
    if (cpuSeconds === undefined || before?.cpuSeconds === undefined) return [];
    const seconds = second - before.second;
    return seconds > 0 ? [[second, (cpuSeconds - before.cpuSeconds) / seconds] as const] : [];
  });
  if (values.length === 0) return undefined;
  return overTime(points, {
    label: "CPU use of the server over time",
    series: [{ name: "server CPUs", color: B, points: values }],
    y: linear(Math.max(...values.map(([, cpu]) => cpu))),
    formatY: (value) => `${Number(value.toFixed(2))}`,
  });
}

export function capacity(steps: Step[]): string {
  const of = (key: "p50" | "p99") => steps.map((step) => [step.rate, step[key]] as const);
  const broken = steps.find(({ held }) => !held);
  const all = steps.flatMap(({ p50, p99 }) => [p50, p99]);
  const marks: Mark[] = broken ? [{ x: broken.rate, text: "first rate that fails", color: BAD }] : [];
  return lineChart({
    label: "Median and p99 latency at each rate",
    series: [
      { name: "p50", color: A, points: of("p50") },
      { name: "p99", color: B, points: of("p99") },
    ],
    x: span(Math.max(...steps.map(({ rate }) => rate))),
    y: logarithmic(Math.min(...all), Math.max(...all)),
    formatX: compact,
    formatY: shortTime,
    marks,
  });
}

interface OverTime {
  label: string;
  series: Series[];
  y: ReturnType<typeof linear>;
  formatY(value: number): string;
}

function overTime(points: Point[], chart: OverTime): string {
  const x = span(points.at(-1)?.second ?? 1);
  return lineChart({
    ...chart,
    x,
    formatX: (second) => `${Number(second.toFixed(1))} s`,
    marks: incidents(points),
  });
}

function incidents(points: Point[]): Mark[] {
  return points.flatMap(({ second, restarts, errors }, i) => {
    const failed = errors > (points[i - 1]?.errors ?? 0);
    if (restarts) return [{ x: second, text: failed ? "restart, errors" : "restart", color: BAD }];
    return failed ? [{ x: second, text: "errors", color: BAD }] : [];
  });
}
