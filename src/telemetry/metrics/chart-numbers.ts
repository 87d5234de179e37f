/** Numbers of worker slots as plain objects, for the charts of `drover top` and the observer page. */
import type { ConnectionTotals, WorkerNumbers } from "../../control/stats.js";
import { CLOSE_REASONS } from "../../tcp/observe/events.js";
import type { WorkerTotals } from "./worker-totals.js";

export function workerNumbers(totals: WorkerTotals | undefined): WorkerNumbers {
  const gauge = (name: Parameters<WorkerTotals["gauge"]>[0]) => totals?.gauge(name) ?? 0;
  const total = (name: Parameters<WorkerTotals["total"]>[0]) => totals?.total(name) ?? 0;
  const reported = totals?.gauge("startTimeSeconds") !== undefined;
  return {
    snapshotAgeMs: reported ? Math.round((totals?.snapshotAgeSeconds ?? 0) * 1000) : null,
    ...connectionTotals(totals ? [totals] : []),
    outbound: gauge("outbound"),
    readsPaused: total("readsPaused"),
    loopLagMs: gauge("eventLoopLagSeconds") * 1000,
    residentBytes: gauge("residentBytes"),
    heapUsedBytes: gauge("heapUsedBytes"),
    cpuSeconds: total("cpuUserSeconds") + total("cpuSystemSeconds"),
  };
}

export function connectionTotals(workers: Iterable<WorkerTotals>): ConnectionTotals {
  const sum = {
    ...{ active: 0, accepted: 0, closed: 0, framesReceived: 0, framesSent: 0 },
    ...{ bytesReceived: 0, bytesSent: 0, crashes: 0 },
  };
  for (const totals of workers) {
    sum.active += totals.gauge("active") ?? 0;
    sum.accepted += totals.total("accepted");
    for (const reason of CLOSE_REASONS) sum.closed += totals.closed(reason);
    sum.framesReceived += totals.total("framesReceived");
    sum.framesSent += totals.total("framesSent");
    sum.bytesReceived += totals.total("bytesReceived");
    sum.bytesSent += totals.total("bytesSent");
    sum.crashes += totals.total("crashes");
  }
  return sum;
}
