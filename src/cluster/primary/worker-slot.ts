/** A worker's place in the program, and what is known of it, whoever holds it at the moment. */
import type { Snapshot } from "../../telemetry/metrics/snapshot.js";
import type { WorkerProcess } from "./worker-process.js";

export interface WorkerSlot {
  readonly slot: number;
  process: WorkerProcess | undefined;
  restarts: number;
  last: Snapshot | undefined;
  /** It is being removed: whoever holds it accepts nobody any more. */
  leaving: boolean;
}

export function newSlot(slot: number): WorkerSlot {
  return { slot, process: undefined, restarts: 0, last: undefined, leaving: false };
}

/** Connections it had when it last told. */
export function activeConnections({ process, last }: WorkerSlot): number {
  return process?.alive ? (last?.gauges.active ?? 0) : 0;
}

/** Whether nobody is connected, and nobody new can come: only then is the number of connections the last word. */
export function isEmpty(slot: WorkerSlot): boolean {
  const { process, last } = slot;
  if (!process?.alive || process.state === "starting") return true;
  return last?.gauges.listenerRunning === 0 && last.gauges.active === 0;
}
