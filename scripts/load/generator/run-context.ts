// What clients are given: the state that all clients of a run share, and the options of one client.
import type { Kind } from "../both-sides/client-mix.js";
import type { Framing } from "../both-sides/framing.js";
import type { Histogram } from "../both-sides/histogram.js";
import type { Route } from "../both-sides/options.js";
import type { Tally } from "../both-sides/result.js";

/** Shared by all clients of a run. `Client` is the class of client.ts, which imports this file. */
export interface RunContext<Client> {
  route: Route;
  framing: Framing;
  reset: boolean;
  /** All sockets read into this one buffer: it is consumed before the next read begins. */
  readBuffer: Buffer;
  tally: Tally;
  /** From the start of a connect until frames can be sent. */
  connectLatency: Histogram;
  /** Number of connections in each of these states now. */
  gauges: { connecting: number; unsettled: number; alive: number };
  /** The index of the next connection to be opened. */
  nextIndex(): number;
  /** A gauge has changed. */
  changed(): void;
  /** Data was read at this time: frames that have become due can be sent without waiting for the timer. */
  received(now: number): void;
  began(client: Client): void;
  ended(client: Client): void;
}

/** Frame size and window of one client, and the histogram for its latencies. */
export interface ClientOptions {
  kind: Kind;
  size: number;
  window: number;
  latency: Histogram;
}
