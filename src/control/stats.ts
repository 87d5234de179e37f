/** Numbers for charts and `drover top`: per worker, in total, and their history. */

/** Counters, which only grow, and the number of open connections. */
export interface ConnectionTotals {
  readonly active: number;
  readonly accepted: number;
  readonly closed: number;
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly crashes: number;
}

/** What one worker reports each second. */
export interface WorkerNumbers extends ConnectionTotals {
  /** `null`: nothing has been reported yet. */
  readonly snapshotAgeMs: number | null;
  /** Bytes. */
  readonly outbound: number;
  readonly readsPaused: number;
  readonly loopLagMs: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly cpuSeconds: number;
}

/** One listener over all workers, dead ones included. */
export interface ListenerNumbers extends ConnectionTotals {
  /**
   * Connections that it may have at present: its own limit, or less where all listeners together are at theirs.
   * `null`: unlimited.
   */
  readonly maxConnections: number | null;
  /** Bytes. */
  readonly outbound: number;
  /** Number of workers in which it accepts. */
  readonly acceptingWorkers: number;
}

/** Why a worker does not accept: its event loop lags (`--max-lag`), or its memory is nearly used up (`--max-memory`). */
export type Overload = "lag" | "memory";

/** One worker slot as last reported: the primary answers without asking the worker. */
export interface WorkerStats extends WorkerNumbers {
  readonly worker: number;
  readonly osPid: number;
  /** `running`, `overloaded`, `unresponsive`, `starting`, `stopping` or `down`. */
  readonly state: string;
  /** Why it is overloaded; empty: it is not. */
  readonly overload: readonly Overload[];
  readonly restarts: number;
}

/** One listener: what it is, and its numbers. */
export interface ListenerStats extends ListenerNumbers {
  readonly listener: string;
  readonly protocol: string;
  readonly address: string;
  readonly transport: string;
  readonly tls: boolean;
  readonly proxy: boolean;
  readonly suspended: boolean;
  /** Connections in the kernel's accept queue. `null`: not known, as of UNIX sockets and on other platforms. */
  readonly acceptQueue: number | null;
}

/** State of the whole program. */
export type ProgramStatus = "starting" | "running" | "draining" | "drained" | "suspended" | "stopping";

/** Totals never fall: `totals` keeps what dead workers had counted. */
export interface Stats {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly workers: readonly WorkerStats[];
  /** In the order of the configuration; at least one. */
  readonly listeners: readonly ListenerStats[];
  readonly totals: ConnectionTotals & { readonly restarts: number };
  /** Closed connections by reason, without reasons that did not occur. */
  readonly closedBy: Readonly<Record<string, number>>;
  /** Refused connections by reason, without reasons that did not occur. */
  readonly refusedBy: Readonly<Record<string, number>>;
  /** Dropped by the kernel because an accept queue was full; `null`: not known. */
  readonly acceptQueueOverflows: number | null;
  readonly restartsLeft: number;
  readonly status: ProgramStatus;
}

/** Sums over all workers, dead ones included. */
export const HISTORY_COLUMNS = [
  "active",
  "accepted",
  "closed",
  "framesReceived",
  "framesSent",
  "bytesReceived",
  "bytesSent",
  "crashes",
  "restarts",
  /** The largest of all workers. */
  "loopLagMs",
  "residentBytes",
] as const satisfies readonly (keyof Stats["totals"] | keyof WorkerStats)[];

/** `Stats` of the last 15 minutes. */
export interface StatsHistory {
  /** Of the first row: milliseconds since 1970. */
  readonly from: number;
  /** Between two rows: 1,000. */
  readonly everyMs: number;
  readonly columns: typeof HISTORY_COLUMNS;
  /** Oldest first, at most 900, each in the order of `columns`. `null`: the primary's event loop was blocked. */
  readonly rows: readonly (readonly number[] | null)[];
}
