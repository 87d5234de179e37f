/** Worker slot: a worker's number, its current process, and what is known of it across restarts. */
import type { Snapshot } from "../../telemetry/metrics/snapshot.js";
import type { WorkerProcess } from "./worker-process.js";

export interface WorkerSlot {
  /** From 1 on. */
  readonly slot: number;
  process: WorkerProcess | undefined;
  restarts: number;
  /** Failed starts since the last worker that served. */
  startFailures: number;
  /** Whether the next start is a retry outside of the restart intensity, which does not count as a restart. */
  retrying: boolean;
  /** Last snapshot of the current process. */
  last: Snapshot | undefined;
  /** Whether the slot is being removed: its worker accepts no more. */
  removing: boolean;
}

export function newSlot(slot: number): WorkerSlot {
  return {
    ...{ slot, process: undefined, last: undefined, removing: false },
    ...{ restarts: 0, startFailures: 0, retrying: false },
  };
}

/** Connections as of the last snapshot. */
export function activeConnections({ process, last }: WorkerSlot): number {
  return process?.alive ? (last?.gauges.active ?? 0) : 0;
}

/** Whether there are no connections and the listener is stopped: before that, 0 connections may be followed by more. */
export function isEmpty(slot: WorkerSlot): boolean {
  const { process, last } = slot;
  if (!process?.alive || process.state === "starting") return true;
  return last?.gauges.listenerRunning === 0 && last.gauges.active === 0;
}
