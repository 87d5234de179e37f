/**
 * Listeners of the server: where each listens, and what it serves. `Config.listeners` always has at least one: without
 * `listeners` in the configuration file it is `main`, made from the options.
 */
import type { WhenFull } from "../tcp/admission/full-policy.js";
import type { ProxyConfig } from "./listeners/proxy.js";
import { type TlsConfig, tlsOfOptions } from "./listeners/tls.js";
import type { Values } from "./options/options.js";
import type { ProtocolOption } from "./protocol-options.js";

export type { ProxyConfig } from "./listeners/proxy.js";
export { TLS_FLAGS, type TlsConfig } from "./listeners/tls.js";

/** Name of the only listener where the configuration has no `listeners`. */
export const MAIN = "main";

/**
 * One listener. Durations in milliseconds, absolute paths. Its address is `path` (UNIX socket) if that is set, else
 * `systemd` (inherited socket of this name), else `host` and `port`.
 */
export interface ListenerConfig {
  /** Unique; label of its metrics and argument of `drover suspend`. */
  readonly name: string;
  /** Built-in name or absolute path; `undefined`: the one that the command line names, or only those of `alpn`. */
  readonly protocol: string | undefined;
  /** IP address or host name. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly path?: string | undefined;
  /** Permission bits of the UNIX socket. */
  readonly mode?: number | undefined;
  /** Owner and group of the UNIX socket: names or numeric ids. */
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  /** Name in `LISTEN_FDNAMES` of the inherited socket. */
  readonly systemd?: string | undefined;
  readonly transport: "auto" | "handle" | "stream";
  /** Maximum open connections of this listener over all workers; `undefined`: only the limit of all listeners together. */
  readonly maxConnections: number | undefined;
  /** What a client meets at its limit, or that of all listeners together; `undefined`: as at the others. */
  readonly whenFull?: WhenFull | undefined;
  /** New connections a second over all workers; `undefined`: only the rate of all listeners together. */
  readonly acceptRate?: string | undefined;
  readonly backlog: number;
  readonly shutdown: number;
  /** `undefined`: the protocol's own. */
  readonly idleTimeout: number | undefined;
  /** Limits on each connection; `undefined`: those of the server, else the protocol's own. */
  readonly firstFrame?: number | undefined;
  readonly lifetime?: number | undefined;
  readonly framesPerSecond?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  /** Limits on one client address at this listener, beside those of the server. */
  readonly maxPerAddress?: number | undefined;
  readonly addressRate?: string | undefined;
  readonly addressBan?: number | undefined;
  readonly tls?: TlsConfig | undefined;
  readonly proxy?: ProxyConfig | undefined;
  /** Protocol by the name that is agreed on in the TLS handshake (ALPN). */
  readonly alpn?: Readonly<Record<string, string>> | undefined;
  /** Options of its protocols, as they were given for it or for all listeners: the last one of a key counts. */
  readonly options?: readonly ProtocolOption[] | undefined;
}

/** The listener `main`, from the options. */
export function mainListener(values: Values): ListenerConfig {
  const { host, port, path, mode, owner, group, transport, backlog, shutdown, idleTimeout } = values;
  return Object.freeze({
    ...{ name: MAIN, protocol: undefined, host, port },
    ...(path !== undefined && { path, mode, owner, group }),
    ...{ transport, maxConnections: undefined, backlog, shutdown, idleTimeout },
    ...{ allow: values.allow, deny: values.deny },
    tls: tlsOfOptions(values),
    ...(values.proxyFrom !== undefined && { proxy: { from: values.proxyFrom } }),
  });
}

/**
 * A listener with all options that are given for its protocols: a flag overrides the listener, that all listeners.
 * @param file those for all listeners
 */
export function withOptions(
  listener: ListenerConfig,
  file: readonly ProtocolOption[] = [],
  flags: readonly ProtocolOption[] = [],
): ListenerConfig {
  const common = (one: ProtocolOption): ProtocolOption => ({ ...one, common: true });
  const options = [...file.map(common), ...(listener.options ?? []), ...flags.map(common)];
  return options.length === 0 ? listener : Object.freeze({ ...listener, options });
}
