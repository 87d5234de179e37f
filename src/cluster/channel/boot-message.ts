/** Payload of the message `boot`, the first one to a worker: all that it needs to start. */
import type { ProtocolOption, ProxyConfig } from "../../config/config.js";
import type { WhenFull } from "../../tcp/admission/full-policy.js";
import type { AddressBan, Rate } from "../../tcp/admission/terms.js";
import type { LineLevel } from "../../telemetry/log/levels.js";
import type { Level } from "../../telemetry/log/log.js";
import type { TlsUpdate } from "../../tls/handshake/server-tls.js";
import type { TlsStart } from "../../tls/options.js";
import type { Transport } from "../../transport/transport.js";
import type { ProtocolModule } from "../release/protocol-module.js";
import type { Admission, OverloadTerms, Quota } from "./limit-terms.js";

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
