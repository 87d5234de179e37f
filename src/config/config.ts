/**
 * Loads the configuration before anything starts. Precedence: flag, environment, file, protocol, default. An
 * unknown, invalid or contradictory value is refused with one line that names its place, even where a source of
 * higher precedence overrides it: otherwise the mistake would show only after a flag is removed.
 *
 * The options are the rows of options/tables/. This is the only file that reads `process.env`.
 */

import { everywhereIn } from "../proxy/trusted-networks.js";
import { type GivenToken, readToken, TOKEN_VARIABLE } from "./admin-token.js";
import { refuseListenerConflicts, refuseMainOptions } from "./listeners/conflicts.js";
import { explainListeners } from "./listeners/explain-listeners.js";
import type { Place } from "./listeners/place.js";
import { type PlacedListener, readListeners } from "./listeners/read-listeners.js";
import { type ListenerConfig, mainListener, withOptions } from "./listeners.js";
import { NATS_VARIABLES, type NatsAccess, readNatsAccess } from "./nats-access.js";
import { NOTIFY_VARIABLES, type NotifySocket, readNotifySocket } from "./notify-socket.js";
import { placeOf, refuseConflicts, refuseMainConflicts } from "./options/conflicts.js";
import { type Explanation, explain, type Origin, type Origins } from "./options/help.js";
import { type Key, OPTIONS, type Settings, type Values } from "./options/options.js";
import type { DefaultContext, Environment } from "./options/row.js";
import type { Setting, SettingMap } from "./options/value.js";
import { readEnvironment } from "./sources/environment.js";
import { type ConfigFile, readConfigFile, readSettings } from "./sources/file.js";
import { type CommandLine, parseFlags as parseCommandLine } from "./sources/flags.js";

export type { GivenToken } from "./admin-token.js";
export { ConfigError, type ConfigExitCode } from "./errors.js";
export { EXIT } from "./exit-codes.js";
export { type ListenerConfig, MAIN, type ProxyConfig, TLS_FLAGS, type TlsConfig } from "./listeners.js";
export { CompileError, compileModules, stopCompiler } from "./modules/compile.js";
export { notLoaded, thrownAt, thrownReason } from "./modules/failure-text.js";
export { addUserThread, exitProgram } from "./modules/user-threads.js";
export type { NatsAccess } from "./nats-access.js";
export type { NotifySocket } from "./notify-socket.js";
export { restartIntensity, workerCount } from "./options/conflicts.js";
export { type Explanation, explain, type Origin, type Origins, optionsTable, usage } from "./options/help.js";
export { durationOf, showDuration } from "./options/kinds.js";
export { type Key, OPTIONS, type Option, type Settings } from "./options/options.js";
export type { Environment } from "./options/row.js";
export { didYouMean, nearest } from "./options/suggest.js";
export { type ProtocolOption, SET } from "./protocol-options.js";
export { inheritedSockets } from "./socket-activation.js";
export type { CommandLine } from "./sources/flags.js";

/** The effective configuration. Durations in milliseconds, absolute paths; `undefined` is "not set". */
export interface Config extends Values {
  /** At least one. */
  readonly listeners: readonly ListenerConfig[];
}

/** Sources of the configuration. Everything is optional; the defaults are those of this OS process. */
export interface Sources {
  /** Command line without the program. Default: `process.argv.slice(2)`. */
  readonly argv?: readonly string[];
  /** Default: `process.env`. */
  readonly env?: Environment;
  /** Base of relative paths in flags and environment. Default: `process.cwd()`. */
  readonly cwd?: string;
  /** Whether standard output is a terminal. Default: `process.stdout.isTTY`. */
  readonly isTTY?: boolean;
  /** Further flags without a value, such as `json`. Default: none. `help` and `version` are always accepted. */
  readonly switches?: readonly string[];
  /** Further flags with a value, such as `deadline`. Default: none. */
  readonly texts?: readonly string[];
  /** Environment names with the prefix DROVER_ that are ignored. Default: none. */
  readonly allowedEnv?: readonly string[];
  /**
   * Options set by the protocol, or a function that loads them: called with the positionals after flags,
   * environment and file were validated. Default: none.
   */
  readonly protocolDefaults?: Settings | ((positionals: readonly string[]) => Settings | Promise<Settings>);
  /** Options set by the command: below flags and environment, above the file. Default: none. */
  readonly commandSettings?: Settings;
  /** URL that `drover` stands for in a configuration file that is a module. Default: left to Node. */
  readonly drover?: string;
  /** File-descriptor limit of one OS process. Without it, `maxConnections` is not checked against it. */
  readonly maxDescriptors?: number;
}

