/** Options of outgoing connections, validated before anything starts: every error names the option and what to write. */
import type { Pid } from "../../otp/process/pid.js";
import { type CheckedDelay, checkDelay, type RestartDelay } from "../../otp/supervisor/restart-delay.js";
import { type Duration, toMs } from "../../otp/time/duration.js";
import { encodeProxyHeader, type ProxyHeaderToSend } from "../../proxy/encode.js";
import { type ClientTlsOptions, clientTerms } from "../../tls/client-terms.js";
import type { ClientTerms } from "../../transport/secure/terms.js";
import type { Peer } from "../../transport/transport.js";
import { pathProblem, shownPath } from "../../transport/unix/socket-path.js";
import type { Arrival } from "../protocol/arrival.js";
import type { InputOf } from "../protocol/options/schema.js";
import type { AnyProtocol } from "../protocol/protocol.js";
import { validateProtocol } from "../protocol/validate/validate.js";

export interface ConnectOptions<Data = any, O = any> {
  /** TCP port of the far end. Either this or `path`. */
  readonly port?: number;
  /** Address or host name. All addresses of a name are tried, 250 ms apart. Default `127.0.0.1`. */
  readonly host?: string;
  /** UNIX socket of the far end; on Linux `@name` for an abstract name. */
  readonly path?: string;
  /** TLS: `true` with the public authorities. The server's chain and name are always verified. Default: no TLS. */
  readonly tls?: true | ClientTlsOptions;
  /** PROXY header that is sent first, before TLS: `{ source: conn.peer, destination: conn.local }`. Default: none. */
  readonly proxy?: ProxyHeaderToSend;
  /**
   * Connects again whenever the connection has ended or could not be opened, with growing pauses: `true` is
   * `{ first: "200ms", max: "15s" }`. No restart of a supervisor is counted. Default: not.
   */
  readonly reconnect?: boolean | RestartDelay;
  /** Registered name of the connection's process while it is open. Default: none. */
  readonly name?: string;
  /** Time for name, connection and TLS together. Default `"5s"`. */
  readonly timeout?: Duration;
  /** Makes `conn.data` instead of the protocol's own `data`. */
  data?(peer: Peer, arrival: Arrival): Data;
  /** Options of the protocol. Default: those of a listener here that serves it, else what its schema makes of nothing. */
  readonly options?: InputOf<O>;
  /** Default: as the server of this OS process, else `"auto"`. */
  readonly transport?: "auto" | "handle" | "stream";
}

/** Options of `connect`. */
export interface LinkedConnectOptions<Data = any, O = any> extends ConnectOptions<Data, O> {
  /**
   * Process to link to, such as the client's connection: an abnormal exit of either ends the other, and one that ends
   * while the connection is being opened cancels it. Default: none.
   */
  readonly link?: Pid | { readonly pid: Pid } | undefined;
}

/** Options that are right, with the defaults filled in. */
export interface CheckedConnect {
  readonly protocol: AnyProtocol;
  readonly target: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Asked for each attempt: a session of the last one may be resumed. */
  readonly tls: (() => ClientTerms) | undefined;
  readonly header: Buffer | undefined;
  readonly reconnect: CheckedDelay | undefined;
  readonly name: string | undefined;
  readonly timeout: number;
  readonly data: ConnectOptions["data"];
  readonly options: object | undefined;
  readonly transport: "auto" | "handle" | "stream" | undefined;
}

const KEYS = [
  "port",
  "host",
  "path",
  "tls",
  "proxy",
  "reconnect",
  "name",
  "timeout",
  "data",
  "options",
  "transport",
];
const DEFAULT_DELAY = { first: "200ms", max: "15s" } as const;
const DEFAULT_TIMEOUT = 5_000;

/**
 * @param further option names that the caller knows
 * @throws TypeError that names the first mistake; TlsError when a certificate or key cannot be used
 */
export function checkConnect(
  protocol: AnyProtocol,
  options: ConnectOptions,
  further: readonly string[] = [],
): CheckedConnect {
  validateProtocol(protocol);
  if (typeof options !== "object" || options === null)
    wrong(
      `the options must be an object such as { host: "db.internal", port: 5432 }, got ${String(options)}`,
    );
  const known = [...KEYS, ...further];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) wrong(`unknown option "${unknown}"; the options are ${known.join(", ")}`);
  const { proxy, name, data, transport, options: own } = options;
  if (name !== undefined && (typeof name !== "string" || name === ""))
    wrong(`"name" must be a non-empty string`);
  if (data !== undefined && typeof data !== "function") wrong(`"data" must be a function (peer) => data`);
  if (own !== undefined && (typeof own !== "object" || own === null))
    wrong(`"options" must be an object of options of the protocol`);
  if (transport !== undefined && !["auto", "handle", "stream"].includes(transport))
    wrong(`"transport" must be "auto", "handle" or "stream"`);
  const target = checkTarget(options);
  return {
    ...{ protocol, target, name, data, transport, options: own },
    tls: checkTls(options, target),
    header: proxy === undefined ? undefined : encodeProxyHeader(proxy),
    reconnect: checkReconnect(options.reconnect),
    timeout: checkTimeout(options.timeout),
  };
}

function checkTarget({ port, host, path }: ConnectOptions): CheckedConnect["target"] {
  if (path !== undefined) {
    if (port !== undefined || host !== undefined)
      wrong(`"path" and "${port === undefined ? "host" : "port"}" are two addresses: remove one of them`);
    if (typeof path !== "string" || path === "") wrong(`"path" must be a path such as "/run/db.sock"`);
    const problem = pathProblem(path);
    if (problem !== undefined) wrong(`"path" ${shownPath(path)}: ${problem}`);
    return { path };
  }
  if (port === undefined) wrong(`"port" is missing: give a whole number from 1 to 65535, or "path"`);
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
    wrong(`"port" must be a whole number from 1 to 65535, got ${String(port)}`);
  if (host !== undefined && (typeof host !== "string" || host === ""))
    wrong(`"host" must be an address or host name such as "db.internal"`);
  return { host: host ?? "127.0.0.1", port: port as number };
}

function checkTls({ tls }: ConnectOptions, target: CheckedConnect["target"]): CheckedConnect["tls"] {
  if (tls === undefined) return undefined;
  if (tls !== true && (typeof tls !== "object" || tls === null))
    wrong(
      `"tls" must be true, or options such as { ca: "ca.pem" }: there is no way to turn verification off`,
    );
  const given = tls === true ? {} : tls;
  const serverName = given.serverName ?? ("host" in target ? target.host : undefined);
  if (serverName === undefined)
    wrong(
      `"tls.serverName" is missing: give the name that the certificate of ${(target as { path: string }).path} is for`,
    );
  return clientTerms(given, serverName as string);
}

function checkReconnect(reconnect: ConnectOptions["reconnect"]): CheckedDelay | undefined {
  if (reconnect === undefined || reconnect === false) return undefined;
  try {
    return checkDelay(reconnect === true ? DEFAULT_DELAY : reconnect);
  } catch (error) {
    return wrong(`"reconnect" must be true, or { first: "200ms", max: "15s" }: ${(error as Error).message}`);
  }
}

function checkTimeout(timeout: Duration = DEFAULT_TIMEOUT): number {
  try {
    return toMs(timeout);
  } catch (error) {
    return wrong(`"timeout": ${(error as Error).message}`);
  }
}

function wrong(what: string): never {
  throw new TypeError(`connect: ${what}`);
}
