/**
 * What travels between the primary and its workers. Every message is one object with a word of ours in `t`
 * and whatever came from elsewhere inside `d`: node:cluster takes a top-level `{ cmd: "NODE_…" }` for its own,
 * so nothing that a client has sent may ever be the message itself.
 */

import type { ConnectionQuery } from "../../control/connections.js";
import type { TraceLine } from "../../control/trace.js";
import type { Level } from "../../telemetry/log/log.js";
import type { Transport } from "../../transport/transport.js";
import type { ProtocolModule } from "../release/protocol-module.js";

/** What the one listener of a worker is called, in labels and commands. */
export const LISTENER = "main";

/** From the primary. */
export type ToWorker =
  | { readonly t: "boot"; readonly d: Boot }
  | { readonly t: "handle"; readonly id: number }
  | { readonly t: "request"; readonly id: number; readonly d: WorkerRequest }
  | { readonly t: "signal"; readonly d: SignalEnvelope }
  | { readonly t: "reopen" }
  /** Whether all records of its log are wanted, or only those that are important. */
  | { readonly t: "follow"; readonly d: boolean }
  | { readonly t: "untrace"; readonly id: number }
  | { readonly t: "log"; readonly d: Level }
  /** Asks how many connections it has. */
  | { readonly t: "load" }
  /** Connections up to which it may accept, and from which on it says how many it has. */
  | { readonly t: "ceiling"; readonly d: { readonly ceiling: number; readonly mark: number } }
  | { readonly t: "stop" };

/** From a worker. */
export type ToPrimary =
  | { readonly t: "hello" }
  | { readonly t: "acquire"; readonly id: number }
  | {
      readonly t: "ready";
      readonly d: { readonly address: string; readonly port: number; readonly transport: string };
    }
  | { readonly t: "failed"; readonly d: { readonly code: number; readonly message: string } }
  | { readonly t: "snapshot"; readonly d: Float64Array }
  | { readonly t: "reply"; readonly id: number; readonly d: unknown }
  /** How many connections it has; `ahead`: unasked, because it has reached the mark. */
  | { readonly t: "loaded"; readonly d: { readonly active: number; readonly ahead: boolean } }
  /** A line of its log, as JSON. */
  | { readonly t: "record"; readonly d: string }
  | { readonly t: "trace"; readonly id: number; readonly d: TraceLine }
  | { readonly t: "signal"; readonly d: SignalEnvelope };

/** All that a worker needs to begin; functions cannot cross, so the protocol is named by its module. */
export interface Boot {
  readonly worker: number;
  /** After which its pids begin. */
  readonly serial: number;
  readonly name: string;
  readonly protocol: ProtocolModule;
  /** Chosen and tried out by the primary. */
  readonly transport: Transport["name"];
  readonly maxConnections: number;
  /** Connections up to which it may accept, and from which on it says how many it has. */
  readonly ceiling: number;
  readonly mark: number;
  /** Whether all records of its log are wanted from the first on. */
  readonly followed: boolean;
  /** Whether it comes up without accepting. */
  readonly suspended: boolean;
  readonly backlog: number;
  readonly shutdown: number;
  readonly idle: number | undefined;
  /** Whether it is measured how long handlers take. */
  readonly timed: boolean;
  /** How long it may stand still, in milliseconds; 0: for ever. */
  readonly watchdog: number;
  /** In milliseconds. */
  readonly lagWarning: number;
  readonly intensity: number;
  /** In seconds. */
  readonly period: number;
  readonly log: {
    readonly level: Level;
    readonly format: "json" | "pretty";
    readonly color: boolean;
    readonly file: string | undefined;
  };
}

/** A message or an exit signal for a process of another OS process. */
export interface SignalEnvelope {
  readonly to: readonly [worker: number, serial: number];
  readonly kind: "send" | "exit";
  readonly payload: unknown;
}

export type WorkerRequest =
  | { readonly name: "tree"; readonly connections: number }
  | { readonly name: "inspect"; readonly serial: number }
  | { readonly name: "kill"; readonly serial: number; readonly reason: string }
  | ViewRequest
  | LimitsRequest;

/** What only looks. Answered with `null` where there is no such process. */
export type ViewRequest =
  | { readonly name: "connections"; readonly query: ConnectionQuery }
  | { readonly name: "state"; readonly serial: number }
  /** Answered with true, then told in `trace` messages of this id, until `untrace` or the end of the process. */
  | { readonly name: "trace"; readonly serial: number; readonly id: number };

/** What changes how a worker serves. */
export type LimitsRequest =
  /** Answered with the state of the listener, after the numbers that hold from then on. */
  | { readonly name: "accept"; readonly accept: boolean }
  /** Heeded from the next numbers on. Who has more connections keeps them. */
  | { readonly name: "limit"; readonly maxConnections: number }
  /** Tells all connections to stop; answered with how many these are. */
  | { readonly name: "cut" };

const VIEWS: readonly string[] = ["connections", "state", "trace"] satisfies ViewRequest["name"][];

export function isView(request: WorkerRequest): request is ViewRequest {
  return VIEWS.includes(request.name);
}

/** By name, so that the compiler misses none. */
const ORDERS: Readonly<Record<ToWorker["t"], true>> = {
  boot: true,
  handle: true,
  request: true,
  signal: true,
  reopen: true,
  follow: true,
  untrace: true,
  log: true,
  load: true,
  ceiling: true,
  stop: true,
};

/** Whether something that came over a worker's channel is an envelope at all; what it says is the primary's word. */
export function isToWorker(message: unknown): message is ToWorker {
  if (typeof message !== "object" || message === null) return false;
  const { t } = message as { t?: unknown };
  return typeof t === "string" && Object.hasOwn(ORDERS, t);
}
