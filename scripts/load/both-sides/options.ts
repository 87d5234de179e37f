// Options of a run of load, given by the command or by tests, and their defaults.

import { DEFAULT_MIX, type Mix } from "./client-mix.js";
import type { Framing } from "./framing.js";
import type { ConnectionOutcome, Progress } from "./result.js";

export interface Target {
  host: string;
  port: number;
}

/** A range of IPv4 addresses, as numbers. */
export interface Source {
  first: number;
  count: number;
}

export interface Tls {
  /** PEM of the certificate authorities to trust instead of the system's. */
  ca?: string | undefined;
  /** Whether a certificate that cannot be verified is refused. */
  verify: boolean;
}

export interface Route {
  targets: Target[];
  source?: Source | undefined;
  tls?: Tls | undefined;
  /** Version of the PROXY header to send. */
  proxy?: 1 | 2 | undefined;
}

/**
 * echo: closed loop, the next frame is sent when an earlier one is echoed.
 * rate: open loop, frames are due at fixed times whatever the server does.
 * connect: connect, one echo, close, repeat.
 * idle: hold connections and echo on a few of them in turn.
 * mixed: well-behaved and ill-behaved clients at once; the latencies are those of the well-behaved.
 */
export type Mode = "echo" | "rate" | "connect" | "idle" | "mixed";

export interface LoadOptions extends Partial<Omit<Route, "targets">> {
  mode?: Mode;
  host?: string;
  port: number;
  /** Instead of host and port: connections go to these in turn. */
  targets?: Route["targets"] | undefined;
  /** All of them are opened before the first frame is sent. In mode connect: how many may be open at once. */
  connections?: number;
  /** Frames in flight on each connection. In an open loop, frames due beyond it wait, and the wait counts as latency. */
  window?: number;
  /** Payload bytes per frame, without header or line end. */
  size?: number;
  framing?: Framing;
  /** Modes rate, idle and mixed: frames per second over all connections. Mode connect: connections per second. */
  rate?: number | undefined;
  /** Mode connect: one echo on each connection. */
  echo?: boolean;
  /** Close connections with a reset, which leaves no port in TIME_WAIT. */
  reset?: boolean;
  /** Mode mixed: the shares of its clients. */
  mix?: Mix | undefined;
  /** Mode mixed: payload of the frames of bulk clients and slow readers. */
  bulkSize?: number;
  /** Warm-up before `durationMs` begins: verified and counted, but not measured. */
  warmupMs?: number;
  /** Ends the load after this time. Without this and `frames`, the signal or the end of the last connection ends it. */
  durationMs?: number | undefined;
  /** Ends the load after exactly this many frames, spread evenly over the connections; connections in mode connect. */
  frames?: number | undefined;
  /** A connection with a frame in flight and no reply for this long counts as hung and is closed. */
  replyTimeoutMs?: number;
  connectTimeoutMs?: number;
  connectingAtOnce?: number;
  /** The part of this process in a run over several: its first connection, the total, and its offset within a period. */
  firstId?: number;
  totalConnections?: number;
  phase?: number;
  signal?: AbortSignal | undefined;
  /** Called once a second while connections are opened, with the number opened so far. */
  onOpening?: ((opened: number) => void) | undefined;
  /** Called when all connections are open or failed. The load begins when the returned promise is fulfilled. */
  onOpened?: ((opened: number) => void | Promise<void>) | undefined;
  /** Called when all connections are open and the load begins, with its warm-up. Only by the coordinator. */
  onLoad?: (() => void) | undefined;
  /** Called once a second while the load runs. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Called when a connection has ended, with an error or after all its frames were echoed. */
  onConnectionEnd?: ((outcome: ConnectionOutcome) => void) | undefined;
}

export const DEFAULTS = {
  mode: "echo" as Mode,
  host: "127.0.0.1",
  connections: 100,
  size: 64,
  bulkSize: 16_384,
  framing: "packet2" as Framing,
  echo: true,
  reset: false,
  warmupMs: 0,
  replyTimeoutMs: 5_000,
  connectTimeoutMs: 10_000,
  // High enough to be quick, low enough not to overflow the backlog of a server that is slow to accept.
  connectingAtOnce: 256,
  firstId: 0,
  phase: 0,
};

export type Resolved = LoadOptions & typeof DEFAULTS & { window: number };

const OPEN_WINDOW = 1_024;
const OPEN_WINDOW_BYTES = 256 * 1_024;

export function resolved(options: LoadOptions): Resolved {
  const all = { ...DEFAULTS, ...options };
  const window = options.window ?? defaultWindow(all.mode, all.size);
  return { ...all, window, rate: options.rate ?? defaultRate(all.mode, all.connections, all.mix) };
}

const IDLE_RATE = 100;
const PINGER_RATE = 10;

/** Frames per second; undefined in modes without a schedule. */
export function defaultRate(mode: Mode, connections: number, mix: Mix = DEFAULT_MIX): number | undefined {
  if (mode === "idle") return Math.min(connections, IDLE_RATE);
  if (mode !== "mixed") return undefined;
  const all = Object.values(mix).reduce((sum, share) => sum + share, 0);
  return Math.max(1, Math.round((PINGER_RATE * connections * (mix.pingers ?? 0)) / all));
}

/** Large in an open loop, which must send the frames that are due although no echo arrives. */
export function defaultWindow(mode: Mode, size: number): number {
  if (mode !== "rate" && mode !== "mixed") return 1;
  return Math.max(4, Math.min(OPEN_WINDOW, Math.floor(OPEN_WINDOW_BYTES / (size + 4))));
}
