/** Worker slot: a worker's number, its current process, and what is known of it across restarts. */
import type { Overload } from "../../../control/stats.js";
import type { ListenerSnapshot, Snapshot } from "../../../telemetry/metrics/snapshot.js";
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

/** Why the worker does not accept at present, as of its last snapshot. */
export function overloadOf({ process, last }: WorkerSlot): Overload[] {
  if (process?.condition !== "running" || last === undefined) return [];
  const { overloadLag, overloadMemory } = last.gauges;
  return [
    ...(overloadLag > 0 ? (["lag"] as const) : []),
    ...(overloadMemory > 0 ? (["memory"] as const) : []),
  ];
}

/** The state as shown to users. */
export function shownState(slot: WorkerSlot): string {
  return overloadOf(slot).length > 0 ? "overloaded" : (slot.process?.condition ?? "down");
}

/** A listener, by its place in the snapshots. */
interface Place {
  readonly at: number;
}

/** Connections as of the last snapshot, of one listener or of all. */
export function activeConnections({ process, last }: WorkerSlot, listener?: Place): number {
  return process?.alive ? partsOf(last, listener).reduce((sum, { gauges }) => sum + gauges.active, 0) : 0;
}

/** Whether the listener accepts, or will again by itself; `undefined` before the first snapshot. */
export function accepts({ last }: WorkerSlot, listener: Place): boolean | undefined {
  const [part] = partsOf(last, listener);
  return part && part.gauges.listenerRunning > 0;
}

/**
 * Whether there are no connections and no listener accepts: before that, 0 connections may be followed by more.
 * @param listener only this one
 */
export function isEmpty(slot: WorkerSlot, listener?: Place): boolean {
  const { process, last } = slot;
  if (!process?.alive || process.state === "starting") return true;
  const parts = partsOf(last, listener);
  return parts.length > 0 && parts.every(({ gauges }) => gauges.listenerRunning === 0 && gauges.active === 0);
}

function partsOf(last: Snapshot | undefined, listener: Place | undefined): readonly ListenerSnapshot[] {
  const listeners = last?.listeners ?? [];
  return listener ? listeners.slice(listener.at, listener.at + 1) : listeners;
}
