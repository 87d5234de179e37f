/** Reads `listeners` of a configuration file: one object each, and what is common to all of them from the options. */

import type { ListenerConfig } from "../listeners.js";
import type { Values } from "../options/options.js";
import { show } from "../options/value.js";
import { type ListenerFields, readFields } from "./listener-fields.js";
import type { Place } from "./place.js";

/** The tree, the page and the snapshots of the workers have a line or a row for each. */
const MAX_LISTENERS = 64;

/** A listener of the file, with its place. */
export interface PlacedListener {
  readonly listener: ListenerConfig;
  readonly place: Place;
  /** Place of its address: of its key `port`, `path` or `systemd`. */
  readonly addressPlace: Place;
}

/** @throws ConfigError */
export function readListeners(value: unknown, place: Place, defaults: Values): PlacedListener[] {
  const expected = `an array of 1 to ${MAX_LISTENERS} listeners`;
  if (!Array.isArray(value)) throw place.error(`expected ${expected}, got ${show(value)}`);
  if (value.length === 0 || value.length > MAX_LISTENERS)
    throw place.error(`expected ${expected}, got ${value.length}`);
  return value.map((one, at) => readListener(one, place.at(at), defaults));
}

function readListener(value: unknown, place: Place, defaults: Values): PlacedListener {
  const fields = readFields(value, place);
  if (fields.name === undefined) throw place.error('needs a name, such as "name": "devices"');
  const addressPlace = place.at(addressKey(fields, place));
  refuseUnused(fields, place);
  const { transport, backlog, shutdown, idleTimeout, allow, deny } = defaults;
  const listener: ListenerConfig = Object.freeze({
    ...{ protocol: undefined, host: "::", port: 0, maxConnections: undefined },
    ...{ transport, backlog, shutdown, idleTimeout, allow, deny },
    ...fields,
    name: fields.name,
  });
  return { listener, place, addressPlace };
}

const ADDRESS = ["port", "path", "systemd"] as const;

/** Exactly one of the keys of an address. */
function addressKey(fields: Partial<ListenerFields>, place: Place): (typeof ADDRESS)[number] {
  const [first, second] = ADDRESS.filter((key) => fields[key] !== undefined);
  if (first === undefined) throw place.error("needs an address: one of port, path or systemd");
  if (second === undefined) return first;
  throw place
    .at(second)
    .error(`a listener has one address, and this one has ${first} as well: remove one of them`);
}

/** Keys without effect beside the others: a mistake, most likely in another key. */
function refuseUnused(fields: Partial<ListenerFields>, place: Place): void {
  const { port, path, host, protocol, alpn, tls } = fields;
  if (host !== undefined && port === undefined)
    throw place.at("host").error("only a listener with a port has a host: remove it, or set port");
  for (const key of ["mode", "owner", "group"] as const)
    if (fields[key] !== undefined && path === undefined)
      throw place.at(key).error("only a UNIX socket has it: remove it, or set path");
  if (alpn !== undefined && tls === undefined)
    throw place.at("alpn").error("the protocol is agreed on in the TLS handshake: set tls as well");
  if (alpn !== undefined && tls?.start === "by_protocol")
    throw place.at("alpn").error("a connection begins in clear, in one protocol: remove alpn, or tls.start");
  if (protocol === undefined && alpn === undefined)
    throw place.error('needs a protocol, such as "protocol": "./my-protocol.ts"');
}
