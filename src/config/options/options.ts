/**
 * Table of all options, one row each. The parsers of flags, environment and files, the help text, `drover config`
 * and the table in the README are all made from it.
 *
 * The flag and the name in the environment follow from the key: `maxSeconds` is `--max-seconds` and
 * `DROVER_MAX_SECONDS`.
 */
import { availableParallelism, hostname } from "node:os";
import { defaultControl } from "../control-path.js";
import { MAX_WORKERS } from "../limits.js";
import {
  account,
  autoOr,
  duration,
  fileMode,
  host,
  integer,
  type Kind,
  natsUrls,
  networks,
  oneOf,
  path,
  rate,
  socketPath,
  text,
} from "./kinds.js";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Input of a computed default. */
export interface DefaultContext {
  readonly env: Environment;
  /** Whether the log goes to a terminal. */
  readonly isTTY: boolean;
  /** The effective `name`. */
  readonly name: string;
}

interface OptionRow<In, Out> {
  readonly kind: Kind<In, Out>;
  readonly default: NoInfer<Out> | ((context: DefaultContext) => NoInfer<Out>);
  /** The default as shown to people, where its value is not enough. */
  readonly defaultText?: string;
  /** Placeholder of the value in the help text. */
  readonly placeholder: string;
  /** Description for `--help`, `drover config --verbose` and the README: one sentence. */
  readonly sentence: string;
  /** Formats the value, instead of the kind's `show`. */
  readonly show?: (value: Out) => string;
  /** Value of the flag without one: `--inspect`. Its own value must follow an equals sign. */
  readonly bare?: string;
  /** Whether it describes the listener `main`, so that it contradicts `listeners` in a file. */
  readonly mainOnly?: true;
}

const PORT = integer(0, 65_535);

