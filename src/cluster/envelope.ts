/**
 * What travels between the primary and its workers. Every message is one object with a word of ours in `t`
 * and whatever came from elsewhere inside `d`: node:cluster takes a top-level `{ cmd: "NODE_…" }` for its own,
 * so nothing that a client has sent may ever be the message itself.
 */

import type { Transport } from "../transport/transport.js";
import type { ProtocolModule } from "./release.js";

/** From the primary. */
export type ToWorker =
  | { readonly t: "boot"; readonly d: Boot }
  | { readonly t: "handle"; readonly id: number }
  | { readonly t: "request"; readonly id: number; readonly d: WorkerRequest }
  | { readonly t: "signal"; readonly d: SignalEnvelope }
  | { readonly t: "reopen" }
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
  | { readonly t: "signal"; readonly d: SignalEnvelope };

/** All that a worker needs to begin; functions cannot cross, so the protocol is named by its module. */
export interface Boot {
  readonly worker: number;
  readonly name: string;
  readonly protocol: ProtocolModule;
  /** Chosen and tried out by the primary. */
  readonly transport: Transport["name"];
  readonly maxConnections: number;
  readonly backlog: number;
  readonly shutdown: number;
  readonly idle: number | undefined;
  readonly intensity: number;
  /** In seconds. */
  readonly period: number;
  readonly log: { readonly level: string; readonly format: "json" | "pretty"; readonly color: boolean };
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
  | { readonly name: "kill"; readonly serial: number; readonly reason: string };

const WORDS: readonly unknown[] = [
  "hello",
  "boot",
  "handle",
  "request",
  "signal",
  "reopen",
  "stop",
  "acquire",
  "ready",
  "failed",
  "snapshot",
  "reply",
];

/** Whether something that came over the channel is an envelope at all. */
export function isEnvelope(message: unknown): message is ToWorker | ToPrimary {
  return typeof message === "object" && message !== null && WORDS.includes((message as { t?: unknown }).t);
}
