/**
 * Messages of the IPC channel between the primary and a worker. Every message is an envelope: its type in `t`, its
 * payload in `d`. node:cluster interprets a top-level `{ cmd: "NODE_…" }`, so data from clients never is the message.
 */

import type { ProtocolOption, ProxyConfig } from "../../config/config.js";
import type { AddressQuery, ConnectionQuery } from "../../control/connections.js";
import type { AskFailure } from "../../control/groups.js";
import type { TraceLine } from "../../control/trace.js";
import type { HubQuery } from "../../groups/hub/hub-queries.js";
import type { WhenFull } from "../../tcp/admission/full-policy.js";
import type { AddressBan, AddressRefusal, HeldAddress, Rate } from "../../tcp/admission/terms.js";
import type { OutgoingCounts } from "../../tcp/observe/events.js";
import type { Portable } from "../../tcp/protocol/sources.js";
import type { LineLevel } from "../../telemetry/log/levels.js";
import type { Level } from "../../telemetry/log/log.js";
import type { TlsUpdate } from "../../tls/handshake/server-tls.js";
import type { TlsStart } from "../../tls/options.js";
import type { Transport } from "../../transport/transport.js";
import type { ProtocolModule } from "../release/protocol-module.js";

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
  /** Counters and gauges, once a second and once at the end. */
  | { readonly t: "snapshot"; readonly d: Float64Array }
  /** Outgoing connections, with each snapshot once there were any: their protocols are not known at boot. */
  | { readonly t: "outgoing"; readonly d: readonly OutgoingCounts[] }
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
  /** All connections of the worker, counted anew. */
  readonly held?: readonly HeldAddress[];
}

export type AddressAnswer = readonly [id: number, refusal: AddressRefusal | undefined];

/** Connections of one listener in a worker. */
export interface Load {
  readonly listener: string;
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

/** Accept quota of a listener in a worker, set by the primary to balance connections. */
export interface Quota {
  /** Connections at which the worker stops accepting. */
  readonly quota: number;
  /** Connections from which on the worker reports its load. */
  readonly reportAt: number;
}

/** When a worker stops accepting, and closes connections. */
export interface OverloadTerms {
  /** Lag of the event loop in milliseconds; 0 disables. */
  readonly maxLag: number;
  /** Memory in bytes; `undefined`: not looked at. */
  readonly maxMemory: number | undefined;
}

/** First message to a worker: all that it needs to start. */
export interface Boot {
  readonly worker: number;
  /** OS pid of the primary. */
  readonly primary: number;
  /** Folder of the report that is written when the heap is exhausted. */
  readonly heapReports: string;
  /** Serial of the last pid already given in this worker slot. */
  readonly serial: number;
  readonly name: string;
  /** Maximum size of a message to a group, in bytes. */
  readonly maxMessage: number;
  /** Whether a protocol lists groups or names. */
  readonly groups: boolean;
  /** Milliseconds that a claim of a name waits for the holder. */
  readonly takeOver: number;
  /** Addresses that are banned. */
  readonly bans: readonly AddressBan[];
  /** Path of the exchange's socket, where there is one. */
  readonly exchange: string | undefined;
  /** Functions cannot cross, so a protocol is a module. */
  readonly protocols: readonly ProtocolModule[];
  /** At least one. */
  readonly listeners: readonly BootListener[];
  /** Share of the maximum number of connections over all listeners. */
  readonly maxConnections: number;
  /** Share of the accept rate of all listeners. */
  readonly acceptRate: BootRate;
  /** The level from which on the worker sends its log records; see `follow`. */
  readonly follow: LineLevel;
  /** Certificates and ticket keys of the listeners with TLS, by name. Secret. */
  readonly tls: Readonly<Record<string, Required<TlsUpdate>>>;
  /** Whether handler latency is measured. */
  readonly timed: boolean;
  /** Whether debuggers may attach. */
  readonly inspect: boolean;
  /** Milliseconds without a message after which the primary kills the worker; 0 disables. */
  readonly watchdog: number;
  /** Whether a thread watches the event loop. */
  readonly guarded: boolean;
  /** In milliseconds. */
  readonly lagWarning: number;
  readonly overload: OverloadTerms;
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

/** A share of an accept rate. */
export interface BootRate {
  /** `undefined`: no limit. */
  readonly rate: Rate | undefined;
  /** Connections that may be accepted at once. */
  readonly tokens: number;
}

export interface BootAlpn {
  /** Indexes in `protocols`, by the name that is agreed on. */
  readonly protocols: Readonly<Record<string, number>>;
  /** Whether clients that offer no names get `protocol`. */
  readonly fallback: boolean;
}

/** Whom a listener admits, by address. */
export interface Admission {
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[] | undefined;
  /** Whether addresses have limits, so that the primary is asked. */
  readonly addresses: boolean;
}

/** One listener of a worker. */
export interface BootListener extends Quota, Admission {
  readonly name: string;
  /** Address of the listening socket: shown also while the worker has no copy of it. */
  readonly address: { readonly address: string; readonly port: number };
  /** Index in `protocols`. */
  readonly protocol: number;
  /** Where the TLS handshake chooses. */
  readonly alpn: BootAlpn | undefined;
  /** Chosen by the primary, where it passed the probe. */
  readonly transport: Transport["name"];
  /** Share of the listener's own maximum number of connections; Infinity where it has none. */
  readonly maxConnections: number;
  readonly whenFull: WhenFull;
  /** Share of the listener's own accept rate. */
  readonly acceptRate: BootRate;
  /** Whether it starts without accepting. */
  readonly suspended: boolean;
  readonly backlog: number;
  /** In milliseconds. */
  readonly shutdown: number;
  /** In milliseconds. */
  readonly idle: number | undefined;
  /** PROXY headers are expected, from these networks. */
  readonly proxy: ProxyConfig | undefined;
  /** When TLS begins, where it has TLS. */
  readonly tlsStart: TlsStart | undefined;
  /** Options of its protocols, as they were given. */
  readonly options: readonly ProtocolOption[];
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
  | { readonly failed: AskFailure | "invalid"; readonly message: string };

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

/** Changes whom the listeners admit. The reply is true: by then this, and every request before it, is applied. */
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
