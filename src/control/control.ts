/** What the outside may ask of the running program: the admin room turns it into routes, and adds nothing. */
import type { Level } from "../telemetry/log/log.js";
import type { SlotNumbers, SlotTotals } from "../telemetry/metrics/chart-numbers.js";

/** A process in the picture of the tree. */
export interface TreeNode {
  /** `<1.17>`. */
  readonly pid: string;
  /** `drover`, `worker 1`, `tcp_server`, `connections`, `listener`, or the protocol's name. */
  readonly name: string;
  readonly kind: "supervisor" | "worker" | "listener" | "connection" | "admin" | "process";
  /** Of a connection or listener. */
  readonly state?: string;
  /** The right-hand column: `one_for_one 5/60s`, `10.0.0.7:51234, idle 12s`. */
  readonly detail: string;
  /** Of a worker. */
  readonly osPid?: number;
  readonly children: readonly TreeNode[];
  /** Children that are not listed, because only so many were asked for. */
  readonly more?: number;
  /** Of `connections`: how many are in each state. */
  readonly states?: Readonly<Record<string, number>>;
}

/** One connection as a row of a table. Totals count from its beginning. */
export interface ConnectionRow {
  readonly pid: string;
  readonly worker: number;
  readonly state: string;
  /** `10.0.0.7:51234`. */
  readonly peer: string;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Bytes sent that the kernel has not taken. */
  readonly outbound: number;
  readonly messageQueueLength: number;
}

export const CONNECTION_COLUMNS = [
  "pid",
  "worker",
  "state",
  "peer",
  "ageMs",
  "idleMs",
  "framesReceived",
  "framesSent",
  "bytesReceived",
  "bytesSent",
  "outbound",
  "messageQueueLength",
] as const satisfies readonly (keyof ConnectionRow)[];

export interface ConnectionQuery {
  readonly worker?: number;
  /** The name of a state, whole. */
  readonly state?: string;
  /** What the peer's address begins with. */
  readonly peer?: string;
  readonly sort: (typeof CONNECTION_COLUMNS)[number];
  readonly order: "asc" | "desc";
  readonly limit: number;
}

export interface ConnectionList {
  readonly total: number;
  /** How many fit the query; `rows` may be fewer. */
  readonly matched: number;
  readonly rows: readonly ConnectionRow[];
  /** Workers that have not answered, whose connections are therefore not among these. */
  readonly missing: readonly number[];
}

/** The worker that alone could answer has not done so in time: it hangs, is stopped, or has died over it. */
export class WorkerSilent extends Error {
  override readonly name = "WorkerSilent";
  readonly worker: number;
  constructor(worker: number) {
    super(`worker ${worker} does not answer`);
    this.worker = worker;
  }
}

/** What a process holds, for `drover state`. */
export interface StateView {
  readonly pid: string;
  readonly name: string;
  readonly state?: string;
  /** Its data as `util.inspect` shows it, cut to 16 KiB. */
  readonly data: string;
  /** As of `sys.getStatus`: what else it says of itself. */
  readonly status: Readonly<Record<string, unknown>>;
}

/** Something that a traced process did. */
export interface TraceLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: string;
  readonly what: "frame_in" | "frame_out" | "state" | "message" | "call" | "event" | "end" | "dropped";
  /** In which state it was; of `state`, in which it is now. */
  readonly state?: string;
  /** Of a frame: its length in bytes. Of `dropped`: how many lines were left out, because there were too many. */
  readonly length?: number;
  /** The first 256 bytes of a frame. */
  readonly hex?: string;
  /** A frame as text, control characters escaped; a message, event or reason as `util.inspect` shows it. */
  readonly text?: string;
}

/** One worker's place, as it last told; nobody asks it for this. */
export interface WorkerStats extends SlotNumbers {
  readonly worker: number;
  readonly osPid: number;
  readonly state: string;
  readonly restarts: number;
}

/** All that charts and `drover top` need. Totals never fall: those of dead workers are kept in `totals`. */
export interface Stats {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly workers: readonly WorkerStats[];
  readonly totals: SlotTotals & { readonly restarts: number };
  readonly restartsLeft: number;
  readonly status: "starting" | "running" | "draining" | "drained" | "suspended" | "stopping";
}

/** Sums over all workers, dead ones too; of `Stats` all but the last two. */
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
  /** Of the worker whose loop was latest. */
  "loopLagMs",
  "residentBytes",
] as const satisfies readonly (keyof Stats["totals"] | keyof WorkerStats)[];