const TABLE = {
  name: row({
    kind: text(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 letters, digits, _ or -"),
    default: "drover",
    placeholder: "NAME",
    sentence: "Name of the server, shown in its tree and logs and used in the path of its control socket.",
  }),
  port: row({
    kind: PORT,
    default: 2222,
    placeholder: "PORT",
    sentence: "TCP port to listen on; 0 takes any free port.",
    mainOnly: true,
  }),
  host: row({
    kind: host(),
    default: "::",
    placeholder: "ADDRESS",
    sentence: "Address to listen on; :: is every address, IPv4 and IPv6.",
    mainOnly: true,
  }),
  path: optional({
    kind: socketPath(),
    defaultText: "none: a TCP port",
    placeholder: "PATH",
    sentence: "UNIX socket to listen on instead of a TCP port; on Linux @NAME is an abstract one.",
    mainOnly: true,
  }),
  mode: optional({
    kind: fileMode(),
    defaultText: "0600",
    placeholder: "MODE",
    sentence: "Permissions of the UNIX socket, in octal digits: 0660 lets its group connect.",
    mainOnly: true,
  }),
  owner: optional({
    kind: account("user"),
    defaultText: "the server's user",
    placeholder: "USER",
    sentence: "User that owns the UNIX socket, by name or number.",
    mainOnly: true,
  }),
  group: optional({
    kind: account("group"),
    defaultText: "the server's group",
    placeholder: "GROUP",
    sentence: "Group of the UNIX socket, by name or number.",
    mainOnly: true,
  }),
  workers: row({
    kind: autoOr(1, MAX_WORKERS),
    default: "auto",
    placeholder: "N|auto",
    sentence: "Number of workers; auto is one per available core.",
    show: (value) => (value === "auto" ? `auto (${availableParallelism()})` : String(value)),
  }),
  adminPort: row({
    kind: PORT,
    default: 9464,
    placeholder: "PORT",
    sentence: "TCP port of the admin server: metrics, health, tree, observer page; 0 takes any free port.",
  }),
  adminHost: row({
    kind: host(),
    default: "127.0.0.1",
    placeholder: "ADDRESS",
    sentence: "Address of the admin server; by default only this machine can reach it.",
  }),
  adminTokenFile: optional({
    kind: path(),
    defaultText: "none; on loopback a token is generated at each start",
    placeholder: "FILE",
    sentence:
      "File with the bearer token required for changes over the admin port, and for reads from other machines.",
  }),
  control: row({
    kind: path(),
    default: defaultControl,
    defaultText: "drover-UID/NAME.sock in the user's runtime directory",
    placeholder: "PATH",
    sentence: "Path of the control socket, through which the other commands reach this server.",
  }),
  maxRestarts: row({
    kind: autoOr(0, 1_000_000),
    default: "auto",
    placeholder: "N|auto",
    sentence:
      "Restarts allowed within --max-seconds; at one more the supervisor gives up; auto is 5, or the number of workers where that is more.",
  }),
  maxSeconds: row({
    kind: integer(1, 1_000_000),
    default: 60,
    placeholder: "SECONDS",
    sentence: "Time window in which a supervisor counts restarts.",
  }),
  maxConnections: row({
    kind: autoOr(1, 10_000_000),
    default: "auto",
    placeholder: "N|auto",
    sentence: "Maximum open connections over all workers; auto follows the file-descriptor limit.",
  }),
  backlog: row({
    kind: integer(1, 65_535),
    default: 1024,
    placeholder: "N",
    sentence: "Length of the listen backlog: connections that wait in the kernel to be accepted.",
  }),
  maxMessage: row({
    kind: integer(1, 64 * 1024 * 1024),
    default: 65_536,
    placeholder: "BYTES",
    sentence: "Maximum size of a message to a group, in bytes; a larger one is refused at send.",
  }),
  nats: optional({
    kind: natsUrls(),
    defaultText: "none: this machine only",
    placeholder: "URLS",
    sentence:
      "NATS servers through which several machines share groups and names: nats://n1:4222,tls://n2:4222.",
  }),
  natsCreds: optional({
    kind: path(),
    defaultText: "none; or DROVER_NATS_USER and DROVER_NATS_PASSWORD, or DROVER_NATS_TOKEN",
    placeholder: "FILE",
    sentence: "File with the JWT and the seed of the NATS user, as nsc writes it.",
  }),
  natsCa: optional({
    kind: path(),
    defaultText: "the authorities of Node",
    placeholder: "FILE",
    sentence: "PEM file with the authorities of the NATS servers' certificates.",
  }),
  natsCert: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "PEM file with the client certificate for NATS servers that ask for one.",
  }),
  natsKey: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "PEM file with the private key of --nats-cert.",
  }),
  cluster: row({
    kind: text(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 letters, digits, _ or -"),
    default: ({ name }) => name,
    defaultText: "that of --name",
    placeholder: "NAME",
    sentence: "Name of the cluster: servers that share it, and NATS, share groups and names.",
  }),
  node: row({
    kind: text(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 letters, digits, ., _ or -"),
    default: nodeName,
    defaultText: "the host name",
    placeholder: "NAME",
    sentence: "Name of this server in its cluster, unique there.",
  }),
  nodeTimeout: row({
    kind: duration(1),
    default: 4000,
    placeholder: "DURATION",
    sentence: "Silence after which another server of the cluster counts as gone.",
  }),
  takeOver: row({
    kind: duration(1),
    default: 1000,
    placeholder: "DURATION",
    sentence: "How long a claim of a name waits for the end of the connection that holds it.",
  }),
  outside: row({
    kind: oneOf("on", "off"),
    default: "off",
    placeholder: "SWITCH",
    sentence: "on lets other NATS clients ask names and publish to groups, on the subjects of the cluster.",
  }),
  idleTimeout: optional({
    kind: duration(1),
    defaultText: "the protocol's own, else 2m",
    placeholder: "DURATION",
    sentence: "Close a connection whose client has sent nothing for this long.",
  }),
  shutdown: row({
    kind: duration(0),
    default: 2000,
    placeholder: "DURATION",
    sentence: "Time for each connection to finish when the server stops; then it is closed.",
  }),
  watchdog: row({
    kind: duration(0),
    default: 10_000,
    placeholder: "DURATION",
    sentence: "Kill and replace a worker whose event loop is blocked this long; 0 disables.",
  }),
  lagWarning: row({
    kind: duration(1),
    default: 200,
    placeholder: "DURATION",
    sentence: "Warn when a worker's event-loop lag exceeds this.",
  }),
  handlerLatency: row({
    kind: oneOf("on", "off"),
    default: "off",
    placeholder: "SWITCH",
    sentence: "on measures handler latency and exports it as drover_handler_seconds.",
  }),
  transport: row({
    kind: oneOf("auto", "handle", "stream"),
    default: "auto",
    placeholder: "KIND",
    sentence: "Socket implementation: handle (libuv handles, fast), stream (net.Socket, portable) or auto.",
  }),
  tlsCert: optional({
    kind: path(),
    defaultText: "none: no TLS",
    placeholder: "FILE",
    sentence: "PEM file with the server's certificate, then its issuers; the listener takes TLS only.",
    mainOnly: true,
  }),
  tlsKey: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "PEM file with the private key of --tls-cert.",
    mainOnly: true,
  }),
  tlsPassphraseFile: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "File whose first line is the passphrase of --tls-key.",
    mainOnly: true,
  }),
  tlsClientCa: optional({
    kind: path(),
    defaultText: "none: no client certificates",
    placeholder: "FILE",
    sentence: "PEM file with the authorities of client certificates, which are required with it.",
    mainOnly: true,
  }),
  tlsClientCrl: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "PEM file with the client certificates that --tls-client-ca has revoked.",
    mainOnly: true,
  }),
  tlsClientCerts: optional({
    kind: oneOf("none", "optional", "required"),
    defaultText: "required with --tls-client-ca",
    placeholder: "WHICH",
    sentence: "Whether clients need a certificate: none, optional (checked if given) or required.",
    mainOnly: true,
  }),
  tlsStart: optional({
    kind: oneOf("at_once", "by_protocol"),
    defaultText: "at_once",
    placeholder: "WHEN",
    sentence:
      "When TLS begins: at_once, or by_protocol: in clear until the protocol says startTls(), as STARTTLS does.",
    mainOnly: true,
  }),
  tlsMinVersion: row({
    kind: oneOf("TLSv1.2", "TLSv1.3"),
    default: "TLSv1.2",
    placeholder: "VERSION",
    sentence: "Minimum TLS version: TLSv1.2 or TLSv1.3.",
    mainOnly: true,
  }),
  tlsTicketKeys: optional({
    kind: path(),
    defaultText: "none: generated, replaced every 12 hours",
    placeholder: "FILE",
    sentence: "File with keys of session tickets, 48 bytes each, for several machines behind one address.",
    mainOnly: true,
  }),
  proxyFrom: optional({
    kind: networks(),
    defaultText: "none: no PROXY header",
    placeholder: "NETWORKS",
    sentence:
      "Expect a PROXY header (v1 or v2) on every connection, from these networks only: 10.0.0.0/8,fd00::1 or unix.",
    mainOnly: true,
  }),
  inspect: optional({
    kind: PORT,
    defaultText: "off",
    placeholder: "PORT",
    bare: "9229",
    sentence:
      "Let debuggers attach to worker 1 at this port, to worker 2 at the next, on 127.0.0.1 only; without a port 9229.",
  }),
  allow: optional({
    kind: networks(),
    defaultText: "all",
    placeholder: "NETWORKS",
    sentence:
      "The only networks whose clients are admitted: 10.0.0.0/8,2001:db8::/32; behind a proxy the client's address counts.",
  }),
  deny: optional({
    kind: networks(),
    defaultText: "none",
    placeholder: "NETWORKS",
    sentence: "Networks whose clients are refused, even if --allow has them.",
  }),
  maxPerAddress: optional({
    kind: integer(1, 10_000_000),
    defaultText: "no limit",
    placeholder: "N",
    sentence: "Maximum open connections of one client address, or of one /64 of IPv6, over all workers.",
  }),
  addressRate: optional({
    kind: rate(),
    defaultText: "no limit",
    placeholder: "RATE",
    sentence: "New connections a second of one client address; 10:50 allows 50 at once.",
  }),
  addressBan: row({
    kind: duration(0),
    default: 0,
    defaultText: "0: only while it exceeds it",
    placeholder: "DURATION",
    sentence: "Refuse a client address for this long once it exceeds --max-per-address or --address-rate.",
  }),
  logLevel: row({
    kind: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
    default: "info",
    placeholder: "LEVEL",
    sentence: "Minimum log level: trace, debug, info, warn, error, fatal or silent.",
  }),
  logFile: optional({
    kind: path(),
    defaultText: "none: standard output",
    placeholder: "FILE",
    sentence: "Append the log to this file; SIGUSR2 opens it again after log rotation.",
  }),
  logFormat: row({
    kind: oneOf("json", "pretty"),
    default: ({ isTTY }) => (isTTY ? "pretty" : "json"),
    defaultText: "json, pretty on a terminal",
    placeholder: "FORMAT",
    sentence: "Log format: json (one object per line) or pretty, for reading on a terminal.",
  }),
  config: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "Configuration file that sets options by key: .json, .js, .mjs or .ts.",
  }),
};

