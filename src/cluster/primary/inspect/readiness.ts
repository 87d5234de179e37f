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

/** Whether the program accepts connections. */
export function readiness(primary: Primary, drain: Drain): Readiness {
  const workers = runningWorkers(primary);
  const status = programStatus(primary, drain);
  if (status !== "running") return { ok: false, status, workers };
  const accepting = primary.pool.slots.some(
    ({ process, last }) => process?.state === "running" && (last?.gauges.listenerRunning ?? 1) > 0,
  );
  return { ok: accepting, status: accepting ? "ready" : "no worker is accepting", workers };
}

export function runningWorkers(primary: Primary): number {
  return primary.pool.slots.filter(({ process }) => process?.state === "running").length;
}
