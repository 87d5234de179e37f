/** Options of `serve`, validated like a protocol: every error names the option and what to write instead. */
import { type Duration, toMs } from "../otp/time/duration.js";
import type { TlsOptions } from "../tls/options.js";
import { tlsMistake } from "../tls/validate.js";
import type { ListenTarget } from "../transport/transport.js";
import { WHEN_FULL } from "./admission/full-policy.js";
import { isNetworks } from "./admission/options.js";
import { isRate } from "./admission/rate.js";
import { isProxyOptions, type ProxyOptions } from "./opening/options.js";
import type { InputOf } from "./protocol/options/schema.js";
import type { AnyProtocol } from "./protocol/protocol.js";

export interface ServeOptions<O = any> {
  /** TCP port; 0 for any free one. Either this or `path`. */
  readonly port?: number;
  /** Address or host name to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /**
   * UNIX socket to listen on instead of a TCP port: a path of at most 107 bytes, or on Linux `@name` for an abstract
   * name. A socket of a dead program there is replaced; anything else stays, and is an error.
   */
  readonly path?: string;
  /** Permissions of the UNIX socket: a number, or octal text such as `"0660"`. Default `"0600"`. */
  readonly mode?: number | string;
  /** User that owns the UNIX socket: name or number. Default: this user. */
  readonly owner?: string | number;
  /** Group of the UNIX socket: name or number. Default: this user's. */
  readonly group?: string | number;
  /** Maximum number of connections; what a client above it meets is `whenFull`. Default 10,000. */
  readonly maxConnections?: number;
  /**
   * A client above `maxConnections` is refused (`"refuse"`: it gets the frame `full` of the protocol, if there is one, and
   * is closed), waits, accepted but unread, with at most as many as `backlog` (`"queue"`), or takes the place of the
   * connection that has been idle for longest (`"shed"`). Default `"refuse"`.
   */
  readonly whenFull?: "queue" | "refuse" | "shed";
  /**
   * The only networks that may connect: `["10.0.0.0/8", "2001:db8::/32"]`. Behind a proxy the client's address counts.
   * Any other client is closed at once (`denied`). Default: all.
   */
  readonly allow?: readonly string[];
  /** Networks that may not connect, even if `allow` has them. Default: none. */
  readonly deny?: readonly string[];
  /** Maximum number of connections of one address, or of one /64 of IPv6. Default: no limit. */
  readonly maxPerAddress?: number;
  /** New connections of one address a second: `10`, or `"10:50"` for 50 at once. Default: no limit. */
  readonly addressRate?: number | string;
  /** For how long an address is refused that has exceeded one of these. Default 0: only while it exceeds it. */
  readonly addressBan?: Duration;
  /**
   * New connections a second: `100`, or `"100:500"` for 500 at once. What comes above it waits, accepted but unread; of
   * these at most as many as `backlog`. Default: no limit.
   */
  readonly acceptRate?: number | string;
  /** Length of the kernel's accept queue. Default 1024. */
  readonly backlog?: number;
  /** Default `"auto"`: `handle` (node's raw handles) on Node majors where it is tested and works, else `stream`. */
  readonly transport?: "auto" | "handle" | "stream";
  /**
   * Takes TLS connections only: `{ cert: "srv.crt", key: "srv.key" }`, paths of PEM files or PEM text. With `ca`,
   * clients need a certificate. Default: none.
   */
  readonly tls?: TlsOptions;
  /**
   * Protocols by the name that the TLS handshake agrees on (ALPN): `{ "chat/1": chat }`. Clients that offer no names get
   * the listener's own, those that offer only others fail in the handshake. Needs `tls`. Default: none.
   */
  readonly alpn?: Readonly<Record<string, AnyProtocol>>;
  /** Expects a PROXY header on every connection, from these networks: `{ from: ["10.0.0.0/8"] }`. Default: none. */
  readonly proxy?: ProxyOptions;
  /** Time without a whole frame after which `idle` of any state runs. Default: the protocol's own, else `"2m"`. */
  readonly idleTimeout?: Duration;
  /** Time a connection has to finish when the server stops. Default `"2s"`. */
  readonly shutdown?: Duration;
  /** Options of the protocol, checked by its schema. Default: those that the schema makes of nothing. */
  readonly options?: InputOf<O>;
}