type Table = typeof TABLE;

/** Key of an option: its name in a file and in the program. */
export type Key = keyof Table;

/** The effective values of all options. Durations in milliseconds, absolute paths; `undefined` is "not set". */
export type Values = {
  readonly [K in Key]: Table[K] extends { kind: Kind<any, infer Out>; default: infer D }
    ? Out | (D & undefined)
    : never;
};

/** Options that a file or a protocol may set. Durations are milliseconds or text such as `"2m"`. */
export type Settings = {
  readonly [K in Exclude<Key, "config">]?: Table[K] extends { kind: Kind<infer In, any> } ? In : never;
};

export interface Option extends OptionRow<unknown, unknown> {
  readonly key: Key;
  /** `--max-seconds` */
  readonly flag: string;
  /** As help shows it with its value: `--max-seconds SECONDS`, `--inspect[=PORT]`. */
  readonly usage: string;
  /** `DROVER_MAX_SECONDS` */
  readonly env: string;
  readonly defaultText: string;
  readonly show: (value: unknown) => string;
}

/** All options, in the order in which they are shown. */
export const OPTIONS: readonly Option[] = Object.entries(TABLE).map(([key, row]) => toOption(key, row));

/** The host name, without what a node name cannot have. */
function nodeName(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, "-")
      .slice(0, 64) || "node"
  );
}

function row<In, Out>(given: OptionRow<In, Out>): OptionRow<In, Out> {
  return given;
}

/** An option without a default value. */
function optional<In, Out>(given: Omit<OptionRow<In, Out>, "default">) {
  return { ...given, default: undefined };
}

function toOption(key: string, given: OptionRow<any, any>): Option {
  const words = key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
  const show = given.show ?? given.kind.show;
  return {
    ...given,
    key: key as Key,
    flag: `--${words}`,
    usage: given.bare === undefined ? `--${words} ${given.placeholder}` : `--${words}[=${given.placeholder}]`,
    env: `DROVER_${words.replaceAll("-", "_").toUpperCase()}`,
    defaultText: given.defaultText ?? given.kind.show(given.default),
    show: (value) => (value === undefined ? (given.defaultText ?? "") : show(value)),
  };
}
