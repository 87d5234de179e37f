// What connections are given: what all of a run share, and what those of one kind do.
import type { Kind } from "../both-sides/client-mix.js";
import type { Histogram } from "../both-sides/histogram.js";
import type { Tally } from "../both-sides/result.js";
import type { Client } from "./client/client.js";
import type { Route } from "./client/connect.js";
import type { Framing } from "./client/frame-ring.js";

/** What all connections of a run share. */
export interface Shared {
  route: Route;
  framing: Framing;
  reset: boolean;
  /** All sockets read into this one buffer: it is used up before the next read begins. */
  readBuffer: Buffer;
  tally: Tally;
  /** From the beginning of a connect until frames can be sent. */
  connectLatency: Histogram;
  /** How many connections are in each of these situations now. */
  gauges: { connecting: number; unsettled: number; alive: number };
  /** The number of the next connection to be dialled. */
  nextTurn(): number;
  /** A gauge has changed. */
  changed(): void;
  /** The loop is awake, at this time: more may be due. */
  received(now: number): void;
  began(client: Client): void;
  ended(client: Client): void;
}

/** What a connection's frames are like, and where their latencies go. */
export interface Shape {
  kind: Kind;
  size: number;
  window: number;
  latency: Histogram;
}
