// Conditions on the result of a run, such as 'p99<5ms,errors=0,rate>50000': for --expect (CI) and --until (ramp).
import { ERROR_KINDS, type ErrorKind, errorTotal, type LoadResult, perSecond } from "../both-sides/result.js";
import { UsageError } from "./values.js";

const LATENCY = /^(?:p(\d{1,2}(?:\.\d+)?|100)|max|mean)$/;
const COUNTS = ["errors", "rate", "connections", "proven", "wrong-bytes", "cut-off", "capacity"] as const;
const OPERATORS: Record<string, (a: number, b: number) => boolean> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => a === b,
};
const UNITS: Record<string, number> = { us: 0.001, µs: 0.001, ms: 1, s: 1_000 };

export interface Expectation {
  /** As it was typed. */
  text: string;
  metric: string;
  operator: string;
  /** Milliseconds, or a count. */
  value: number;
}

export interface Verdict {
  expectation: Expectation;
  held: boolean;
  /** What was measured, undefined if nothing was. */
  actual: number | undefined;
}

export function parseExpectations(option: "expect" | "until", text: string): Expectation[] {
  return text.split(",").map((part) => parse(option, part.trim()));
}

function parse(option: string, text: string): Expectation {
  const [, metric = "", operator = "", number = "", unit = ""] =
    /^([a-zA-Z0-9.-]+)\s*(<=|>=|<|>|=)\s*(\d+(?:\.\d+)?)(us|µs|ms|s)?$/.exec(text) ?? [];
  if (!metric)
    throw new UsageError(`--${option} ${text} is not METRIC<VALUE: type --${option} 'p99<5ms,errors=0'`);
  if (LATENCY.test(metric)) {
    if (unit) return { text, metric, operator, value: Number(number) * UNITS[unit]! };
    throw new UsageError(`--${option} ${text} has no unit: type --${option} '${text}ms'`);
  }
  const known = [...COUNTS, ...ERROR_KINDS] as string[];
  if (!known.includes(metric)) {
    throw new UsageError(
      `--${option} ${metric} is unknown: type one of p50 … p99.99, max, mean, ${known.join(", ")}`,
    );
  }
  if (unit)
    throw new UsageError(
      `--${option} ${text} is a count, without a unit: type '${text.slice(0, -unit.length)}'`,
    );
  return { text, metric, operator, value: Number(number) };
}

export function judge(
  expectations: readonly Expectation[],
  result: LoadResult,
  capacity?: number,
): Verdict[] {
  return expectations.map((expectation) => {
    const { metric, operator, value } = expectation;
    const actual = measured(metric, result, capacity);
    return { expectation, actual, held: actual !== undefined && OPERATORS[operator]!(actual, value) };
  });
}

function measured(metric: string, result: LoadResult, capacity: number | undefined): number | undefined {
  const { latency, tally, proven } = result;
  if (LATENCY.test(metric)) {
    if (latency.count === 0) return undefined;
    if (metric === "max") return latency.maxMs;
    return metric === "mean" ? latency.meanMs : latency.percentile(Number(metric.slice(1)));
  }
  switch (metric as (typeof COUNTS)[number]) {
    case "errors":
      return errorTotal(tally);
    case "rate":
      return perSecond(result);
    case "connections":
      return tally.opened;
    case "proven":
      return proven;
    case "wrong-bytes":
      return tally.wrongBytes;
    case "cut-off":
      return tally.cutOff;
    case "capacity":
      return capacity;
    default:
      return tally.errors[metric as ErrorKind];
  }
}

/** The outcome of one condition, in one line. */
export function explain({ expectation, held, actual }: Verdict): string {
  if (held) return `${expectation.text}: yes`;
  const unit = LATENCY.test(expectation.metric) ? " ms" : "";
  const was = actual === undefined ? "nothing was measured" : `it was ${Number(actual.toFixed(3))}${unit}`;
  return `expected ${expectation.text}, but ${was}`;
}
