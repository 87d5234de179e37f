/** The numbers of workers' places as plain objects: for charts, which read no series. */
import type { ConnectionTotals, WorkerNumbers } from "../../control/stats.js";
import { CLOSE_REASONS } from "../../tcp/observe/events.js";
import type { Slot } from "./worker-totals.js";

export function slotNumbers(slot: Slot | undefined): WorkerNumbers {
  const gauge = (name: Parameters<Slot["gauge"]>[0]) => slot?.gauge(name) ?? 0;
  const total = (name: Parameters<Slot["total"]>[0]) => slot?.total(name) ?? 0;
  const told = slot?.gauge("startTimeSeconds") !== undefined;
  return {
    snapshotAgeMs: told ? Math.round((slot?.silentSeconds ?? 0) * 1000) : null,
    ...slotTotals(slot ? [slot] : []),
    outbound: gauge("outbound"),
    readsPaused: total("readsPaused"),
    loopLagMs: gauge("eventLoopLagSeconds") * 1000,
    residentBytes: gauge("residentBytes"),
    heapUsedBytes: gauge("heapUsedBytes"),
    cpuSeconds: total("cpuUserSeconds") + total("cpuSystemSeconds"),
  };
}

export function slotTotals(slots: Iterable<Slot>): ConnectionTotals {
  const sum = {
    ...{ active: 0, accepted: 0, closed: 0, framesReceived: 0, framesSent: 0 },
    ...{ bytesReceived: 0, bytesSent: 0, crashes: 0 },
  };
  for (const slot of slots) {
    sum.active += slot.gauge("active") ?? 0;
    sum.accepted += slot.total("accepted");
    for (const reason of CLOSE_REASONS) sum.closed += slot.closed(reason);
    sum.framesReceived += slot.total("framesReceived");
    sum.framesSent += slot.total("framesSent");
    sum.bytesReceived += slot.total("bytesReceived");
    sum.bytesSent += slot.total("bytesSent");
    sum.crashes += slot.total("crashes");
  }
  return sum;
}
