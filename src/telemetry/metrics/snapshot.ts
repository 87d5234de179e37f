/**
 * What a worker tells the primary of itself once a second: a fixed array of numbers. The layout is known at
 * build time on both sides, so nothing has to be parsed, and no text from a client can come along.
 */
import { CLOSE_REASONS, REFUSE_REASONS } from "../../tcp/observe/events.js";

/** One for each of `HANDLER_BOUNDS`, and one for what took longer than the last. */
export const HANDLER_BUCKETS = [
  ...(["handlers1", "handlers2", "handlers3", "handlers4", "handlers5", "handlers6"] as const),
  ...(["handlers7", "handlers8", "handlers9", "handlers10", "handlers11", "handlers12"] as const),
  ...(["handlers13", "handlers14", "handlers15", "handlers16", "handlers17"] as const),
] as const;

/** Numbers that only grow while a worker lives. */
export const TOTALS = [
  "accepted",
  "framesReceived",
  "framesSent",
  "bytesReceived",
  "bytesSent",
  "readsPaused",
  "crashes",
  "cpuUserSeconds",
  "cpuSystemSeconds",
  "supervisorChildTerminated",
  "supervisorStartError",
  "supervisorShutdown",
  "supervisorShutdownError",
  "listenerRestarts",
  "connectionsRestarts",
  "logLinesDropped",
  /** Handlers by how long they took; nothing unless that is measured. */
  ...HANDLER_BUCKETS,
  "handlerSeconds",
] as const;

/** Numbers of this moment. */
export const GAUGES = [
  "active",
  "outbound",
  "listenerRunning",
  "maxConnections",
  "eventLoopLagSeconds",
  "openFds",
  "maxFds",
  "residentBytes",
  "heapUsedBytes",
  "heapTotalBytes",
  "externalBytes",
  "startTimeSeconds",
  /** Of the worker's own supervisor. */
  "restartsLeft",
  /** Of the pids that it has given. */
  "newestSerial",
] as const;

export interface Snapshot {
  readonly totals: Readonly<Record<(typeof TOTALS)[number], number>>;
  readonly gauges: Readonly<Record<(typeof GAUGES)[number], number>>;
  readonly closed: Readonly<Record<(typeof CLOSE_REASONS)[number], number>>;
  readonly refused: Readonly<Record<(typeof REFUSE_REASONS)[number], number>>;
}

const PARTS = [
  ["totals", TOTALS],
  ["gauges", GAUGES],
  ["closed", CLOSE_REASONS],
  ["refused", REFUSE_REASONS],
] as const;

const LENGTH = PARTS.reduce((sum, [, names]) => sum + names.length, 0);

export function encodeSnapshot(snapshot: Snapshot): Float64Array {
  const numbers = new Float64Array(LENGTH);
  let at = 0;
  for (const [part, names] of PARTS) {
    for (const name of names) numbers[at++] = (snapshot[part] as Readonly<Record<string, number>>)[name] ?? 0;
  }
  return numbers;
}

/** @returns undefined when the array is not of this build's layout */
export function decodeSnapshot(numbers: unknown): Snapshot | undefined {
  if (!(numbers instanceof Float64Array) || numbers.length !== LENGTH) return undefined;
  let at = 0;
  const part = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, numbers[at++] as number]));
  return Object.fromEntries(PARTS.map(([name, names]) => [name, part(names)])) as unknown as Snapshot;
}
