/**
 * What is wrong only together: every value is allowed, and the server still could not run. Refused here,
 * where both places can be named, instead of as an EADDRINUSE that names neither.
 */
import { isIPv6 } from "node:net";
import { availableParallelism } from "node:os";
import { MAX_SOCKET_PATH } from "../control-path.js";
import { ConfigError, type ConfigExitCode } from "../errors.js";
import { EXIT } from "../exit-codes.js";
import { showDuration } from "./kinds.js";
import { type Config, type Key, OPTIONS } from "./options.js";
import type { Setting, SettingMap } from "./value.js";

/** How many workers `config` means on this machine. */
export function workerCount(config: Pick<Config, "workers">): number {
  return config.workers === "auto" ? availableParallelism() : config.workers;
}

/**
 * @param settings what was set, and where; a key that is missing has its default.
 * @param maxDescriptors files that one OS process may open; `undefined` is "not known".
 * @throws ConfigError: 64 when the later of the places is a flag, 78 otherwise.
 */
export function refuseConflicts(
  config: Config,
  settings: SettingMap,
  maxDescriptors: number | undefined,
): void {
  refuseLongControl(config, settings);
  refuseSamePort(config, settings);
  refuseHastyWatchdog(config, settings);
  if (maxDescriptors !== undefined) refuseTooManyConnections(config, settings, maxDescriptors);
}

function refuseLongControl({ control }: Config, settings: SettingMap): void {
  const bytes = Buffer.byteLength(control);
  if (bytes <= MAX_SOCKET_PATH) return;
  const advice = settings.has("control") ? "" : ": choose a shorter one with --control or DROVER_CONTROL";
  throw new ConfigError(
    exitCodeOf(settings.get("control") ?? settings.get("name")),
    `${placeOf("control", settings)}: the path of a socket is at most ${MAX_SOCKET_PATH} bytes, ` +
      `got ${bytes}: ${control}${advice}`,
  );
}

/** A worker that is well is heard of every second. */
const LEAST_WATCHDOG = 2_000;

function refuseHastyWatchdog({ watchdog }: Config, settings: SettingMap): void {
  if (watchdog === 0 || watchdog >= LEAST_WATCHDOG) return;
  throw new ConfigError(
    exitCodeOf(settings.get("watchdog")),
    `${placeOf("watchdog", settings)}: ${showDuration(watchdog)} is too short to tell a worker that stands still ` +
      `from one that is well: give at least ${showDuration(LEAST_WATCHDOG)}, or 0 for never`,
  );
}

function refuseSamePort(config: Config, settings: SettingMap): void {
  const { port, adminPort, host, adminHost } = config;
  if (port === 0 || port !== adminPort || !overlap(host, adminHost)) return;
  const places = `${placeOf("port", settings)} and ${placeOf("adminPort", settings)}`;
  throw new ConfigError(
    exitCodeOf(...(["port", "adminPort", "host", "adminHost"] as const).map((key) => settings.get(key))),
    `${places} are both ${port}, and ${host} and ${adminHost} share it: choose another port for one of them`,
  );
}

function refuseTooManyConnections(config: Config, settings: SettingMap, maxDescriptors: number): void {
  const { maxConnections } = config;
  const workers = workerCount(config);
  if (maxConnections === "auto" || maxConnections <= workers * maxDescriptors) return;
  throw new ConfigError(
    exitCodeOf(settings.get("maxConnections"), settings.get("workers")),
    `${placeOf("maxConnections", settings)}: ${maxConnections} connections are more than ${placeOf("workers", settings)}: ` +
      `${workers} × ${maxDescriptors} descriptors can hold: raise the limit (ulimit -n) or lower the number`,
  );
}

/** Whether one port cannot be bound on both. A wildcard takes the port of every address of its families. */
function overlap(one: string, other: string): boolean {
  if (one === other || one === "::" || other === "::") return true;
  if (one === "0.0.0.0") return !isIPv6(other);
  if (other === "0.0.0.0") return !isIPv6(one);
  const isLoopback = (host: string) => host === "127.0.0.1" || host === "::1";
  return (one === "localhost" && isLoopback(other)) || (other === "localhost" && isLoopback(one));
}

function placeOf(key: Key, settings: SettingMap): string {
  return settings.get(key)?.place ?? `${OPTIONS.find((option) => option.key === key)!.flag} (default)`;
}

function exitCodeOf(...settings: (Setting | undefined)[]): ConfigExitCode {
  return settings.some((setting) => setting?.exitCode === EXIT.usage) ? EXIT.usage : EXIT.badConfig;
}