/** One of several listeners. */
export interface ServeListenerOptions<Name extends string = string> extends ServeOptions {
  /** Name in logs and in the result: a letter from a to z, then at most 31 letters, digits, `_` and `-`. */
  readonly name: Name;
  readonly protocol: AnyProtocol;
}

/** Several listeners. */
export interface ServeListenersOptions<Name extends string = string> {
  /** At least one; each name once. */
  readonly listeners: readonly ServeListenerOptions<Name>[];
  /** Maximum number of connections of all listeners together, beside the limit of each. Default: none. */
  readonly maxConnections?: number;
  /** New connections a second of all listeners together, beside the rate of each. Default: no limit. */
  readonly acceptRate?: number | string;
}

interface Rule {
  readonly expected: string;
  allows(value: unknown): boolean;
}

const whole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const ALPN_NAME = /^[\0-\xff]{1,255}$/;

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const OCTAL = /^0?[0-7]{3}$/;

const RATE: Rule = { expected: 'a number a second such as 10, or "10:50" for 50 at once', allows: isRate };

const NETWORKS: Rule = {
  expected: 'an array of networks or addresses such as ["10.0.0.0/8"]',
  allows: isNetworks,
};

const RULES: { readonly [K in keyof Required<ServeOptions>]: Rule } = {
  port: {
    expected: "a whole number from 0 (any free port) to 65535",
    allows: (value) => whole(value, 0, 65_535),
  },
  host: {
    expected: 'an address or host name such as "127.0.0.1"',
    allows: (value) => typeof value === "string" && value !== "",
  },
  path: {
    expected: 'a path such as "/run/echo.sock", or "@echo" for an abstract name',
    allows: (value) => typeof value === "string" && value !== "",
  },
  mode: {
    expected: 'permissions such as "0660" or 0o660, at most 0777',
    allows: (value) => (typeof value === "string" ? OCTAL.test(value) : whole(value, 0, 0o777)),
  },
  owner: { expected: "the name or number of a user", allows: isAccount },
  group: { expected: "the name or number of a group", allows: isAccount },
  maxConnections: {
    expected: "a whole number above 0, or Infinity",
    allows: (value) => value === Infinity || whole(value, 1, Number.MAX_SAFE_INTEGER),
  },
  whenFull: {
    expected: '"queue", "refuse" or "shed"',
    allows: (value) => (WHEN_FULL as readonly unknown[]).includes(value),
  },
  allow: NETWORKS,
  deny: NETWORKS,
  maxPerAddress: {
    expected: "a whole number above 0",
    allows: (value) => whole(value, 1, Number.MAX_SAFE_INTEGER),
  },
  addressRate: RATE,
  addressBan: { expected: 'milliseconds, or a duration such as "1m"', allows: isDuration },
  acceptRate: RATE,
  backlog: { expected: "a whole number from 1 to 65535", allows: (value) => whole(value, 1, 65_535) },
  transport: {
    expected: '"auto", "handle" or "stream"',
    allows: (value) => value === "auto" || value === "handle" || value === "stream",
  },
  proxy: {
    expected: 'an object such as { from: ["10.0.0.0/8"] }: networks, addresses, or "unix"',
    allows: isProxyOptions,
  },
  tls: {
    expected: 'an object such as { cert: "srv.crt", key: "srv.key" }',
    allows: (value) => typeof value === "object" && value !== null,
  },
  alpn: {
    expected: 'an object of protocols by ALPN name, such as { "chat/1": chat }',
    allows: (value) => isRecord(value) && Object.keys(value).every((name) => ALPN_NAME.test(name)),
  },
  idleTimeout: {
    expected: 'milliseconds above 0, a duration such as "10m", or Infinity',
    allows: (value) => isDuration(value) && value !== 0,
  },
  shutdown: { expected: 'milliseconds, a duration such as "2s", or Infinity', allows: isDuration },
  options: { expected: "an object of options of the protocol", allows: isRecord },
};

