// What a run of load can be told, by the command and by tests alike.
import type { Route } from "../generator/client/connect.js";
import type { Framing } from "../generator/client/frame-ring.js";
import { DEFAULT_MIX, type Mix } from "./client-mix.js";
import type { ConnectionOutcome, Progress } from "./result.js";

/**
 * echo: the next frame is sent when an earlier one is back (closed loop).
 * rate: frames are due at fixed times, whatever the server does (open loop).
 * connect: connect, one echo, close, again.
 * idle: hold connections and echo on a few of them in turn.
 * mixed: well-behaved and ill-behaved clients at once; the latencies are those of the well-behaved.
 */
export type Mode = "echo" | "rate" | "connect" | "idle" | "mixed";

export interface LoadOptions extends Partial<Omit<Route, "targets">> {
  mode?: Mode;
  host?: string;
  port: number;
  /** In place of host and port: connections go to these in turn. */
  targets?: Route["targets"] | undefined;
  /** All of them are opened before the first frame is sent. In mode connect: how many may be open at once. */
  connections?: number;
  /** Frames in flight on each connection; in an open loop those that are due beyond it wait, and their wait counts. */
  window?: number;
  /** Payload bytes per frame, without header or line end. */
  size?: number;
  framing?: Framing;
  /** Frames due per second over all connections, in the modes rate, idle and mixed; connections in mode connect. */
  rate?: number | undefined;
  /** Mode connect: one echo on each connection. */
  echo?: boolean;
  /** Ends connections with a reset, which leaves no port in TIME_WAIT. */
  reset?: boolean;
  /** Mode mixed: the shares of its clients. */
  mix?: Mix | undefined;
  /** Mode mixed: payload of the frames of bulk clients and slow readers. */
  bulkSize?: number;
  /** Load that is verified and counted, but not measured, before `durationMs` begins. */
  warmupMs?: number;
  /** Ends the load after this time. With neither this nor `frames` only the signal does, or the last connection's end. */
  durationMs?: number | undefined;
  /** Ends the load after exactly this many frames, spread evenly over the connections; connections in mode connect. */
  frames?: number | undefined;
  /** A connection on which a frame is in flight and nothing comes back for this long is hung, and closed. */
  replyTimeoutMs?: number;
  connectTimeoutMs?: number;
  connectingAtOnce?: number;
  /** This process's part of a run over several: which connections are its own, of how many, and where in a period it begins. */
  firstId?: number;
  totalConnections?: number;
  phase?: number;
  signal?: AbortSignal | undefined;
  /** Once a second while connections are opened: how many have been so far. */
  onOpening?: ((opened: number) => void) | undefined;
  /** All connections have opened or failed. The load begins when the returned promise is fulfilled. */
  onOpened?: ((opened: number) => void | Promise<void>) | undefined;
  /** Once a second while the load runs. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** A connection has ended, with an error or after all its frames were echoed. */
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
  // Enough to be quick, few enough not to overflow the kernel queue of a server that is slow to accept.
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

/** Frames a second; undefined where nothing is due at fixed times. */
export function defaultRate(mode: Mode, connections: number, mix: Mix = DEFAULT_MIX): number | undefined {
  if (mode === "idle") return Math.min(connections, IDLE_RATE);
  if (mode !== "mixed") return undefined;
  const all = Object.values(mix).reduce((sum, share) => sum + share, 0);
  return Math.max(1, Math.round((PINGER_RATE * connections * (mix.pingers ?? 0)) / all));
}

/** An open loop must be able to send what is due although nothing comes back. */
export function defaultWindow(mode: Mode, size: number): number {
  if (mode !== "rate" && mode !== "mixed") return 1;
  return Math.max(4, Math.min(OPEN_WINDOW, Math.floor(OPEN_WINDOW_BYTES / (size + 4))));
}
