/**
 * Snapshot of a worker's counters, sent to the primary once a second as a Float64Array: one part for the OS process,
 * then one for each listener in the order of the boot message. The layout is fixed at build time and the number of
 * listeners at boot: nothing is parsed, and no text from a client can get into it.
 */
import {
  ASK_RESULTS,
  CLOSE_REASONS,
  GROUP_DROP_REASONS,
  HANDSHAKE_RESULTS,
  REFUSE_REASONS,
} from "../../tcp/observe/events.js";

const ASKS = ASK_RESULTS.map((result) => `asks_${result}` as const);
const GROUP_DROPS = GROUP_DROP_REASONS.map((reason) => `groupDropped_${reason}` as const);

const HANDSHAKES = HANDSHAKE_RESULTS.map((result) => `handshakes_${result}` as const);

/** Histogram buckets of handler latency: one per bound of `HANDLER_BOUNDS`, and one for +Inf. */
export const HANDLER_BUCKETS = [
  ...(["handlers1", "handlers2", "handlers3", "handlers4", "handlers5", "handlers6"] as const),
  ...(["handlers7", "handlers8", "handlers9", "handlers10", "handlers11", "handlers12"] as const),
  ...(["handlers13", "handlers14", "handlers15", "handlers16", "handlers17"] as const),
] as const;

/** Buckets of the histograms of groups, as of `HANDLER_BUCKETS`. */
export const DELIVERY_BUCKETS = HANDLER_BUCKETS.map((name) => `delivery_${name}` as const);
export const ANSWER_BUCKETS = HANDLER_BUCKETS.map((name) => `answer_${name}` as const);

/** Counters of the OS process: they only grow while it lives. */
export const WORKER_TOTALS = [
  /** Messages to other workers for which the channel had no room. */
  "channelMessagesDropped",
  "unhandledRejections",
  /** Times that no file descriptor was left while a listener accepted. */
  "descriptorsExhausted",
  "cpuUserSeconds",
  "cpuSystemSeconds",
  "supervisorChildTerminated",
  "supervisorStartError",
  "supervisorShutdown",
  "supervisorShutdownError",
  "logLinesDropped",
  /** Time in which an overloaded worker did not accept. */
  "acceptPausedSeconds",
  "groupPublished",
  "groupForwarded",
  "groupDelivered",
  /** Messages of groups that members here did not get, by reason. */
  ...GROUP_DROPS,
  /** Records of the exchange that could not be read. */
  "groupMalformed",
  "namesClaimed",
  "namesReplaced",
  /** Asks by result. */
  ...ASKS,
  ...DELIVERY_BUCKETS,
  "deliverySeconds",
  ...ANSWER_BUCKETS,
  "answerSeconds",
  /** Claims that waited because two clients have the same name: only where there is no exchange. */
  "namesContested",
] as const;

/** Current values of the OS process. */
export const WORKER_GAUGES = [
  /** Messages about limits of connections that the worker has applied. */
  "limitsApplied",
  /** Connections that all listeners together may have at present. */
  "maxConnections",
  "eventLoopLagSeconds",
  "openFds",
  "maxFds",
  "residentBytes",
  "heapUsedBytes",
  "heapTotalBytes",
  "externalBytes",
  "startTimeSeconds",
  /** Restart budget of the worker's top supervisor: `tcp_server`, or `listeners` over several. */
  "restartsLeft",
  /** Serial of the newest pid. */
  "newestSerial",
  /** Of the event loop, as `Overload` says. */
  "overloadLag",
  "overloadMemory",
  /** Since the worker has too little memory; 0: it has enough. */
  "overloadMemorySeconds",
  /** Groups that have members here. */
  "groups",
  "groupMemberships",
  /** Names that processes here hold. */
  "names",
  /** Bytes that wait for the exchange. */
  "exchangeLinkBytes",
] as const;