/** @throws TypeError that names the first mistake and what to write instead */
export function validateServeOptions(options: ServeOptions): void {
  validate(options, "serve: ");
}

const NAME = /^[a-z][a-z0-9_-]{0,31}$/;

/** @throws TypeError as `validateServeOptions`, with the name of the listener */
export function validateListenersOptions(options: ServeListenersOptions): void {
  const { listeners, maxConnections, acceptRate, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new TypeError(
      `serve: unknown option "${unknown}"; beside "listeners" there are maxConnections and acceptRate`,
    );
  if (!Array.isArray(listeners) || listeners.length === 0)
    throw new TypeError(
      `serve: "listeners" must be an array of at least one listener, got ${shown(listeners)}`,
    );
  for (const [key, value] of Object.entries({ maxConnections, acceptRate })) {
    const { expected, allows } = RULES[key as "maxConnections" | "acceptRate"];
    if (value !== undefined && !allows(value))
      throw new TypeError(`serve: "${key}" must be ${expected}, got ${shown(value)}`);
  }
  const names = new Set<string>();
  for (const [at, listener] of listeners.entries()) {
    const { name, protocol, ...own } = (listener ?? {}) as ServeListenerOptions;
    const place = `serve: listeners[${at}]`;
    if (typeof name !== "string" || !NAME.test(name))
      throw new TypeError(
        `${place}: "name" must be a letter from a to z, then at most 31 letters, digits, _ or -, got ${shown(name)}`,
      );
    if (names.has(name)) throw new TypeError(`${place}: another listener is called "${name}": rename one`);
    if (protocol === undefined) throw new TypeError(`${place}: "protocol" is missing`);
    names.add(name);
    validate(own, `serve: listener "${name}": `);
  }
}

function validate(options: ServeOptions, place: string): void {
  const wrong = (what: string): never => {
    throw new TypeError(`${place}${what}`);
  };
  if (typeof options !== "object" || options === null)
    wrong(`the options must be an object such as { port: 0 }, got ${shown(options)}`);
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(RULES, key))
      wrong(`unknown option "${key}"; the options are ${Object.keys(RULES).join(", ")}`);
    const { expected, allows } = RULES[key as keyof ServeOptions];
    if (value !== undefined && !allows(value)) wrong(`"${key}" must be ${expected}, got ${shown(value)}`);
  }
  const mistake = options.tls && tlsMistake(options.tls);
  if (mistake !== undefined) wrong(mistake);
  if (options.alpn !== undefined && (options.tls === undefined || options.tls.start === "by_protocol"))
    wrong(
      '"alpn" is agreed on in the TLS handshake, which must come first: set "tls" as well, without "start"',
    );
  if (options.path === undefined) {
    if (options.port === undefined) wrong(`"port" is missing: give ${RULES.port.expected}`);
    for (const key of ["mode", "owner", "group"] as const)
      if (options[key] !== undefined) wrong(`"${key}" is of a UNIX socket: set "path" as well, or remove it`);
  } else if (options.port !== undefined || options.host !== undefined) {
    wrong(
      `"path" and "${options.port === undefined ? "host" : "port"}" are two addresses: remove one of them`,
    );
  }
}

/** What the server is to listen on. */
export function targetOf({
  path,
  mode,
  owner,
  group,
  port = 0,
  host = "127.0.0.1",
}: ServeOptions): ListenTarget {
  if (path === undefined) return { host, port };
  return { path, mode: typeof mode === "string" ? Number.parseInt(mode, 8) : mode, owner, group };
}

function isAccount(value: unknown): boolean {
  return typeof value === "string" ? value !== "" : whole(value, 0, 2 ** 32 - 2);
}

function isDuration(value: unknown): boolean {
  try {
    return value === Infinity || toMs(value as Duration) >= 0;
  } catch {
    return false;
  }
}

function shown(value: unknown): string {
  if (typeof value === "number" || value === undefined) return String(value);
  return typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : typeof value;
}
