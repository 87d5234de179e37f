// CPU time and event-loop utilization of this generator process.
import type { GeneratorReport } from "../both-sides/result.js";

/** Starts measuring. Call the returned function at the end of the run. */
export function measureOwnUsage(startedAt: number): () => GeneratorReport {
  const cpuBefore = process.cpuUsage();
  const idleBefore = performance.eventLoopUtilization();
  return () => {
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpu = (user + system) / 1_000 / Math.max(1, performance.now() - startedAt);
    return { osPid: process.pid, cpu, busy: performance.eventLoopUtilization(idleBefore).utilization };
  };
}
