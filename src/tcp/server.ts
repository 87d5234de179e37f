/**
 * The tutorial's `tcp_server_app`: the tree of one worker. Connections come before the listener, so that on
 * the way down accepting stops first and what is connected drains.
 */

import type { Pid } from "../otp/process/pid.js";
import { type Process, processOf } from "../otp/process/process.js";
import { register } from "../otp/process/registry.js";
import type { ChildSpec } from "../otp/supervisor/child-spec.js";
import { DynamicSupervisor } from "../otp/supervisor/dynamic/dynamic-supervisor.js";
import { startSupervisor } from "../otp/supervisor/supervisor.js";
import type { Duration } from "../otp/time/duration.js";
import { stream } from "../transport/stream.js";
import type { ListenTarget, Transport } from "../transport/transport.js";
import type { AcceptQuota } from "./accept-quota.js";
import { Connection } from "./connection/connection.js";
import type { Endpoint } from "./endpoint.js";
import { Listener } from "./listener.js";
import type { CompiledProtocol } from "./protocol/compiled-protocol.js";

export interface ServerOptions {
  /** Comes before the registered names of its processes, where one OS process runs several. Default none. */
  readonly prefix?: string;
  readonly endpoint: Endpoint;
  /** What its connections speak. */
  readonly protocol: CompiledProtocol;
  acquire(): Promise<ListenTarget>;
  readonly renewable: boolean;
  /** Where others accept on the same listening socket. */
  readonly quota?: AcceptQuota;
  /** Default `stream`. */
  readonly transport?: Transport;
  /** Read again whenever a child is started. */
  readonly maxConnections: number;
  /** Whether the listener comes up without accepting. Default false; read as `maxConnections`. */
  readonly suspended?: boolean;
  /** Default 1024. */
  readonly backlog?: number;
  /** How long a connection gets to finish. Default `"2s"`. */
  readonly shutdown?: Duration;
  readonly intensity?: number;
  readonly period?: Duration;
}

/**
 * Starts a listener and its connections under a supervisor of their own.
 * @throws ProcessExit when the listener cannot listen
 */
export function startServer(options: ServerOptions): Promise<Pid> {
  const { prefix = "", intensity = 5, period = "60s" } = options;
  return startSupervisor("tcp_server", { strategy: "one_for_one", intensity, period }, [
    connections(`${prefix}connections`, options),
    listener(`${prefix}listener`, `${prefix}connections`, options),
  ]);
}

/** The tutorial's `tcp_client_sup`. */
function connections(name: string, options: ServerOptions): ChildSpec {
  const { endpoint, protocol, shutdown = "2s" } = options;
  const start = (parent: { process: Process | undefined }) =>
    new Connection(endpoint, protocol, parent.process).pid;
  return {
    id: "connections",
    type: "supervisor",
    mfargs: ["supervisor", "start_link", ["connections"]],
    start: (parent) => {
      const mfargs = [protocol.name, "start_link", []] as const;
      const settings = {
        start,
        restart: "temporary",
        shutdown,
        maxChildren: options.maxConnections,
        mfargs,
      } as const;
      const process = new DynamicSupervisor<[]>("connections", settings, processOf(parent));
      register(name, process.pid);
      return process.pid;
    },
  };
}

/** The tutorial's `tcp_listener`. */
function listener(name: string, connectionsName: string, options: ServerOptions): ChildSpec {
  const { endpoint, protocol, acquire, renewable, quota, transport = stream, backlog = 1024 } = options;
  return {
    id: "listener",
    shutdown: "2s",
    mfargs: ["listener", "start_link", [protocol.name]],
    start: async (parent) => {
      const settings = {
        registeredAs: name,
        connections: connectionsName,
        endpoint,
        acquire,
        renewable,
        quota,
        transport,
        suspended: options.suspended ?? false,
        backlog,
        // As it is now, not as it was when the listener was started.
        get maxConnections() {
          return options.maxConnections;
        },
      };
      const process = new Listener(settings, processOf(parent));
      await process.init();
      return process.pid;
    },
  };
}
