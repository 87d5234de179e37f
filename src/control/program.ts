/** The program as a whole: what it is, whether it is ready, its listeners, its drain and its log records. */
import type { ConnectionRow } from "./connections.js";
import type { Overload } from "./stats.js";

/** One listener, as configured and bound. */
export interface ListenerInfo {
  readonly listener: string;
  /** Name of its protocol. */
  readonly protocol: string;
  /** Address that it listens on: `[::]:2222`, or the path of a UNIX socket. */
  readonly address: string;
  readonly transport: string;
  readonly tls: boolean;
  /** Whether it expects PROXY headers. */
  readonly proxy: boolean;
  /** Its own limit over all workers; `null`: only the limit of all listeners together. */
  readonly maxConnections: number | null;
  readonly suspended: boolean;
}

/** For `drover info`. */
export interface ProgramInfo {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly osPid: number;
  readonly uptimeSeconds: number;
  /** Name of the protocol; of several, with commas. */
  readonly protocol: string;
  /** Address that is served: `[::]:2222`; of several listeners, with commas. */
  readonly address: string;
  readonly listeners: readonly ListenerInfo[];
  readonly admin: string;
  readonly transport: string;
  /** Whether a protocol takes messages of groups, or answers names. */
  readonly groups: boolean;
  readonly workers: readonly {
    readonly worker: number;
    readonly osPid: number;
    readonly state: string;
    readonly restarts: number;
  }[];
  /** Of listeners with TLS. */
  readonly certificates: readonly CertificateInfo[];
  readonly connections: { readonly active: number; readonly accepted: number; readonly closed: number };
  readonly restartsLeft: number;
}

/** A certificate that is served. */
export interface CertificateInfo {
  readonly listener: string;
  readonly name: string;
  /** Negative once it has expired. */
  readonly secondsLeft: number;
}

/** Result of a reload, for one listener with TLS. */
export interface CertificateReload {
  readonly listener: string;
  readonly result: "reloaded" | "unchanged" | "refused";
  /** Why it was refused. */
  readonly reason?: string | undefined;
  /** What is served, but should not be so. */
  readonly warnings: readonly string[];
}

export interface Readiness {
  readonly ok: boolean;
  /**
   * `ready`, or why not: `starting`, `suspended`, `draining`, `drained`, `stopping`,
   * `no worker is accepting` (of several listeners: `on` which; `: all are overloaded`), `no worker is responding`.
   */
  readonly status: string;
  readonly workers: number;
  /** Of `/ready`: workers that do not accept because they are overloaded. Absent where there is none. */
  readonly overloaded?: readonly { readonly worker: number; readonly causes: readonly Overload[] }[];
  /** Of `/ready`: connections in the kernel's accept queues, of all listeners. Absent where it is not known. */
  readonly acceptQueue?: number;
  /** Of several listeners: whether each accepts, and its accept queue. */
  readonly listeners?: readonly {
    readonly listener: string;
    readonly status: ListenerStatus;
    readonly acceptQueue?: number;
  }[];
}

/** `not accepting`: no responding worker accepts on it, although it is not suspended. */
export type ListenerStatus = "accepting" | "suspended" | "not accepting";

/** State of one listener in one worker. */
export interface ListenerState {
  readonly worker: number;
  readonly listener: string;
  readonly state: string;
}

/** Progress of a drain. */
export interface Draining {
  readonly status: "idle" | "draining" | "drained";
  /** Connections at the start of the drain. */
  readonly before: number;
  readonly active: number;
  /** Time until the remaining connections are told to stop; 0 after the deadline. */
  readonly remainingMs: number;
  /** Connections that were open at the deadline, at most 1,000. */
  readonly unfinished: readonly ConnectionRow[];
  /** Number of connections that were open at the deadline. */
  readonly cut: number;
}

export interface Scaled {
  /** Number of workers before the change. */
  readonly before: number;
  readonly workers: number;
}

/** An address, or /64 of IPv6, whose new connections are refused. */
export interface AddressBan {
  readonly address: string;
  /** Milliseconds that are left. */
  readonly ms: number;
}

export interface Restarted {
  readonly worker: number;
  /** OS pid of the worker that was stopped, and of the one that accepts now. */
  readonly before: number;
  readonly osPid: number;
  /** Number of its connections when the restart began, and of those that were told to stop. */
  readonly connections: number;
  readonly stopped: number;
}

export const EVENT_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Which log records are wanted; `undefined`: all. */
export interface EventFilter {
  /** This level and above. */
  readonly level: (typeof EVENT_LEVELS)[number];
  /** 0: the primary. */
  readonly worker?: number | undefined;
  readonly protocol?: string | undefined;
  /** In any field, in upper or lower case. */
  readonly text?: string | undefined;
}

/** A log record of the primary or a worker with the fields of a log line: `time`, `level`, `msg`, `worker`, … */
export type LogRecord = Readonly<Record<string, unknown>>;
