/** Status of the program in one word, the same for `/ready`, `/stats` and the commands. */
import type { Readiness } from "../../../control/program.js";
import type { Stats } from "../../../control/stats.js";
import type { Drain } from "../admission/drain.js";
import type { Primary } from "../primary.js";

export function programStatus(primary: Primary, drain: Drain): Stats["status"] {
  const draining = drain.state.status;
  if (primary.stopping) return "stopping";
  if (draining !== "idle") return draining;
  if (primary.pool.suspension.suspended) return "suspended";
  // At the start, ready only when all workers accept: earlier clients would all stay on the first one.
  return primary.root === undefined || runningWorkers(primary) === 0 ? "starting" : "running";
}

/** Whether the program accepts connections. A worker without a message for 3 s does not count (watchdog.ts). */
export function readiness(primary: Primary, drain: Drain): Readiness {
  const workers = runningWorkers(primary);
  const status = programStatus(primary, drain);
  if (status !== "running") return { ok: false, status, workers };
  const answering = primary.pool.slots.filter(({ process }) => process?.condition === "running");
  const accepting = answering.some(({ last }) => (last?.gauges.listenerRunning ?? 1) > 0);
  const without = answering.length === 0 ? "no worker is responding" : "no worker is accepting";
  return { ok: accepting, status: accepting ? "ready" : without, workers };
}

/**
 * Whether the primary and a worker process live, for a liveness probe. A blocked worker counts: the watchdog replaces
 * it, and a restart of the program from outside would close the connections of all workers.
 */
export function health(primary: Primary): Readiness {
  const workers = runningWorkers(primary);
  return { ok: workers > 0, status: workers > 0 ? "ok" : "no worker is running", workers };
}

function runningWorkers(primary: Primary): number {
  return primary.pool.serving;
}
