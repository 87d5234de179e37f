/** Messages between the primary and the exchange, over the IPC channel of the child process: `t` says what, `d` has it. */
import type { Contest } from "../groups/hub/name-row.js";
import type { Transport } from "../transport/transport.js";
import type { ExchangeNumbers } from "./exchange.js";
import type { CarrierEvent } from "./nodes/carrier.js";
import type { NodesOptions } from "./nodes/options.js";

export interface ExchangeBoot {
  /** Path of the UNIX socket, in a folder of its own. */
  readonly path: string;
  /** Of its links: one that works here. */
  readonly transport: Transport["name"];
  /** Workers that are running already. */
  readonly workers: number;
  /** The servers that it shares groups and names with; `undefined`: none. */
  readonly nodes?: NodesOptions | undefined;
  /** When the server was started, in milliseconds of the wall clock with fractions: of two with one name the older stays. */
  readonly startedAt: number;
  /** Milliseconds that a claim waits for the holder. */
  readonly takeOver: number;
}

export type ToExchange = { readonly t: "boot"; readonly d: ExchangeBoot } | { readonly t: "stop" };

export type FromExchange =
  /** It listens on the channel. */
  | { readonly t: "hello" }
  /** Workers can connect. */
  | { readonly t: "ready" }
  | { readonly t: "failed"; readonly d: string }
  /** The cluster has an older server of this name. */
  | { readonly t: "refused"; readonly d: string }
  /** Something that belongs into the log. */
  | { readonly t: "event"; readonly d: CarrierEvent }
  | { readonly t: "contested"; readonly d: Contest }
  /** Once a second. */
  | { readonly t: "numbers"; readonly d: ExchangeNumbers };
