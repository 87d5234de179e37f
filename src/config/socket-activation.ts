/**
 * Socket activation: listening sockets inherited from systemd (sd_listen_fds). `LISTEN_FDS` descriptors starting at 3,
 * for the OS process `LISTEN_PID` only, with their names in `LISTEN_FDNAMES`: `FileDescriptorName=` of each socket unit.
 */
import { ConfigError } from "./errors.js";
import { EXIT } from "./exit-codes.js";
import type { ListenerConfig } from "./listeners.js";
import type { Origins } from "./options/help.js";
import type { Environment } from "./options/row.js";
import { didYouMean } from "./options/suggest.js";

const FIRST_FD = 3;
const ADDRESS_KEYS = ["port", "host", "path"] as const;

/** The part of a loaded configuration that decides which listener gets which socket. */
export interface ActivatedConfig {
  readonly config: { readonly listeners: readonly ListenerConfig[] };
  readonly origins: Origins;
  /** Place of the address of each listener of a file, by its name; empty: the only listener comes from the options. */
  readonly addressPlaces: ReadonlyMap<string, string>;
}

/**
 * @param osPid id of this OS process
 * @returns descriptors by name of the listener
 * @throws ConfigError (78) when sockets and listeners do not match
 */
export function inheritedSockets(
  env: Environment,
  osPid: number,
  { config, origins, addressPlaces }: ActivatedConfig,
): ReadonlyMap<string, number> {
  const { LISTEN_PID: targetPid, LISTEN_FDS: fdCount, LISTEN_FDNAMES: fdNames } = env;
  // Variables inherited from an ancestor: the descriptors are not for this OS process.
  const given = fdCount === undefined || targetPid !== String(osPid) ? undefined : fdCount;
  const count = countOf(given);
  if (addressPlaces.size === 0) return onlySocket(given, count, config.listeners, origins);
  const wanted = config.listeners.filter(({ systemd }) => systemd !== undefined);
  const [first] = wanted;
  if (first !== undefined && count === 0) {
    const place = addressPlaces.get(first.name);
    throw refusal(
      `${place}: no socket is inherited (LISTEN_FDS is not set): start the server by its socket unit`,
    );
  }
  const names = fdNames === undefined ? undefined : fdNames.split(":");
  if (names === undefined || count === 0) return inOrder(wanted, count);
  if (names.length !== count)
    throw refusal(
      `LISTEN_FDNAMES=${fdNames}: names ${names.length} sockets, and LISTEN_FDS=${count}: set both alike, or remove LISTEN_FDNAMES`,
    );
  return byName(wanted, names, addressPlaces);
}

function countOf(given: string | undefined): number {
  if (given === undefined) return 0;
  if (/^\d{1,4}$/.test(given)) return Number(given);
  throw refusal(`LISTEN_FDS=${given}: expected the number of inherited sockets`);
}

/** The socket of the listener `main`. */
function onlySocket(
  given: string | undefined,
  count: number,
  [main]: readonly ListenerConfig[],
  origins: Origins,
): ReadonlyMap<string, number> {
  if (given === undefined || main === undefined) return new Map();
  if (count !== 1)
    throw refusal(
      `LISTEN_FDS=${given}: there is one listener: keep one ListenStream= in the socket unit, ` +
        "or configure listeners, each with systemd",
    );
  const set = ADDRESS_KEYS.filter((key) => origins[key] !== "default");
  if (set.length > 0)
    throw refusal(
      `LISTEN_FDS=${given}: the inherited socket already has an address: remove ${set.join(" and ")}`,
    );
  return new Map([[main.name, FIRST_FD]]);
}

/** Without names the sockets are in the order of the listeners. */
function inOrder(wanted: readonly ListenerConfig[], count: number): ReadonlyMap<string, number> {
  if (count !== wanted.length)
    throw refusal(
      `LISTEN_FDS=${count}: ${wanted.length} ${wanted.length === 1 ? "listener has" : "listeners have"} systemd: ` +
        "configure one for each inherited socket",
    );
  return new Map(wanted.map(({ name }, at) => [name, FIRST_FD + at]));
}

function byName(
  wanted: readonly ListenerConfig[],
  names: readonly string[],
  places: ReadonlyMap<string, string>,
): ReadonlyMap<string, number> {
  const shown = `LISTEN_FDNAMES=${names.join(":")}`;
  const found = new Map<string, number>();
  for (const { name, systemd = "" } of wanted) {
    const at = names.indexOf(systemd);
    if (at === -1)
      throw refusal(`${places.get(name)}: ${shown} has no ${systemd}${didYouMean(systemd, names)}`);
    if (names.lastIndexOf(systemd) !== at)
      throw refusal(
        `${places.get(name)}: ${shown} has ${systemd} twice: give each socket unit a FileDescriptorName=`,
      );
    found.set(name, FIRST_FD + at);
  }
  const unused = names.find((name) => !wanted.some(({ systemd }) => systemd === name));
  if (unused === undefined) return found;
  throw refusal(`${shown}: no listener has "systemd": "${unused}": add one, or remove its socket unit`);
}

function refusal(message: string): ConfigError {
  return new ConfigError(EXIT.badConfig, message);
}
