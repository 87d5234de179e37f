/** Numbers of worker slots and listeners as plain objects, for the charts of `drover top` and the observer page. */
import type { ConnectionTotals, ListenerNumbers, Stats, WorkerNumbers } from "../../control/stats.js";
import { CLOSE_REASONS, REFUSE_REASONS } from "../../tcp/observe/events.js";
import type { ListenerGauge, ListenerTotal, ListenerTotals, WorkerTotals } from "./worker-totals.js";

export function workerNumbers(totals: WorkerTotals | undefined): WorkerNumbers {
  const gauge = (name: Parameters<WorkerTotals["gauge"]>[0]) => totals?.gauge(name) ?? 0;
  const total = (name: Parameters<WorkerTotals["total"]>[0]) => totals?.total(name) ?? 0;
  const listeners = totals?.listeners ?? [];
  const reported = totals?.gauge("startTimeSeconds") !== undefined;
  return {
    snapshotAgeMs: reported ? Math.round((totals?.snapshotAgeSeconds ?? 0) * 1000) : null,
    ...connectionTotals(listeners),
    outbound: sumOfGauges(listeners, "outbound"),
    readsPaused: listeners.reduce((sum, one) => sum + one.total("readsPaused"), 0),
    loopLagMs: gauge("eventLoopLagSeconds") * 1000,
    residentBytes: gauge("residentBytes"),
    heapUsedBytes: gauge("heapUsedBytes"),
    cpuSeconds: total("cpuUserSeconds") + total("cpuSystemSeconds"),
  };
}

/** @param slots of one listener, in each worker slot */
export function listenerNumbers(slots: readonly ListenerTotals[]): ListenerNumbers {
  const maxConnections = sumOfGauges(slots, "maxConnections");
  return {
    ...connectionTotals(slots),
    // JSON has no Infinity.
    maxConnections: Number.isFinite(maxConnections) ? maxConnections : null,
    outbound: sumOfGauges(slots, "outbound"),
    acceptingWorkers: sumOfGauges(slots, "listenerRunning"),
  };
}

export function connectionTotals(slots: readonly ListenerTotals[]): ConnectionTotals {
  const sum = (name: ListenerTotal) => slots.reduce((all, one) => all + one.total(name), 0);
  return {
    active: sumOfGauges(slots, "active"),
    accepted: sum("accepted"),
    closed: slots.reduce((all, one) => all + one.allClosed, 0),
    framesReceived: sum("framesReceived"),
    framesSent: sum("framesSent"),
    bytesReceived: sum("bytesReceived"),
    bytesSent: sum("bytesSent"),
    crashes: sum("crashes"),
  };
}

/** @param slots of all listeners, in each worker slot */
export function reasonTotals(slots: readonly ListenerTotals[]): Pick<Stats, "closedBy" | "refusedBy"> {
  const occurred = <Reason extends string>(
    reasons: readonly Reason[],
    count: (one: ListenerTotals, reason: Reason) => number,
  ) =>
    Object.fromEntries(
      reasons
        .map((reason) => [reason, slots.reduce((all, one) => all + count(one, reason), 0)] as const)
        .filter(([, sum]) => sum > 0),
    );
  return {
    closedBy: occurred(CLOSE_REASONS, (one, reason) => one.closed(reason)),
    refusedBy: occurred(REFUSE_REASONS, (one, reason) => one.refused(reason)),
  };
}

function sumOfGauges(slots: readonly ListenerTotals[], name: ListenerGauge): number {
  return slots.reduce((sum, one) => sum + (one.gauge(name) ?? 0), 0);
}
