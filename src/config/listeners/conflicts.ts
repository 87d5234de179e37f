/**
 * Checks of the listeners of a file beside each other and beside the options: what each of them says is valid, but
 * together they cannot work.
 */
import { ConfigError } from "../errors.js";
import { EXIT } from "../exit-codes.js";
import type { ListenerConfig } from "../listeners.js";
import { OPTIONS, type Values } from "../options/options.js";
import { overlap } from "../options/overlap.js";
import type { SettingMap } from "../options/value.js";
import type { Place } from "./place.js";
import type { PlacedListener } from "./read-listeners.js";

/** @throws ConfigError naming both places, when an option describes the listener `main` */
export function refuseMainOptions(place: Place, settings: SettingMap): void {
  for (const { key, mainOnly } of OPTIONS) {
    const setting = settings.get(key);
    if (!mainOnly || setting === undefined) continue;
    const message = `${setting.place} and ${place} both configure listeners: remove one of them`;
    throw new ConfigError(setting.exitCode, message);
  }
}

/** @throws ConfigError naming both places */
export function refuseListenerConflicts(
  listeners: readonly PlacedListener[],
  values: Values,
  adminPlaces: { readonly port: string; readonly control: string },
): void {
  for (const [at, one] of listeners.entries()) {
    for (const other of listeners.slice(0, at)) refusePair(other, one);
    const { host, port, path } = one.listener;
    const beside = `and ${one.addressPlace}`;
    if (isPort(one.listener) && port !== 0 && port === values.adminPort && overlap(host, values.adminHost))
      throw badConfig(
        `${adminPlaces.port} ${beside} are both ${port}, and ${values.adminHost} and ${host} overlap: choose another port for one of them`,
      );
    if (path !== undefined && path === values.control)
      throw badConfig(
        `${adminPlaces.control} ${beside} are both ${path}: choose another path for one of them`,
      );
  }
}

function refusePair(one: PlacedListener, other: PlacedListener): void {
  const [first, second] = [one.listener, other.listener];
  if (first.name === second.name)
    throw badConfig(
      `${one.place.at("name")} and ${other.place.at("name")} are both ${JSON.stringify(first.name)}`,
    );
  const places = `${one.addressPlace} and ${other.addressPlace} are both`;
  if (first.path !== undefined && first.path === second.path)
    throw badConfig(`${places} ${first.path}: choose another path for one of them`);
  if (first.systemd !== undefined && first.systemd === second.systemd)
    throw badConfig(`${places} the inherited socket ${first.systemd}: name another one`);
  if (!isPort(first) || !isPort(second) || first.port === 0 || first.port !== second.port) return;
  if (!overlap(first.host, second.host)) return;
  throw badConfig(
    `${places} ${first.port}, and ${first.host} and ${second.host} overlap: choose another port for one of them`,
  );
}

function isPort({ path, systemd }: ListenerConfig): boolean {
  return path === undefined && systemd === undefined;
}

function badConfig(message: string): ConfigError {
  return new ConfigError(EXIT.badConfig, message);
}
