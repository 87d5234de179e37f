/**
 * Checks of combinations: each value is valid, but together they cannot work. Refused here, where both places can
 * be named, instead of failing later with an EADDRINUSE that names neither.
 */
import { availableParallelism } from "node:os";
import { MAX_SOCKET_PATH } from "../../transport/unix/socket-path.js";
import { ConfigError, type ConfigExitCode } from "../errors.js";
import { EXIT } from "../exit-codes.js";
import { showDuration } from "./kinds.js";
import { type Key, OPTIONS, type Values } from "./options.js";
import { overlap } from "./overlap.js";
import type { Setting, SettingMap } from "./value.js";

/** Number of workers on this machine: `auto` is one per available core. */
export function workerCount(config: Pick<Values, "workers">): number {
  return config.workers === "auto" ? availableParallelism() : config.workers;
}

/** Restarts allowed for so many children by `auto`: 5 as in the tutorial, and enough for each to fail once at the same time. */
const AUTO_RESTARTS = 5;

/** Restart intensity of a supervisor. @param workers number of workers that it supervises */
export function restartIntensity({ maxRestarts }: Pick<Values, "maxRestarts">, workers = 0): number {
  return maxRestarts === "auto" ? Math.max(AUTO_RESTARTS, workers) : maxRestarts;
}

/**
 * @param settings the values that were set, with their places; a missing key has its default.
 * @param maxDescriptors file-descriptor limit of one OS process; `undefined`: unknown.
 * @throws ConfigError: 64 when one of the values was set by a flag, 78 otherwise.
 */
export function refuseConflicts(
  config: Values,
  settings: SettingMap,
  maxDescriptors: number | undefined,
): void {
  refuseLongControlPath(config, settings);
  refuseShortWatchdog(config, settings);
  refuseIncompleteTls(settings);
  refuseIncompleteNats(settings);
  refuseShortNodeTimeout(config, settings);
  if (maxDescriptors !== undefined) refuseTooManyConnections(config, settings, maxDescriptors);
}

/** As `refuseConflicts`, for options of the listener `main`. */
export function refuseMainConflicts(config: Values, settings: SettingMap): void {
  refuseTwoAddresses(config, settings);
  if (config.path === undefined) refuseSamePort(config, settings);
}

function refuseLongControlPath({ control }: Values, settings: SettingMap): void {
  const bytes = Buffer.byteLength(control);
  if (bytes <= MAX_SOCKET_PATH) return;
  const advice = settings.has("control") ? "" : ": set a shorter path with --control or DROVER_CONTROL";
  throw new ConfigError(
    exitCodeOf(settings.get("control") ?? settings.get("name")),
    `${placeOf("control", settings)}: the path of a socket is at most ${MAX_SOCKET_PATH} bytes, ` +
      `got ${bytes}: ${control}${advice}`,
  );
}

/** A UNIX socket has no port, and only it has permissions. */
function refuseTwoAddresses({ path, control }: Values, settings: SettingMap): void {
  const refuse = (key: Key, message: string): ConfigError =>
    new ConfigError(
      exitCodeOf(settings.get(key), settings.get("path")),
      `${placeOf(key, settings)}${message}`,
    );
  if (path === undefined) {
    for (const key of ["mode", "owner", "group"] as const)
      if (settings.has(key))
        throw refuse(key, ": only a UNIX socket has it: set --path as well, or remove it");
    return;
  }
  const place = placeOf("path", settings);
  for (const key of ["port", "host"] as const)
    if (settings.has(key))
      throw refuse(key, ` and ${place} are two addresses of one listener: remove one of them`);
  if (path === control)
    throw refuse("control", ` and ${place} are both ${path}: choose another path for one of them`);
}

/** A healthy worker sends a heartbeat every second. */
const MIN_WATCHDOG = 2_000;

function refuseShortWatchdog({ watchdog }: Values, settings: SettingMap): void {
  if (watchdog === 0 || watchdog >= MIN_WATCHDOG) return;
  throw new ConfigError(
    exitCodeOf(settings.get("watchdog")),
    `${placeOf("watchdog", settings)}: ${showDuration(watchdog)} is too short because workers send a heartbeat every ` +
      `second: use at least ${showDuration(MIN_WATCHDOG)}, or 0 to disable`,
  );
}

