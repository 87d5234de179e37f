/**
 * Supervision tree of one worker (the tutorial's `tcp_server_app`). `connections` is listed before `listener`: at
 * shutdown, in reverse order, accepting stops first and the connections drain.
 *
 *   one listener: tcp_server ─ connections, listener     several: listeners ─┬─ devices ─ connections, listener
 *                                                                            └─ secure ─ connections, listener
 */

import type { Pid } from "../otp/process/pid.js";
import { type Process, processOf } from "../otp/process/process.js";
import { register } from "../otp/process/registry.js";
import type { ChildSpec } from "../otp/supervisor/child-spec.js";
import { DynamicSupervisor } from "../otp/supervisor/dynamic/dynamic-supervisor.js";
import { Supervisor, startSupervisor, stopSupervisor, supervisor } from "../otp/supervisor/supervisor.js";
import { type Duration, toMs } from "../otp/time/duration.js";
import { stream } from "../transport/stream/stream.js";
import type { ListenTarget, Transport } from "../transport/transport.js";
import type { AcceptRates } from "./admission/accept-rates.js";
import type { FullPolicy } from "./admission/full-policy.js";
import { Connection } from "./connection/connection.js";
import type { Endpoint } from "./endpoint.js";
import type { AcceptQuota } from "./listener/accept-quota.js";
import { Listener } from "./listener/listener.js";
import type { SharedMaximum } from "./listener/shared-maximum.js";
import type { CompiledProtocol } from "./protocol/compiled/compiled-protocol.js";
import { CHILDREN } from "./protocol/compiled/instances.js";

/** One listener with its connections. */
export interface ServerOptions {
  /** Prefix of the registered names `connections` and `listener`. Default: none. */
  readonly prefix?: string;
  readonly endpoint: Endpoint;
  /** The protocol of new connections. */
  readonly protocol: CompiledProtocol;
  acquire(): Promise<ListenTarget>;
  readonly renewable: boolean;
  /** Address of the listening socket, where it is known before `acquire`: a listener that starts suspended shows it. */
  readonly address?: { readonly address: string; readonly port: number };
  /** Where other workers accept on the same listening socket. */
  readonly quota?: AcceptQuota;
  /** Watches the descriptors that accepted sockets take. */
  readonly descriptors?: { accepted(fd: number): void };
  /** Default `stream`. */
  readonly transport?: Transport;
  /** Maximum number of connections; read again at each start of a child. */
  readonly maxConnections: number;
  /** Maximum over all listeners of this OS process. Default: none. */
  readonly shared?: SharedMaximum | undefined;
  /** What the listener does with clients at its limit. Default: they wait. */
  readonly full?: FullPolicy | undefined;
  /** Bounds on new connections in a second. Default: none. */
  readonly rates?: AcceptRates | undefined;
  /** Whether the worker is overloaded: it does not accept then. Default: never. */
  readonly overloaded?: () => boolean;
  /** Whether the listener starts suspended. Default false; read again at each start of the listener. */
  readonly suspended?: boolean;
  /** Default 1024. */
  readonly backlog?: number;
  /** Time a connection has to finish at shutdown. Default `"2s"`. */
  readonly shutdown?: Duration;
}

/** Restart intensity of each supervisor. */
export interface ServerFlags {
  /** Default 5. */
  readonly intensity?: number;
  /** Default `"60s"`. */
  readonly period?: Duration;
}

/**
 * Starts listeners and their connections under one supervisor: `tcp_server`, or `listeners` over one `tcp_server` for
 * each, which has the listener's name.
 * @param servers at least one; several have different names and prefixes
 * @param before children that start before them
 * @throws ProcessExit when a listener cannot listen
 */
export function startServers(
  servers: readonly ServerOptions[],
  { intensity = 5, period = "60s" }: ServerFlags = {},
  before: readonly ChildSpec[] = [],
): Promise<Pid> {
  const flags = { strategy: "one_for_one", intensity, period } as const;
  const [only, ...more] = servers;
  if (only !== undefined && more.length === 0)
    return startSupervisor("tcp_server", flags, [...before, ...children(only)]);
  return startSupervisor("listeners", flags, [
    ...before,
    ...servers.map((server) => supervisor(server.endpoint.name, flags, children(server))),
  ]);
}

/** One listener with its connections as a child of another supervisor: `tcp_server`. */
export function serverSpec(
  options: ServerOptions,
  { intensity = 5, period = "60s" }: ServerFlags = {},
  before: readonly ChildSpec[] = [],
): ChildSpec {
  const flags = { strategy: "one_for_one", intensity, period } as const;
  return supervisor("tcp_server", flags, [...before, ...children(options)]);
}

/** As `startServers`, for one listener. */
export function startServer(options: ServerOptions & ServerFlags): Promise<Pid> {
  return startServers([options], options);
}

/**
 * Stops all listeners, drains their connections, and resolves when all is closed. A supervisor alone would stop one
 * listener after the other, and the last would still accept while the connections of the first drain.
 * @param root as returned by `startServers`
 */
export async function stopServers(root: Pid): Promise<void> {
  const servers = (processOf(root)?.links ?? []).filter((pid) => isServer(processOf(pid)));
  // The root is told first: it does not restart what ends after that.
  await Promise.all([root, ...servers].map((pid) => stopSupervisor(pid)));
}

/** Whether it is the `tcp_server` of one of several listeners. Children of protocols stop after the connections. */
function isServer(process: Process | undefined): boolean {
  return process instanceof Supervisor && !process.id.includes(CHILDREN);
}

function children(options: ServerOptions): ChildSpec[] {
  const { prefix = "" } = options;
  return [
    connections(`${prefix}connections`, options),
    listener(`${prefix}listener`, `${prefix}connections`, options),
  ];
}

/** The tutorial's `tcp_client_sup`. */
function connections(name: string, options: ServerOptions): ChildSpec {
  const { endpoint, protocol, shutdown = "2s" } = options;
  endpoint.shutdownMs = shutdown === Infinity ? Infinity : toMs(shutdown);
  const start = (parent: Pid) => new Connection(endpoint, protocol, processOf(parent)).pid;
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
  const {
    endpoint,
    protocol,
    acquire,
    renewable,
    quota,
    descriptors,
    transport = stream,
    backlog = 1024,
  } = options;
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
        descriptors,
        shared: options.shared,
        rates: options.rates,
        full: options.full,
        fullFrame: protocol.full,
        transport,
        address: options.address,
        suspended: options.suspended ?? false,
        overloaded: options.overloaded,
        backlog,
        // The present value, not the one at the start of the listener.
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
