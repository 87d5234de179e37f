/**
 * Snapshot of a worker's counters, sent to the primary once a second as a Float64Array. The layout is fixed at
 * build time on both sides: nothing is parsed, and no text from a client can get into it.
 */
import { CLOSE_REASONS, REFUSE_REASONS } from "../../tcp/observe/events.js";

/** Histogram buckets of handler latency: one per bound of `HANDLER_BOUNDS`, and one for +Inf. */
export const HANDLER_BUCKETS = [
  ...(["handlers1", "handlers2", "handlers3", "handlers4", "handlers5", "handlers6"] as const),
  ...(["handlers7", "handlers8", "handlers9", "handlers10", "handlers11", "handlers12"] as const),
  ...(["handlers13", "handlers14", "handlers15", "handlers16", "handlers17"] as const),
] as const;

/** Counters: they only grow while a worker lives. */
export const TOTALS = [
  "accepted",
  "framesReceived",
  "framesSent",
  "bytesReceived",
  "bytesSent",
  "readsPaused",
  "crashes",
  /** Messages to connections whose mailbox was full. */
  "messagesDropped",
  /** Messages to other workers for which the channel had no room. */
  "channelMessagesDropped",
  "unhandledRejections",
  "cpuUserSeconds",
  "cpuSystemSeconds",
  "supervisorChildTerminated",
  "supervisorStartError",
  "supervisorShutdown",
  "supervisorShutdownError",
  "listenerRestarts",
  "connectionsRestarts",
  "logLinesDropped",
  /** Handler calls by latency; 0 without `--handler-latency on`. */
  ...HANDLER_BUCKETS,
  "handlerSeconds",
] as const;

/** Current values. */
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
  /** Restart budget of `tcp_server`, the worker's own supervisor. */
  "restartsLeft",
  /** Serial of the newest pid. */
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

/** @returns `undefined` when the array does not have this build's layout */
export function decodeSnapshot(numbers: unknown): Snapshot | undefined {
  if (!(numbers instanceof Float64Array) || numbers.length !== LENGTH) return undefined;
  let at = 0;
  const part = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, numbers[at++] as number]));
  return Object.fromEntries(PARTS.map(([name, names]) => [name, part(names)])) as unknown as Snapshot;
}