/** Counters of one listener. */
export const LISTENER_TOTALS = [
  "accepted",
  "framesReceived",
  "framesSent",
  "bytesReceived",
  "bytesSent",
  "readsPaused",
  "crashes",
  /** Time in which it waited for its accept rate. */
  "rateLimitedSeconds",
  /** Messages to connections whose mailbox was full. */
  "messagesDropped",
  "listenerRestarts",
  "connectionsRestarts",
  /** Restarts of its `tcp_server`; 0 where it is the top supervisor. */
  "serverRestarts",
  /** TLS handshakes that have ended, by result. */
  ...HANDSHAKES,
  /** Handler calls by latency; 0 without `--handler-latency on`. */
  ...HANDLER_BUCKETS,
  "handlerSeconds",
] as const;

/** Current values of one listener. */
export const LISTENER_GAUGES = [
  "active",
  /** Its connections, and accepted clients that may yet become some. */
  "taken",
  "outbound",
  "listenerRunning",
  /** Connections that it may have at present: what its own limit, the one of all listeners, and descriptors allow. */
  "maxConnections",
  /** Restart budget of its `tcp_server`. */
  "restartsLeft",
] as const;

type Numbers<Names extends readonly string[]> = Readonly<Record<Names[number], number>>;

export interface ListenerSnapshot {
  readonly totals: Numbers<typeof LISTENER_TOTALS>;
  readonly gauges: Numbers<typeof LISTENER_GAUGES>;
  readonly closed: Numbers<typeof CLOSE_REASONS>;
  readonly refused: Numbers<typeof REFUSE_REASONS>;
}

export interface Snapshot {
  readonly totals: Numbers<typeof WORKER_TOTALS>;
  readonly gauges: Numbers<typeof WORKER_GAUGES>;
  /** In the order of the boot message. */
  readonly listeners: readonly ListenerSnapshot[];
  /** Metrics and close reasons of protocols, as `OwnLayout` says; `undefined` where there are none. */
  readonly own?: Float64Array | undefined;
}

type Layout = readonly (readonly [part: string, names: readonly string[]])[];

const WORKER: Layout = [
  ["totals", WORKER_TOTALS],
  ["gauges", WORKER_GAUGES],
];
const LISTENER: Layout = [
  ["totals", LISTENER_TOTALS],
  ["gauges", LISTENER_GAUGES],
  ["closed", CLOSE_REASONS],
  ["refused", REFUSE_REASONS],
];

const WORKER_LENGTH = lengthOf(WORKER);
const LISTENER_LENGTH = lengthOf(LISTENER);

export function encodeSnapshot(snapshot: Snapshot): Float64Array {
  const { listeners, own } = snapshot;
  const length = WORKER_LENGTH + listeners.length * LISTENER_LENGTH;
  const numbers = new Float64Array(length + (own?.length ?? 0));
  let at = 0;
  const put = (layout: Layout, from: Snapshot | ListenerSnapshot): void => {
    for (const [part, names] of layout) {
      const values = from[part as "totals"] as Readonly<Record<string, number>>;
      for (const name of names) numbers[at++] = values[name] ?? 0;
    }
  };
  put(WORKER, snapshot);
  for (const listener of listeners) put(LISTENER, listener);
  if (own) numbers.set(own, length);
  return numbers;
}

/**
 * @param listeners number of listeners
 * @param own how many numbers protocols have of their own
 * @returns `undefined` when the array does not have this build's layout
 */
export function decodeSnapshot(numbers: unknown, listeners: number, own = 0): Snapshot | undefined {
  const length = WORKER_LENGTH + listeners * LISTENER_LENGTH;
  if (!(numbers instanceof Float64Array) || numbers.length !== length + own) return undefined;
  let at = 0;
  const part = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, numbers[at++] as number]));
  const take = (layout: Layout) => Object.fromEntries(layout.map(([name, names]) => [name, part(names)]));
  const worker = take(WORKER);
  return {
    ...worker,
    listeners: Array.from({ length: listeners }, () => take(LISTENER)),
    ...(own > 0 && { own: numbers.slice(length) }),
  } as unknown as Snapshot;
}

function lengthOf(layout: Layout): number {
  return layout.reduce((sum, [, names]) => sum + names.length, 0);
}
