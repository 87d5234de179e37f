/** `serve`: the same supervision tree inside a program or test of the user, in this OS process. */

import type { Pid } from "../otp/process/pid.js";
import { clock } from "../otp/time/clock.js";
import { chooseTransport } from "../transport/choose-transport.js";
import type { Transport } from "../transport/transport.js";
import { SharedMaximum } from "./listener/shared-maximum.js";
import { Instances, MIN_STOP_MS } from "./protocol/compiled/instances.js";
import type { AnyProtocol, Protocol } from "./protocol/protocol.js";
import { validateProtocol } from "./protocol/validate/validate.js";
import { acceptRateOf, ServedListener, type ServingListener, type SharedLimits } from "./serve-listener.js";
import {
  type ServeListenersOptions,
  type ServeOptions,
  validateListenersOptions,
  validateServeOptions,
} from "./serve-options.js";
import { type ServerOptions, startServers, stopServers } from "./server.js";

export type { ServingListener } from "./serve-listener.js";
export type { ServeListenerOptions, ServeListenersOptions, ServeOptions } from "./serve-options.js";

export interface Serving extends ServingListener {
  /** Stops accepting, lets connections finish for the shutdown time, and resolves when all is closed. */
  stop(): Promise<void>;
}

export interface ServingListeners<Name extends string = string> {
  /** By name. */
  readonly listeners: Readonly<Record<Name, ServingListener>>;
  /** Stops all of them at once: as `stop` of one listener. */
  stop(): Promise<void>;
}

/** Servers that this OS process has started. */
let servers = 0;

/**
 * Serves a protocol in this OS process, supervised.
 * @throws TypeError when the protocol or an option has a mistake; Error when `worker.start` fails; TlsError when a certificate or key cannot be
 * served; NodeJS.ErrnoException (`EADDRINUSE`, …) when it cannot listen: a UNIX socket also `ENAMETOOLONG`, `EEXIST` (a file in the way), `EINVAL` (unknown owner or group)
 */
export function serve<O = any>(
  protocol: Protocol<any, any, any, any, any, any, any, O, any>,
  options: ServeOptions<NoInfer<O>>,
): Promise<Serving>;
/**
 * Serves several listeners in this OS process, each with its own protocol, address and limits, under one supervisor:
 * `serve({ listeners: [{ name: "devices", protocol: device, port: 2222 }, …] })`.
 * @throws as `serve` of one; then none listens
 */
export function serve<const Name extends string>(
  options: ServeListenersOptions<Name>,
): Promise<ServingListeners<Name>>;
export async function serve(
  served: AnyProtocol | ServeListenersOptions<string>,
  options?: ServeOptions,
): Promise<Serving | ServingListeners> {
  if (options === undefined && isListenersOptions(served)) return serveListeners(served);
  return serveOne(served as AnyProtocol, options as ServeOptions);
}

function isListenersOptions(served: unknown): served is ServeListenersOptions<string> {
  return typeof served === "object" && served !== null && "listeners" in served;
}

async function serveOne(protocol: AnyProtocol, options: ServeOptions): Promise<Serving> {
  const listener = await prepareListener(protocol, options);
  const { stop } = await start([listener]);
  return { ...listener.serving(), stop };
}

/**
 * A listener that is not started yet.
 * @param change what replaces its transport
 * @throws as `serve`
 */
export async function prepareListener(
  protocol: AnyProtocol,
  options: ServeOptions,
  change = (transport: Transport): Transport => transport,
): Promise<ServedListener> {
  validateProtocol(protocol);
  validateServeOptions(options);
  validateAlpn(options);
  const transport = change(await transportOf(options));
  const prefix = `${protocol.name}#${++servers}.`;
  return new ServedListener({ name: undefined, protocol, options, prefix, transport });
}

async function serveListeners(options: ServeListenersOptions<string>): Promise<ServingListeners> {
  validateListenersOptions(options);
  const { listeners, maxConnections = Infinity } = options;
  for (const listener of listeners) {
    validateProtocol(listener.protocol);
    validateAlpn(listener);
  }
  const transports = await Promise.all(listeners.map(transportOf));
  const server = ++servers;
  const made: ServedListener[] = [];
  try {
    for (const [at, { name, protocol, ...own }] of listeners.entries()) {
      const [transport, prefix] = [transports[at] as Transport, `server#${server}.${name}.`];
      made.push(new ServedListener({ name, protocol, options: own, prefix, transport }));
    }
  } catch (error) {
    for (const listener of made) listener.stop();
    throw error;
  }
  const endpoints = made.map(({ endpoint }) => endpoint);
  const shared = maxConnections === Infinity ? undefined : new SharedMaximum(endpoints, () => maxConnections);
  const { stop } = await start(made, { shared, rate: acceptRateOf(options) });
  const serving = made.map((listener) => [listener.endpoint.name, listener.serving()] as const);
  return { listeners: Object.fromEntries(serving), stop };
}

function validateAlpn({ alpn = {} }: ServeOptions): void {
  for (const protocol of Object.values(alpn)) validateProtocol(protocol);
}

async function transportOf({ transport = "auto", tls }: ServeOptions): Promise<Transport> {
  return (await chooseTransport(transport, true, tls !== undefined)).transport;
}

/** Starts listeners under a root supervisor. @returns the root, and what stops them */
export async function start(
  listeners: readonly ServedListener[],
  limits: SharedLimits = {},
): Promise<{ readonly root: Pid; readonly stop: () => Promise<void> }> {
  const stop = (): void => {
    for (const listener of listeners) listener.stop();
  };
  let instances: Instances | undefined;
  try {
    instances = new Instances(listeners.map((listener) => listener.served));
    await instances.start();
    const servers = listeners.map((listener, at) => listener.server((instances as Instances).of(at), limits));
    const root = await startServers(servers, FLAGS, instances.children(FLAGS));
    return {
      root,
      stop: () => {
        stop();
        return stopAll(root, instances as Instances, Math.max(...servers.map(shutdownMs)));
      },
    };
  } catch (failure) {
    stop();
    await instances?.stop(1_000);
    throw listeners.map(({ error }) => error).find((error) => error !== undefined) ?? failure;
  }
}

/** Of supervisors of `serve`. */
export const FLAGS = { intensity: 5, period: "60s" } as const;

function shutdownMs({ endpoint }: ServerOptions): number {
  return endpoint.shutdownMs;
}

/** @throws Error when a `worker.stop` fails */
async function stopAll(root: Pid, instances: Instances, ms: number): Promise<void> {
  const deadline = clock.now() + ms;
  await stopServers(root);
  const [failure] = await instances.stop(Math.max(MIN_STOP_MS, deadline - clock.now()));
  if (failure !== undefined) throw new Error(failure);
}