function refuseSamePort(config: Values, settings: SettingMap): void {
  const { port, adminPort, host, adminHost } = config;
  if (port === 0 || port !== adminPort || !overlap(host, adminHost)) return;
  const places = `${placeOf("port", settings)} and ${placeOf("adminPort", settings)}`;
  throw new ConfigError(
    exitCodeOf(...(["port", "adminPort", "host", "adminHost"] as const).map((key) => settings.get(key))),
    `${places} are both ${port}, and ${host} and ${adminHost} overlap: choose another port for one of them`,
  );
}

const TLS_KEYS = OPTIONS.map(({ key }) => key).filter((key) => key.startsWith("tls"));

/** A certificate needs its key, and what is about TLS needs a certificate: without one the port would be plain. */
function refuseIncompleteTls(settings: SettingMap): void {
  const given = TLS_KEYS.find((key) => settings.has(key));
  const missing = (["tlsCert", "tlsKey"] as const).find((key) => !settings.has(key));
  if (given === undefined || missing === undefined) return;
  throw new ConfigError(
    exitCodeOf(settings.get(given)),
    `${placeOf(given, settings)}: needs ${missing === "tlsCert" ? "--tls-cert" : "--tls-key"} as well`,
  );
}

const NATS_KEYS = ["natsCreds", "natsCa", "natsCert", "natsKey"] as const;

/** What is about NATS needs its servers; a client certificate and its key need each other. */
function refuseIncompleteNats(settings: SettingMap): void {
  const refuse = (key: Key, missing: string): ConfigError =>
    new ConfigError(exitCodeOf(settings.get(key)), `${placeOf(key, settings)}: needs ${missing} as well`);
  const given = NATS_KEYS.find((key) => settings.has(key));
  if (given !== undefined && !settings.has("nats")) throw refuse(given, "--nats");
  if (settings.has("outside") && settings.get("outside")?.value === "on" && !settings.has("nats"))
    throw refuse("outside", "--nats");
  if (settings.has("natsCert") === settings.has("natsKey")) return;
  throw settings.has("natsCert") ? refuse("natsCert", "--nats-key") : refuse("natsKey", "--nats-cert");
}

/** A server sends a heartbeat every 500 ms; three may be lost or late. */
const MIN_NODE_TIMEOUT = 2_000;

function refuseShortNodeTimeout({ nodeTimeout }: Values, settings: SettingMap): void {
  if (nodeTimeout >= MIN_NODE_TIMEOUT) return;
  throw new ConfigError(
    exitCodeOf(settings.get("nodeTimeout")),
    `${placeOf("nodeTimeout", settings)}: ${showDuration(nodeTimeout)} is too short because servers send a heartbeat every ` +
      `500ms: use at least ${showDuration(MIN_NODE_TIMEOUT)}`,
  );
}

function refuseTooManyConnections(config: Values, settings: SettingMap, maxDescriptors: number): void {
  const { maxConnections } = config;
  const workers = workerCount(config);
  if (maxConnections === "auto" || maxConnections <= workers * maxDescriptors) return;
  throw new ConfigError(
    exitCodeOf(settings.get("maxConnections"), settings.get("workers")),
    `${placeOf("maxConnections", settings)}: ${maxConnections} connections are more than ${placeOf("workers", settings)}: ` +
      `${workers} × ${maxDescriptors} file descriptors allow: raise the limit (ulimit -n) or lower the number`,
  );
}

/** Place of an option, or `--port (default)`. */
export function placeOf(key: Key, settings: SettingMap): string {
  return settings.get(key)?.place ?? `${OPTIONS.find((option) => option.key === key)!.flag} (default)`;
}

/** 64 when one of these was set by a flag. */
export function exitCodeOf(...settings: (Setting | undefined)[]): ConfigExitCode {
  return settings.some((setting) => setting?.exitCode === EXIT.usage) ? EXIT.usage : EXIT.badConfig;
}
