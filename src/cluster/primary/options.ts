/** Options of the primary: its configuration, and the parts of the program that it reports to. */
import type { Config, Explanation } from "../../config/config.js";
import type { AskedOver } from "../../control/control.js";
import type { NodesOptions } from "../../exchange/nodes/options.js";
import type { LineLevel } from "../../telemetry/log/levels.js";
import type { Log } from "../../telemetry/log/log.js";
import type { Metrics } from "../../telemetry/metrics/metrics.js";
import type { CredentialStore } from "../../tls/credentials/credential-store.js";
import type { Transport } from "../../transport/transport.js";
import type { Releases } from "../release/releases.js";
import type { PrimaryListenerOptions } from "./primary-listener.js";
import type { WorkerProcess, WorkerReport, WorkerState } from "./workers/worker-process.js";

export interface PrimaryOptions {
  readonly config: Config;
  readonly version: string;
  readonly releases: Releases;
  /** The cluster over NATS; `undefined` without `--nats`. */
  readonly nodes?: NodesOptions | undefined;
  /** The transport of listeners that ask for no other. */
  readonly transport: Transport["name"];
  /** At least one. The primary closes their sockets. */
  readonly listeners: readonly PrimaryListenerOptions[];
  /** File that a worker runs, with the argument `worker`. */
  readonly exec: string;
  /** Connections that the file descriptors of this number of workers allow. */
  maxConnections(workers: number): number;
  /** Of the listeners with TLS. */
  readonly credentials: CredentialStore;
  /** Whether a thread in each worker watches its event loop. Default: true. */
  readonly guarded?: boolean;
  readonly color: boolean;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Address of the admin server: `127.0.0.1:9464`. */
  readonly admin: () => string;
  readonly explain: () => readonly Explanation[];
  /** Called when the cluster has an older server of this name. */
  onRefused?(text: string): void;
  /** Called when a command asks the program to stop. */
  onStop(over: AskedOver): void;
}

/** Receiver of log records, traces and state changes of workers. */
export interface Observer {
  onState(worker: WorkerProcess, state: WorkerState): void;
  /** A log record or a line of a trace. */
  onDiagnostics(worker: WorkerProcess, message: Extract<WorkerReport, { t: "record" | "trace" }>): void;
  /** The level from which on workers send their log records. */
  readonly followLevel: LineLevel;
}