/** What `Stats` were in the last quarter of an hour. */
export interface StatsHistory {
  /** Of the first row: milliseconds since 1970. */
  readonly from: number;
  /** Between two rows: 1,000. */
  readonly everyMs: number;
  readonly columns: typeof HISTORY_COLUMNS;
  /** Oldest first, at most 900, each as `columns` say. `null`: the primary itself stood still. */
  readonly rows: readonly (readonly number[] | null)[];
}

/** A log record of the primary or a worker, as a line of the log has it: `time`, `level`, `msg`, `worker`, … */
export type LogRecord = Readonly<Record<string, unknown>>;

export interface ListenerState {
  readonly worker: number;
  readonly listener: string;
  readonly state: string;
}

export interface Draining {
  readonly status: "idle" | "draining" | "drained";
  /** Connections there were when it began. */
  readonly before: number;
  readonly active: number;
  /** Until those that are left are told to stop; 0 when it is over. */
  readonly remainingMs: number;
  /** Those that had not finished at the deadline, at most 1,000. */
  readonly unfinished: readonly ConnectionRow[];
  /** How many these were in all. */
  readonly cut: number;
}

/** What the program says of itself: `drover info`. */
export interface ProgramInfo {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly osPid: number;
  readonly uptimeSeconds: number;
  readonly protocol: string;
  /** Where it listens: `[::]:2222`. */
  readonly address: string;
  readonly admin: string;
  readonly transport: string;
  readonly workers: readonly {
    readonly worker: number;
    readonly osPid: number;
    readonly state: string;
    readonly restarts: number;
  }[];
  readonly connections: { readonly active: number; readonly accepted: number; readonly closed: number };
  readonly restartsLeft: number;
}

export interface Readiness {
  readonly ok: boolean;
  /** `ready`, or why not: `starting`, `suspended`, `draining`, `drained`, `stopping`, `no worker is accepting`. */
  readonly status: string;
  readonly workers: number;
}

export interface Control {
  /** @param connections how many connections to list under each worker at most */
  tree(connections: number): Promise<TreeNode>;
  info(): Promise<ProgramInfo>;
  /** Of one process: ordered pairs to be shown as they are. `undefined`: no such process. */
  inspect(pid: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Sends an exit signal. `false`: no such process. */
  kill(pid: string, reason: string): Promise<boolean>;
  /** Begins the graceful stop. */
  stop(): void;
  connections(query: ConnectionQuery): Promise<ConnectionList>;
  /** `undefined`: no such process. @throws WorkerSilent */
  state(pid: string): Promise<StateView | undefined>;
  /**
   * Follows a process until it ends or `signal` is aborted. At most 200 lines a second; what is more is counted.
   * @returns `false`: no such process
   * @throws WorkerSilent
   */
  trace(pid: string, signal: AbortSignal, onLine: (line: TraceLine) => void): Promise<boolean>;
  stats(): Stats;
  /** The last quarter of an hour, or since the start of the program. */
  history(): StatsHistory;
  /** Tells every log record of level info and above, of the primary and of all workers, until `signal` is aborted. */
  follow(signal: AbortSignal, onRecord: (record: LogRecord) => void): void;
  /**
   * Stops accepting, everywhere or in one listener of that name. Holds for workers that start later.
   * @throws Refusal `unknown` when there is no such listener
   */
  suspend(listener?: string): Promise<readonly ListenerState[]>;
  /** Accepts again, also after a drain. @throws Refusal as `suspend`, and `conflict` when the program is stopping */
  resume(listener?: string): Promise<readonly ListenerState[]>;
  /**
   * Stops accepting and waits for connections to end; those left at the deadline are told to stop. While it
   * drains already, the earlier of the two deadlines holds.
   */
  drain(deadlineMs: number): Draining;
  draining(): Draining;
  /**
   * Starts or drains workers until there are so many.
   * @throws RangeError outside of 1 to 1024
   * @throws Refusal `conflict` while another change is under way, or when a worker does not start
   */
  scale(workers: number): Promise<{ readonly before: number; readonly workers: number }>;
  /** Changes what is logged from now on, in every OS process, also those that start later. */
  logLevel(level: Level): void;
  /** The least that is logged. */
  loggedLevel(): Level;
  /** Rows for `drover config`. */
  config(): readonly unknown[];
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  health(): Readiness;
  ready(): Readiness;
}
