// Search for the capacity of a server: doubles the rate until a condition of --until fails, then halves the gap
// between the last rate that passed and the first that failed four times.
import type { LoadOptions } from "../both-sides/options.js";
import { addTallies, type LoadResult, perSecond, type Tally } from "../both-sides/result.js";
import type { Settings } from "../command-line/arguments.js";
import { explain, judge } from "../command-line/expectations.js";
import { generatorLimit } from "../report/bottleneck.js";

export interface Step {
  /** Frames due per second. */
  rate: number;
  measured: number;
  p50: number;
  p99: number;
  max: number;
  held: boolean;
  /** The conditions that failed. */
  why: string[];
  /** Why the generator may have limited this step. */
  generator: string | undefined;
}

export interface Ramp {
  /** Result of the last step that passed, else of the first. */
  result: LoadResult;
  steps: Step[];
  /** Totals of all steps. */
  totals: Tally;
}

const HALVINGS = 4;
/** A step fails below this share of its rate, however low the latencies are. */
const REACHED = 0.98;

export async function ramp(
  { load, ramp: { from, until } }: Settings,
  once: (options: LoadOptions) => Promise<LoadResult>,
  signal: AbortSignal,
): Promise<Ramp> {
  const steps: Step[] = [];
  const tallies: Tally[] = [];
  let best: LoadResult | undefined;
  const holds = async (rate: number) => {
    const result = await once({ ...load, rate });
    const failed = judge(until, result).filter(({ held }) => !held);
    const why = failed.map(explain);
    const reached = perSecond(result);
    if (reached < REACHED * rate)
      why.push(`only ${Math.round(reached)} of ${rate} frames/s were echoed in time`);
    const held = why.length === 0;
    steps.push({ rate, ...figures(result), held, why, generator: generatorLimit(result, "rate") });
    tallies.push(result.tally);
    if (held || !best) best = result;
    return held;
  };

  let [low, high] = [0, from];
  while (!signal.aborted && (await holds(high))) [low, high] = [high, high * 2];
  for (let i = 0; i < HALVINGS && low > 0 && !signal.aborted; i++) {
    const middle = Math.round((low + high) / 2);
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  const totals = addTallies(tallies);
  return { result: best!, steps: steps.toSorted((a, b) => a.rate - b.rate), totals };
}

function figures(result: LoadResult): Pick<Step, "measured" | "p50" | "p99" | "max"> {
  const { latency } = result;
  return {
    measured: perSecond(result),
    p50: latency.percentile(50),
    p99: latency.percentile(99),
    max: latency.maxMs,
  };
}
