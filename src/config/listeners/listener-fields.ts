/** Keys of one listener in a configuration file, and what each takes. */
import { isAbsolute, resolve } from "node:path";
import { WHEN_FULL, type WhenFull } from "../../tcp/admission/full-policy.js";
import {
  account,
  bytes,
  duration,
  fileMode,
  host,
  integer,
  networks,
  oneOf,
  rate,
  socketPath,
  text,
} from "../options/kinds.js";
import { show } from "../options/value.js";
import { type ProtocolOption, readProtocolOptions } from "../protocol-options.js";
import { type ProxyConfig, readProxy } from "./proxy.js";
import { objectOf, ofKind, type Reader, recordOf } from "./readers.js";
import { readTls, type TlsConfig } from "./tls.js";

/** The keys as they are after reading: durations in milliseconds, absolute paths. */
export interface ListenerFields {
  readonly name: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly systemd: string;
  readonly transport: "auto" | "handle" | "stream";
  readonly maxConnections: number;
  readonly backlog: number;
  readonly shutdown: number;
  readonly idleTimeout: number;
  readonly firstFrame: number;
  readonly lifetime: number;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly maxPerAddress: number;
  readonly whenFull: WhenFull;
  readonly acceptRate: string;
  readonly addressRate: string;
  readonly addressBan: number;
  readonly tls: TlsConfig;
  readonly proxy: ProxyConfig;
  readonly alpn: Readonly<Record<string, string>>;
  readonly options: readonly ProtocolOption[];
}

const NAME = text(
  /^[a-z][a-z0-9_-]{0,31}$/,
  "a name of 1 to 32 characters: a letter from a to z, then letters, digits, _ or -",
);

/** Supervisors of a worker, beside which the supervisor of a listener stands under its name in tree and metrics. */
const TAKEN: readonly string[] = ["connections", "listeners", "outgoing", "tcp_server"];

const name: Reader<string> = (value, place) => {
  const read = ofKind(NAME)(value, place);
  if (TAKEN.includes(read))
    throw place.error(`${read} is the name of a supervisor in the tree: choose another one`);
  return read;
};

/** A built-in name, or a path: relative to the directory of the file. */
const protocol: Reader<string> = (value, place) => {
  if (typeof value !== "string" || value === "" || value.includes("\0"))
    throw place.error(
      `expected a built-in protocol such as echo, or a file such as ./my-protocol.ts, got ${show(value)}`,
    );
  return isFile(value) && !isAbsolute(value) ? resolve(place.folder, value) : value;
};

function isFile(named: string): boolean {
  return named.includes("/") || /\.[cm]?[jt]s$/.test(named);
}

export const readFields: Reader<Partial<ListenerFields>> = objectOf<ListenerFields>({
  name,
  protocol,
  host: ofKind(host()),
  port: ofKind(integer(0, 65_535)),
  path: ofKind(socketPath()),
  mode: ofKind(fileMode()),
  owner: ofKind(account("user")),
  group: ofKind(account("group")),
  systemd: ofKind(text(/^[!-9;-~]{1,255}$/, "a name in LISTEN_FDNAMES, without colon and spaces")),
  transport: ofKind(oneOf("auto", "handle", "stream")),
  maxConnections: ofKind(integer(1, 10_000_000)),
  whenFull: ofKind(oneOf(...WHEN_FULL)),
  acceptRate: ofKind(rate()),
  backlog: ofKind(integer(1, 65_535)),
  shutdown: ofKind(duration(0)),
  idleTimeout: ofKind(duration(1)),
  firstFrame: ofKind(duration(1)),
  lifetime: ofKind(duration(1)),
  framesPerSecond: ofKind(integer(1, 10_000_000)),
  bytesPerSecond: ofKind(bytes(1, "64K or 1M")),
  allow: ofKind(networks()),
  deny: ofKind(networks()),
  maxPerAddress: ofKind(integer(1, 10_000_000)),
  addressRate: ofKind(rate()),
  addressBan: ofKind(duration(0)),
  tls: readTls,
  proxy: readProxy,
  alpn: recordOf(protocol, /^.{1,255}$/, "an object of protocols by ALPN name"),
  options: readProtocolOptions,
});
