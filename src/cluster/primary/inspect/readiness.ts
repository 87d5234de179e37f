/** Status of the program in one word, the same for `/ready`, `/stats` and the commands. */
import type { ListenerStatus, Readiness } from "../../../control/program.js";
import type { Stats } from "../../../control/stats.js";
import type { Drain } from "../admission/drain.js";
import type { Primary } from "../primary.js";
import type { PrimaryListener } from "../primary-listener.js";
import { accepts, overloadOf, type WorkerSlot } from "../workers/worker-slot.js";
import { acceptQueues } from "./accept-queues.js";

export function programStatus(primary: Primary, drain: Drain): Stats["status"] {
  const draining = drain.state().status;
  if (primary.stopping) return "stopping";
  if (draining !== "idle") return draining;
  if (primary.pool.suspension.suspended) return "suspended";
  // At the start, ready only when all workers accept: earlier clients would all stay on the first one.
  return primary.root === undefined || runningWorkers(primary) === 0 ? "starting" : "running";
}

/**
 * Whether the program accepts connections on every listener that is not suspended. A worker without a message for 3 s
 * does not count (watchdog.ts).
 */
export function readiness(primary: Primary, drain: Drain): Readiness {
  const workers = runningWorkers(primary);
  const { waiting } = acceptQueues(primary.listeners);
  const overloaded = primary.pool.slots.flatMap((slot) => {
    const causes = overloadOf(slot);
    return causes.length > 0 ? [{ worker: slot.slot, causes }] : [];
  });
  const found = (status: string): Readiness => {
    const listeners = primary.listeners.map((one) => {
      const queue = waiting.find(({ listener }) => listener === one.name);
      return {
        listener: one.name,
        status: statusOf(primary, one),
        ...(queue && { acceptQueue: queue.count }),
      };
    });
    return {
      ...{ ok: status === "ready", status, workers },
      ...(overloaded.length > 0 && { overloaded }),
      ...(waiting.length > 0 && { acceptQueue: waiting.reduce((sum, { count }) => sum + count, 0) }),
      ...(listeners.length > 1 && { listeners }),
    };
  };
  const status = programStatus(primary, drain);
  if (status !== "running") return found(status);
  if (answering(primary).length === 0) return found("no worker is responding");
  const closed = primary.listeners.filter((one) => statusOf(primary, one) === "not accepting");
  if (closed.length === 0) return found("ready");
  const where = primary.listeners.length > 1 ? ` on ${closed.map(({ name }) => name).join(", ")}` : "";
  const why =
    overloaded.length > 0 && overloaded.length === answering(primary).length ? ": all are overloaded" : "";
  return found(`no worker is accepting${where}${why}`);
}

function statusOf(primary: Primary, listener: PrimaryListener): ListenerStatus {
  if (listener.suspended) return "suspended";
  const open = answering(primary).some((slot) => accepts(slot, listener) !== false);
  return open ? "accepting" : "not accepting";
}

function answering(primary: Primary): WorkerSlot[] {
  return primary.pool.slots.filter(({ process }) => process?.condition === "running");
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
