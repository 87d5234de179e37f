/**
 * Messages of the IPC channel between the primary and a worker. Every message is an envelope: its type in `t`, its
 * payload in `d`. node:cluster interprets a top-level `{ cmd: "NODE_…" }`, so data from clients never is the message.
 */

import type { TraceLine } from "../../control/trace.js";
import type { AddressBan, AddressRefusal, HeldAddress } from "../../tcp/admission/terms.js";
import type { OutgoingCounts } from "../../tcp/observe/events.js";
import type { LineLevel } from "../../telemetry/log/levels.js";
import type { Level } from "../../telemetry/log/log.js";
import type { TlsUpdate } from "../../tls/handshake/server-tls.js";
import type { Boot } from "./boot-message.js";
import type { Quota } from "./limit-terms.js";
import type { WorkerRequest } from "./requests.js";

/** Messages from the primary to a worker. */
export type ToWorker =
  /** Answers `hello`. */
  | { readonly t: "boot"; readonly d: Boot }
  /** Answers `acquire` with the listener's name; the handle travels beside the message. */
  | { readonly t: "handle"; readonly d: string }
  | { readonly t: "request"; readonly id: number; readonly d: WorkerRequest }
  | { readonly t: "signal"; readonly d: SignalEnvelope }
  /** Reopens the log file. */
  | { readonly t: "reopen" }
  /** The level from which on the worker sends its log records; warnings and errors at least. */
  | { readonly t: "follow"; readonly d: LineLevel }
  | { readonly t: "untrace"; readonly id: number }
  /** The exchange was started, at this path. */
  | { readonly t: "exchange"; readonly d: string }
  /** Sets the minimum log level. */
  | { readonly t: "log"; readonly d: Level }
  /** Asks for the number of connections of this listener. */
  | { readonly t: "load"; readonly d: string }
  | { readonly t: "quota"; readonly d: Quota & { readonly listener: string } }
  /** Certificates or ticket keys that new handshakes of a listener use. Secret. */
  | { readonly t: "tls"; readonly d: { readonly listener: string; readonly update: TlsUpdate } }
  /** Answers `addresses`. */
  | { readonly t: "addresses"; readonly d: readonly AddressAnswer[] }
  /** All addresses that are banned. */
  | { readonly t: "bans"; readonly d: readonly AddressBan[] }
  /** Ends the connections of this address, or /64. */
  | { readonly t: "end-address"; readonly d: string }
  /** Drains and exits. */
  | { readonly t: "stop" };

/** Messages from a worker to the primary. */
export type ToPrimary =
  /** The worker listens on the channel: what is sent to a module that is still loading is lost. */
  | { readonly t: "hello" }
  /** Asks for a copy of this listener's listening socket. */
  | { readonly t: "acquire"; readonly d: string }
  /** Debuggers may attach, at this URL. */
  | { readonly t: "inspector"; readonly d: string }
  /** All listeners accept, or are suspended. */
  | { readonly t: "ready"; readonly d: readonly Served[] }
  /** The start failed; the worker exits with `code`. */
  | { readonly t: "failed"; readonly d: { readonly code: number; readonly message: string } }
  /** The last message: the worker exits with `code`, which is to take no longer than an exit handler may. */
  | { readonly t: "exiting"; readonly d: { readonly code: number } }
  /** Counters and gauges of one moment, once a second and once at the end. */
  | { readonly t: "snapshot"; readonly d: WorkerNumbers }
  /** Answers `request`. */
  | { readonly t: "reply"; readonly id: number; readonly d: unknown }
  | { readonly t: "load"; readonly d: Load }
  /** A listener has become full, or is no longer. */
  | { readonly t: "full"; readonly d: Full }
  /** Clients that connect, and connections that have ended, by address. */
  | { readonly t: "addresses"; readonly d: AddressCalls }
  /** The worker exits: code of a connection from this address has thrown outside of any process. */
  | { readonly t: "threw"; readonly d: string }
  /** A log record, as JSON. */
  | { readonly t: "record"; readonly d: string }
  | { readonly t: "trace"; readonly id: number; readonly d: TraceLine }
  | { readonly t: "signal"; readonly d: SignalEnvelope };

export interface WorkerNumbers {
  /** See `telemetry/metrics/snapshot.ts`. */
  readonly snapshot: Float64Array;
  /** Outgoing connections: their protocols are not known at boot. */
  readonly outgoing: readonly OutgoingCounts[];
}

/** Where a listener of a worker accepts. */
export interface Served {
  readonly listener: string;
  readonly address: string;
  readonly port: number;
  readonly transport: string;
}

/** By group of addresses; see `tcp/admission/address-ledger.ts`. */
export interface AddressCalls {
  readonly take: readonly (readonly [id: number, listener: string, group: string])[];
  readonly give: readonly (readonly [listener: string, group: string])[];
  /** Connections whose answer was no, but that were admitted before it came. */
  readonly over: readonly (readonly [listener: string, group: string])[];
  /** All connections of the worker, counted anew. */
  readonly held?: readonly HeldAddress[];
}

export type AddressAnswer = readonly [id: number, refusal: AddressRefusal | undefined];

/** Connections of one listener in a worker. */
export interface Load {
  readonly listener: string;
  /** With accepted clients on which the gate has not decided. */
  readonly active: number;
  /** Connections that it may have at present. */
  readonly limit: number;
  /** Whether it is sent unasked, because it has reached `reportAt`. */
  readonly ahead: boolean;
}

/** Whether a listener of a worker is at its limit. */
export interface Full {
  readonly listener: string;
  readonly full: boolean;
}

/** A message, a cast or an exit signal for a process of another OS process. */
export interface SignalEnvelope {
  readonly to: readonly [worker: number, serial: number];
  readonly kind: "send" | "cast" | "exit";
  /** Serialized by the sender's OS process; the primary passes it on unread. See `signal-payload.ts`. */
  readonly payload: Uint8Array;
  /** Whether the payload has pids. */
  readonly pids: boolean;
}
