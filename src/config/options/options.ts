/**
 * One row per option. The parsers of flags, environment and files, the help text, `drover config` and the
 * table in the README are all made from these rows, so that they cannot say different things.
 *
 * The flag and the name in the environment follow from the key: `maxSeconds` is `--max-seconds` and
 * `DROVER_MAX_SECONDS`.
 */
import { availableParallelism } from "node:os";
import { defaultControl } from "../control-path.js";
import { MAX_WORKERS } from "../limits.js";
import { autoOr, duration, host, integer, type Kind, oneOf, path, text } from "./kinds.js";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a default may depend on. */
export interface Known {
  readonly env: Environment;
  /** Whether the log goes to a terminal. */
  readonly isTTY: boolean;
  /** The server's name, as it was settled. */
  readonly name: string;
}

interface Given<In, Out> {
  readonly kind: Kind<In, Out>;
  readonly default: NoInfer<Out> | ((known: Known) => NoInfer<Out>);
  /** The default in words, where its value does not say enough. */
  readonly defaultText?: string;
  /** Stands for the value in the help text. */
  readonly placeholder: string;
  readonly sentence: string;
  /** As the value is shown, where the kind's way does not say enough. */
  readonly show?: (value: Out) => string;
}

const PORT = integer(0, 65_535);

const TABLE = {
  name: row({
    kind: text(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 letters, digits, _ or -"),
    default: "drover",
    placeholder: "NAME",
    sentence: "What this server is called: in its tree, its logs and the path of its control socket.",
  }),
  port: row({
    kind: PORT,
    default: 2222,
    placeholder: "PORT",
    sentence: "TCP port to serve; 0 takes any free one.",
  }),
  host: row({
    kind: host(),
    default: "::",
    placeholder: "ADDRESS",
    sentence: "Address to serve on; :: is every address of both families.",
  }),
  workers: row({
    kind: autoOr(1, MAX_WORKERS),
    default: "auto",
    placeholder: "N|auto",
    sentence: "Workers to run; auto is one per available core.",
    show: (value) => (value === "auto" ? `auto (${availableParallelism()})` : String(value)),
  }),
  adminPort: row({
    kind: PORT,
    default: 9464,
    placeholder: "PORT",
    sentence: "Port of the admin server: metrics, health, tree, observer page; 0 takes any free one.",
  }),
  adminHost: row({
    kind: host(),
    default: "127.0.0.1",
    placeholder: "ADDRESS",
    sentence: "Address of the admin server; as it is, only this machine can reach it.",
  }),
  adminTokenFile: optional({
    kind: path(),
    defaultText: "none; on loopback one is made at each start",
    placeholder: "FILE",
    sentence: "File with the token for changes over the admin port, and for reading it from other machines.",
  }),
  control: row({
    kind: path(),
    default: defaultControl,
    defaultText: "NAME.sock in a folder of the user's runtime directory",
    placeholder: "PATH",
    sentence: "Control socket, by which the other commands reach this server.",
  }),
  maxRestarts: row({
    kind: integer(0, 1_000_000),
    default: 5,
    placeholder: "N",
    sentence: "Restarts that a supervisor allows within --max-seconds; at one more it gives up.",
  }),
  maxSeconds: row({
    kind: integer(1, 1_000_000),
    default: 60,
    placeholder: "SECONDS",
    sentence: "Seconds over which a supervisor counts restarts.",
  }),
  maxConnections: row({
    kind: autoOr(1, 10_000_000),
    default: "auto",
    placeholder: "N|auto",
    sentence: "Connections served at once, by all workers together; auto follows the file-descriptor limit.",
  }),
  backlog: row({
    kind: integer(1, 65_535),
    default: 1024,
    placeholder: "N",
    sentence: "Connections that may wait in the kernel until they are accepted.",
  }),
  idleTimeout: optional({
    kind: duration(1),
    defaultText: "the protocol's own, else 2m",
    placeholder: "DURATION",
    sentence: "How long a client may send nothing before its connection is closed.",
  }),
  shutdown: row({
    kind: duration(0),
    default: 2000,
    placeholder: "DURATION",
    sentence: "Time that a connection has to finish when the server stops.",
  }),
  watchdog: row({
    kind: duration(0),
    default: 10_000,
    placeholder: "DURATION",
    sentence: "How long a worker may stand still before it is killed and replaced; 0 is for ever.",
  }),
  lagWarning: row({
    kind: duration(1),
    default: 200,
    placeholder: "DURATION",
    sentence: "So long a pause of a worker's event loop is worth a line in the log.",
  }),
  handlerLatency: row({
    kind: oneOf("on", "off"),
    default: "off",
    placeholder: "SWITCH",
    sentence: "on measures how long handlers take, for the metric drover_handler_seconds.",
  }),
  transport: row({
    kind: oneOf("auto", "handle", "stream"),
    default: "auto",
    placeholder: "KIND",
    sentence: "How sockets are driven: handle is fast, stream is portable, auto picks.",
  }),
  logLevel: row({
    kind: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
    default: "info",
    placeholder: "LEVEL",
    sentence: "The least that is logged: trace, debug, info, warn, error, fatal or silent.",
  }),
  logFile: optional({
    kind: path(),
    defaultText: "none: standard output",
    placeholder: "FILE",
    sentence: "File that the log is appended to; SIGUSR2 opens it again after it was moved away.",
  }),
  logFormat: row({
    kind: oneOf("json", "pretty"),
    default: ({ isTTY }) => (isTTY ? "pretty" : "json"),
    defaultText: "json, pretty on a terminal",
    placeholder: "FORMAT",
    sentence: "json is one object a line, pretty is for people.",
  }),
  config: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "File with more options, by their keys: .json, .js, .mjs or .ts.",
  }),
};

type Table = typeof TABLE;

/** The name of an option in a file and in the program. */
export type Key = keyof Table;

/** What the program runs with. Durations are milliseconds, paths absolute; `undefined` is "not set". */
export type Config = {
  readonly [K in Key]: Table[K] extends { kind: Kind<any, infer Out>; default: infer D }
    ? Out | (D & undefined)
    : never;
};

/** What a file or a protocol may set. Durations are milliseconds or `"2m"`. */
export type Settings = {
  readonly [K in Exclude<Key, "config">]?: Table[K] extends { kind: Kind<infer In, any> } ? In : never;
};

export interface Option extends Given<unknown, unknown> {
  readonly key: Key;
  /** `--max-seconds` */
  readonly flag: string;
  /** `DROVER_MAX_SECONDS` */
  readonly env: string;
  readonly defaultText: string;
  readonly show: (value: unknown) => string;
}

/** The rows, in the order in which they are shown. */
export const OPTIONS: readonly Option[] = Object.entries(TABLE).map(([key, given]) => named(key, given));

function row<In, Out>(given: Given<In, Out>): Given<In, Out> {
  return given;
}

/** An option that need not have a value. */
function optional<In, Out>(given: Omit<Given<In, Out>, "default">) {
  return { ...given, default: undefined };
}

function named(key: string, given: Given<any, any>): Option {
  const words = key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
  const show = given.show ?? given.kind.show;
  return {
    ...given,
    key: key as Key,
    flag: `--${words}`,
    env: `DROVER_${words.replaceAll("-", "_").toUpperCase()}`,
    defaultText: given.defaultText ?? given.kind.show(given.default),
    show: (value) => (value === undefined ? (given.defaultText ?? "") : show(value)),
  };
}
