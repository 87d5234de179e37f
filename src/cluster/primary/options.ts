/** What the primary is given: its configuration, and the parts of the program that it reports to. */
import type { Config, Explanation } from "../../config/config.js";
import type { Log } from "../../telemetry/log/log.js";
import type { Metrics } from "../../telemetry/metrics/metrics.js";
import type { Transport } from "../../transport/transport.js";
import type { Release } from "../release/release.js";
import type { WorkerOwner } from "./worker-process.js";

export interface PrimaryOptions {
  readonly config: Config;
  readonly version: string;
  readonly protocol: Release;
  readonly transport: Transport["name"];
  /** Of the socket to listen on, where somebody else has bound it; otherwise the configured address is bound. */
  readonly listenFd?: number | undefined;
  /** The program that a worker runs: started with the argument `worker`. */
  readonly exec: string;
  /** Connections at most over so many workers. */
  maxConnections(workers: number): number;
  readonly color: boolean;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Where the admin server listens: `127.0.0.1:9464`. */
  readonly admin: () => string;
  readonly explain: () => readonly Explanation[];
  /** Told when somebody asks the program to stop. */
  onStop(): void;
}

/** Who looks at workers. */
export interface Observer extends Pick<WorkerOwner, "onTold" | "onState"> {
  /** Whether all that they log is wanted. */
  readonly followed: boolean;
}
