/** What the program is doing, in one word: the same for `/ready`, `/stats` and everybody else who asks. */
import type { Readiness } from "../../../control/program.js";
import type { Stats } from "../../../control/stats.js";
import type { Drain } from "../admission/drain.js";
import type { Primary } from "../primary.js";

export function programStatus(primary: Primary, drain: Drain): Stats["status"] {
  const draining = drain.state.status;
  if (primary.stopping) return "stopping";
  if (draining !== "idle") return draining;
  if (primary.suspension.suspended) return "suspended";
  // The first time all of them are waited for: whoever is let in before would find one worker, and stay with it.
  return primary.root === undefined || runningWorkers(primary) === 0 ? "starting" : "running";
}

/** Whether clients are served. */
export function readiness(primary: Primary, drain: Drain): Readiness {
  const workers = runningWorkers(primary);
  const status = programStatus(primary, drain);
  if (status !== "running") return { ok: false, status, workers };
  const accepting = primary.slots.some(
    ({ process, last }) => process?.state === "running" && (last?.gauges.listenerRunning ?? 1) > 0,
  );
  return { ok: accepting, status: accepting ? "ready" : "no worker is accepting", workers };
}

export function runningWorkers(primary: Primary): number {
  return primary.slots.filter(({ process }) => process?.state === "running").length;
}
