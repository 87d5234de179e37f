// Whether what was measured was the server. A generator that is the slower of the two must say so.
import type { Mode } from "../both-sides/options.js";
import type { LoadResult } from "../both-sides/result.js";
import { duration } from "./format.js";

/** CPU time or busy share of a generator from which it limits the result. */
const TOO_BUSY = 0.9;
const TOO_LATE_MS = 1;
/** Share of the p99 below which the generator's lateness does not matter. */
const TOO_LATE_PART = 0.1;
const TOO_SHORT_MS = 500;

/** Why the generator may have limited the result, with what to do; undefined without a sign of it. */
export function generatorLimit(result: LoadResult, mode: Mode): string | undefined {
  if (result.elapsedMs < TOO_SHORT_MS || result.generators.length === 0) return undefined;
  const cpu = Math.max(...result.generators.map((generator) => generator.cpu));
  const busy = Math.max(...result.generators.map((generator) => generator.busy));
  const late = result.lateness.percentile(99);
  if (cpu > TOO_BUSY || (mode !== "rate" && mode !== "idle" && busy > TOO_BUSY)) {
    const percent = Math.round(100 * Math.max(cpu, busy));
    return (
      `The generator was busy ${percent} % of the time and may have limited the result. ` +
      "Increase --processes, or run the generator on another machine."
    );
  }
  if (late > TOO_LATE_MS && late > TOO_LATE_PART * result.latency.percentile(99)) {
    return (
      `The generator sent 1 % of its frames more than ${duration(late)} late, ` +
      "which is part of the latencies above. Lower --rate, or run the generator on another machine."
    );
  }
  return undefined;
}

/** Why the machine may have limited the result: generator and server usually share its cores. */
export function machineLimit(coresBusy: number, elapsedMs: number): string | undefined {
  if (coresBusy < 0.95 || elapsedMs < TOO_SHORT_MS) return undefined;
  return (
    `All cores of this machine were busy (${Math.round(100 * coresBusy)} %). A server on this machine ` +
    "shared them with the generator and can do more alone."
  );
}
