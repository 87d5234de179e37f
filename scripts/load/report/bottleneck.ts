// Whether what was measured was the server. A generator that is the slower of the two must say so.
import type { Mode } from "../both-sides/options.js";
import type { GeneratorReport, LoadResult } from "../both-sides/result.js";
import { duration } from "./format.js";

/** From here on the figures are the generator's as much as the server's, if it ran for long enough to tell. */
const TOO_BUSY = 0.9;
const TOO_LATE_MS = 1;
/** Of the p99: what is less changes nothing that a reader would notice. */
const TOO_LATE_PART = 0.1;
const TOO_SHORT_MS = 500;

/** Watches this generator process from now on. Returns what to call at the end. */
export function watchMyself(startedAt: number): () => GeneratorReport {
  const cpuBefore = process.cpuUsage();
  const idleBefore = performance.eventLoopUtilization();
  return () => {
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpu = (user + system) / 1_000 / Math.max(1, performance.now() - startedAt);
    return { osPid: process.pid, cpu, busy: performance.eventLoopUtilization(idleBefore).utilization };
  };
}

/** In plain words why the generator, not the server, may have been measured; undefined if there is no sign of it. */
export function generatorLimit(result: LoadResult, mode: Mode): string | undefined {
  if (result.elapsedMs < TOO_SHORT_MS || result.generators.length === 0) return undefined;
  const cpu = Math.max(...result.generators.map((generator) => generator.cpu));
  const busy = Math.max(...result.generators.map((generator) => generator.busy));
  const late = result.lateness.percentile(99);
  if (cpu > TOO_BUSY || (mode !== "rate" && mode !== "idle" && busy > TOO_BUSY)) {
    const percent = Math.round(100 * Math.max(cpu, busy));
    return (
      `The generator was busy ${percent} % of the time: it, not the server, may be what was measured. ` +
      "Try more --processes, or another machine for the generator."
    );
  }
  if (late > TOO_LATE_MS && late > TOO_LATE_PART * result.latency.percentile(99)) {
    return (
      `The generator was late itself: 1 % of its frames left more than ${duration(late)} after they were due, ` +
      "which is part of the latencies above. Try a lower --rate, or another machine for the generator."
    );
  }
  return undefined;
}

/** Where generator and server share the cores, a full machine slows both. */
export function machineLimit(coresBusy: number, elapsedMs: number): string | undefined {
  if (coresBusy < 0.95 || elapsedMs < TOO_SHORT_MS) return undefined;
  return (
    `All cores of this machine were busy (${Math.round(100 * coresBusy)} %). If the server runs here too, ` +
    "it had to share them with the generator and can do more alone."
  );
}
