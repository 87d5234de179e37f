// What a run of load can be told, by the command and by tests alike.
import type { Framing } from "./framing.js";
import type { ConnectionOutcome, Progress } from "./result.js";

export interface LoadOptions {
  host?: string;
  port: number;
  /** All of them are opened before the first frame is sent. */
  connections?: number;
  /** Frames in flight on each connection. */
  window?: number;
  /** Payload bytes per frame, without header or line end. */
  size?: number;
  framing?: Framing;
  /** Ends the load after this time. With neither this nor `frames` only the signal does, or the last connection's end. */
  durationMs?: number | undefined;
  /** Ends the load after exactly this many frames, spread evenly over the connections. */
  frames?: number | undefined;
  /** A connection on which a frame is in flight and nothing comes back for this long is hung, and closed. */
  replyTimeoutMs?: number;
  connectTimeoutMs?: number;
  /** The number of the first connection: several generator processes must not send the same bytes. */
  firstId?: number;
  signal?: AbortSignal | undefined;
  /** All connections have opened or failed. The load begins when the returned promise is fulfilled. */
  onOpened?: ((opened: number) => void | Promise<void>) | undefined;
  /** Once a second while the load runs. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** A connection has ended, with an error or after all its frames were echoed. */
  onConnectionEnd?: ((outcome: ConnectionOutcome) => void) | undefined;
}

export const DEFAULTS = {
  host: "127.0.0.1",
  connections: 100,
  window: 1,
  size: 64,
  framing: "packet2" as Framing,
  replyTimeoutMs: 5_000,
  connectTimeoutMs: 10_000,
  firstId: 0,
};