export interface Loaded {
  /** Every option. Frozen, without prototype. */
  readonly config: Config;
  readonly origins: Origins;
  readonly positionals: readonly string[];
  /** OptionRow flags without a value, by name without dashes. */
  readonly switches: ReadonlySet<string>;
  /** OptionRow further flags with a value, by name without dashes. */
  readonly values: ReadonlyMap<string, string>;
  /** Place of `listeners` in the configuration file, such as `acme.json:3:3: listeners`; `undefined`: there are none. */
  readonly listenersPlace: string | undefined;
  /** `workers` as it was set, with its place; `undefined`: the default. */
  readonly workersSetting: Setting | undefined;
  /** Places of the addresses of these listeners, such as `acme.json:4:30: listeners[0].port`, by name. */
  readonly addressPlaces: ReadonlyMap<string, string>;
  /** Places of `tls` of these listeners, by name. */
  readonly tlsPlaces: ReadonlyMap<string, Place>;
  /** Warnings for the log, one line each. */
  readonly warnings: readonly string[];
}

/** Lines of `drover config`: options, and listeners of a configuration file in place of the options of the only one. */
export function explainAll({ config, origins, listenersPlace }: Loaded): Explanation[] {
  const rows = explain(config, origins);
  if (listenersPlace === undefined) return rows;
  const main = new Set<string>(OPTIONS.filter(({ mainOnly }) => mainOnly).map(({ key }) => key));
  return [...rows.filter(({ key }) => !main.has(key)), ...explainListeners(config.listeners, config)];
}

/** The environment of this OS process. */
export function environment(): Environment {
  return process.env;
}

/**
 * The token of the admin server, if one was given. It is removed from the environment, so that child processes do
 * not inherit it.
 * @throws ConfigError (78)
 */
export async function takeAdminToken(config: Config): Promise<GivenToken> {
  const given = await readToken(config, process.env);
  delete process.env[TOKEN_VARIABLE];
  return given;
}

/**
 * How systemd is notified; `undefined` where it does not ask to be. The variables are removed from the environment: what
 * workers start must not speak for the service.
 */
export function takeNotifySocket(): NotifySocket | undefined {
  const socket = readNotifySocket(process.env, process.pid);
  for (const name of NOTIFY_VARIABLES) delete process.env[name];
  return socket;
}

/**
 * How the NATS servers are reached; `undefined` without `--nats`. User, password and token are removed from the
 * environment, so that workers and what they start do not inherit them.
 * @throws ConfigError (78)
 */
export function takeNatsAccess(config: Config): NatsAccess | undefined {
  const access = readNatsAccess(config, process.env);
  for (const name of NATS_VARIABLES) delete process.env[name];
  return access;
}

/**
 * Parses the command line alone, to know the command, `help` and `version` before the configuration is loaded.
 * @throws ConfigError (64)
 */
export function parseFlags({ argv, switches = [], texts, cwd = process.cwd() }: Sources = {}): CommandLine {
  return parseCommandLine(argv ?? process.argv.slice(2), switches, cwd, texts);
}

/**
 * Loads and validates the whole configuration.
 * @throws ConfigError with exit code 64 (command line) or 78 (environment, file, protocol).
 */
