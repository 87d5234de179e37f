/** Requests of the primary to a worker: their payloads and replies. They travel in the envelopes `request` and `reply`. */
import type { AddressQuery, ConnectionQuery } from "../../control/connections.js";
import type { AskFailure } from "../../control/groups.js";
import type { HubQuery } from "../../groups/hub/hub-queries.js";
import type { WhenFull } from "../../tcp/admission/full-policy.js";
import type { Rate } from "../../tcp/admission/terms.js";
import type { Portable } from "../../tcp/protocol/sources.js";
import type { Admission, OverloadTerms } from "./limit-terms.js";

export type WorkerRequest =
  | { readonly name: "tree"; readonly connections: number }
  /** The reply is true, sent after a snapshot taken now. */
  | { readonly name: "snapshot" }
  | { readonly name: "inspect"; readonly serial: number }
  | { readonly name: "kill"; readonly serial: number; readonly reason: string }
  | { readonly name: "connections"; readonly query: ConnectionQuery }
  | { readonly name: "addresses"; readonly query: AddressQuery }
  /** Whether a debugger is attached: a loop that stands still is not blocked then. The reply is true. */
  | { readonly name: "debugged"; readonly on: boolean }
  | ViewRequest
  | LimitsRequest
  /** Replaces the terms of overload. The reply is true. */
  | { readonly name: "overload"; readonly terms: OverloadTerms }
  | AdmissionRequest
  | HubRequest;

/** Requests to the hub of groups and names, which every worker can reach. The reply is a `HubReply`. */
export type HubRequest =
  | { readonly name: "hub"; readonly query: HubQuery }
  | { readonly name: "ask"; readonly to: string; readonly body: Portable; readonly within: number }
  | { readonly name: "publish"; readonly group: string; readonly body: Portable };

export type HubReply =
  | { readonly answer: unknown }
  | { readonly failed: AskFailure | "invalid" | "too_large"; readonly message: string };

const HUB: readonly string[] = ["hub", "ask", "publish"] satisfies HubRequest["name"][];

export function isHubRequest(request: WorkerRequest): request is HubRequest {
  return HUB.includes(request.name);
}

/** Requests that only read one process. The reply is `null` when there is no such process. */
export type ViewRequest =
  | { readonly name: "state"; readonly serial: number }
  /** The reply is true; then come `trace` messages with this id, until `untrace` or the end of the process. */
  | { readonly name: "trace"; readonly serial: number; readonly id: number };

/** Requests that change whether, and how many connections, a worker accepts. */
export type LimitsRequest =
  /** The reply is the state of the listener, sent after a snapshot that shows the change. */
  | { readonly name: "accept"; readonly listener: string; readonly accept: boolean }
  /**
   * Sets the share of one listener's limit, or of the limit of all listeners. Takes effect with the next snapshot.
   * Connections above the limit are kept. The reply is the number of connections.
   */
  | { readonly name: "limit"; readonly listener: string | undefined; readonly maxConnections: number }
  /** What a listener does at its limit, and whether those of all workers have reached it. */
  | {
      readonly name: "when-full";
      readonly listener: string;
      readonly mode: WhenFull;
      readonly everywhere: boolean;
    }
  /** Sets the share of one listener's accept rate, or of that of all listeners; `undefined`: no limit. */
  | { readonly name: "accept-rate"; readonly listener: string | undefined; readonly rate: Rate | undefined }
  /** Shuts all connections down, of one listener or of all; the reply is their number. */
  | { readonly name: "shutdown-connections"; readonly listener: string | undefined };

/** Changes which clients the listeners admit. The reply is true: by then this, and every request before it, is applied. */
export interface AdmissionRequest {
  readonly name: "admission";
  /** In the order of the boot message. */
  readonly listeners: readonly Admission[];
  /** Whether the worker has all its connections counted by address before it replies. */
  readonly recount: boolean;
}

const VIEWS: readonly string[] = ["state", "trace"] satisfies ViewRequest["name"][];

export function isView(request: WorkerRequest): request is ViewRequest {
  return VIEWS.includes(request.name);
}