export async function loadConfig(sources: Sources = {}): Promise<Loaded> {
  const { env = environment(), cwd = process.cwd(), isTTY = process.stdout.isTTY === true } = sources;
  const { settings: flags, positionals, switches, values: texts, sets } = parseFlags(sources);
  const variables = readEnvironment(env, sources.allowedEnv ?? [], cwd);
  const named = flags.get("config") ?? variables.get("config");
  const file = named && (await readConfigFile(named.value as string, named.place, cwd, sources.drover));
  const layers: [Origin, SettingMap][] = [
    ["flag", flags],
    ["environment", variables],
    ["command", readSettings(sources.commandSettings ?? {}, () => "command", cwd)],
    ["file", file?.settings ?? new Map()],
    ["protocol", await readProtocol(sources.protocolDefaults, positionals, cwd)],
  ];
  const { settings, origins } = merge(layers);
  const values = applyDefaults(settings, { env, isTTY });
  refuseConflicts(values, settings, sources.maxDescriptors);
  const placed = listenersOf(file?.listeners, values, settings);
  const listeners = Object.freeze(
    (placed?.map(({ listener }) => listener) ?? [mainListener(values)]).map((listener) =>
      withOptions(listener, file?.options, sets),
    ),
  );
  const addressPlaces = new Map(
    placed?.map(({ listener, addressPlace }) => [listener.name, `${addressPlace}`]),
  );
  const tlsPlaces = new Map(placed?.map(({ listener, place }) => [listener.name, place.at("tls")]));
  const config = Object.freeze(Object.assign(Object.create(null), values, { listeners })) as Config;
  const listenersPlace = file?.listeners && `${file.listeners.place}`;
  const warnings = [...(file?.warnings ?? []), ...listeners.flatMap(trustWarnings)];
  const workersSetting = settings.get("workers");
  const given = { positionals, switches, values: texts };
  return { config, origins, ...given, listenersPlace, workersSetting, addressPlaces, tlsPlaces, warnings };
}

/** The listeners of the file, with their places; `undefined`: there are none. */
function listenersOf(
  given: ConfigFile["listeners"],
  values: Values,
  settings: SettingMap,
): readonly PlacedListener[] | undefined {
  if (given === undefined) {
    refuseMainConflicts(values, settings);
    return undefined;
  }
  refuseMainOptions(given.place, settings);
  const placed = readListeners(given.value, given.place, values);
  refuseListenerConflicts(placed, values, {
    port: placeOf("adminPort", settings),
    control: placeOf("control", settings),
  });
  return placed;
}

/** Networks that hold every address: nothing but the network in front then keeps clients from naming their own. */
function trustWarnings({ name, proxy }: ListenerConfig): string[] {
  return everywhereIn(proxy?.from ?? []).map(
    (network) =>
      `listener ${name}: a PROXY header is believed from ${network}, so every client that reaches it chooses its own address: name the networks of the proxies`,
  );
}

async function readProtocol(
  given: Sources["protocolDefaults"],
  positionals: readonly string[],
  cwd: string,
): Promise<SettingMap> {
  const values = typeof given === "function" ? await given(positionals) : given;
  return readSettings(values ?? {}, () => "protocol", cwd);
}

/** For every key the setting of highest precedence. `layers` are in descending precedence. */
function merge(layers: readonly (readonly [Origin, SettingMap])[]): {
  settings: SettingMap;
  origins: Origins;
} {
  const settings: SettingMap = new Map();
  const origins = Object.create(null) as Record<Key, Origin>;
  for (const { key } of OPTIONS) {
    const winner = layers.find(([, layer]) => layer.has(key));
    origins[key] = winner?.[0] ?? "default";
    if (winner !== undefined) settings.set(key, winner[1].get(key)!);
  }
  return { settings, origins: Object.freeze(origins) };
}

/** As a log file these mean what is the default: they cannot be opened where standard output is a socket (systemd, pm2). */
const STDOUT: readonly unknown[] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

function applyDefaults(settings: SettingMap, { env, isTTY }: Omit<DefaultContext, "name">): Values {
  const config = Object.create(null) as Record<Key, unknown>;
  // In the order of the rows: the defaults of later options depend on `name` and `logFile`.
  for (const { key, default: defaultValue } of OPTIONS) {
    const setting = settings.get(key);
    const context = { env, isTTY: isTTY && config.logFile === undefined, name: config.name as string };
    config[key] = setting
      ? key === "logFile" && STDOUT.includes(setting.value)
        ? undefined
        : setting.value
      : typeof defaultValue === "function"
        ? defaultValue(context)
        : defaultValue;
  }
  return config as Values;
}
