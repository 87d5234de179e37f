/**
 * The configuration, settled before anything starts: a flag beats the environment, the environment the file,
 * the file what the protocol says, and that the default. What is unknown, wrong or contradictory is refused
 * with one line that names the place, even where a stronger place would have hidden it: a mistake that is
 * only found once somebody removes a flag is found too late.
 *
 * The options themselves are the rows of config/options.ts. This is the only file that reads `process.env`.
 */

import { type GivenToken, readToken, TOKEN_VARIABLE } from "./admin-token.js";
import { refuseConflicts } from "./options/conflicts.js";
import type { Origin, Origins } from "./options/help.js";
import {
  type Config,
  type Environment,
  type Key,
  type Known,
  OPTIONS,
  type Settings,
} from "./options/options.js";
import type { SettingMap } from "./options/value.js";
import { readEnvironment } from "./sources/environment.js";
import { readConfigFile, readSettings } from "./sources/file.js";
import { type CommandLine, parseFlags as parseCommandLine } from "./sources/flags.js";

export type { GivenToken } from "./admin-token.js";
export { ConfigError, type ConfigExitCode } from "./errors.js";
export { EXIT } from "./exit-codes.js";
export { workerCount } from "./options/conflicts.js";
export { type Explanation, explain, type Origin, type Origins, optionsTable, usage } from "./options/help.js";
export { durationOf, showDuration } from "./options/kinds.js";
export {
  type Config,
  type Environment,
  type Key,
  OPTIONS,
  type Option,
  type Settings,
} from "./options/options.js";
export { didYouMean, nearest } from "./options/suggest.js";
export { inheritedSocket } from "./socket-activation.js";
export { BundleError, bundle, stopCompiler, thrownAt, thrownReason } from "./sources/bundle.js";
export type { CommandLine } from "./sources/flags.js";

/** Where the configuration is taken from. Everything is optional; what is left out is that of this OS process. */
export interface Sources {
  /** Without the program: default `process.argv.slice(2)`. */
  readonly argv?: readonly string[];
  /** Default `process.env`. */
  readonly env?: Environment;
  /** Where relative paths of flags and environment begin: default `process.cwd()`. */
  readonly cwd?: string;
  /** Whether people read standard output: default whether it is a terminal. */
  readonly isTTY?: boolean;
  /** Further flags without a value, such as `json`: default none. `help` and `version` are always there. */
  readonly switches?: readonly string[];
  /** Further flags with a text for a value, such as `deadline`: default none. */
  readonly texts?: readonly string[];
  /** Names with the prefix DROVER_ that are passed over: default none. */
  readonly allowedEnv?: readonly string[];
  /**
   * What the protocol says, or how to learn it: called with the positionals once flags, environment and file
   * are known to be right. Default nothing.
   */
  readonly protocolDefaults?: Settings | ((positionals: readonly string[]) => Settings | Promise<Settings>);
  /** Files that one OS process may open. Without it, `maxConnections` is not held against it. */
  readonly maxDescriptors?: number;
}

export interface Loaded {
  /** Frozen, without prototype. */
  readonly config: Config;
  readonly origins: Origins;
  readonly positionals: readonly string[];
  /** The switches that were given, without dashes. */
  readonly switches: ReadonlySet<string>;
  /** The further flags with a value that were given, without dashes. */
  readonly values: ReadonlyMap<string, string>;
  /** Lines for the log: nothing is wrong, but somebody should know. */
  readonly warnings: readonly string[];
}

/** The environment of this OS process. */
export function environment(): Environment {
  return process.env;
}

/**
 * The token of the admin server, if one was given. It is taken out of the environment: what this OS process
 * starts does not inherit it.
 * @throws ConfigError (78)
 */
export async function takeAdminToken(config: Config): Promise<GivenToken> {
  const given = await readToken(config, process.env);
  delete process.env[TOKEN_VARIABLE];
  return given;
}

/**
 * The command line alone, for those who must know the command, `help` or `version` before all the rest.
 * @throws ConfigError (64)
 */
export function parseFlags({ argv, switches = [], texts, cwd = process.cwd() }: Sources = {}): CommandLine {
  return parseCommandLine(argv ?? process.argv.slice(2), switches, cwd, texts);
}

/**
 * The whole configuration.
 * @throws ConfigError with exit code 64 (command line) or 78 (environment, file, protocol).
 */
export async function loadConfig(sources: Sources = {}): Promise<Loaded> {
  const { env = environment(), cwd = process.cwd(), isTTY = process.stdout.isTTY === true } = sources;
  const { settings: flags, positionals, switches, values } = parseFlags(sources);
  const variables = readEnvironment(env, sources.allowedEnv ?? [], cwd);
  const named = flags.get("config") ?? variables.get("config");
  const file = named && (await readConfigFile(named.value as string, named.place, cwd));
  const layers: [Origin, SettingMap][] = [
    ["flag", flags],
    ["environment", variables],
    ["file", file?.settings ?? new Map()],
    ["protocol", await readProtocol(sources.protocolDefaults, positionals, cwd)],
  ];
  const { settings, origins } = merge(layers);
  const config = complete(settings, { env, isTTY });
  refuseConflicts(config, settings, sources.maxDescriptors);
  return { config, origins, positionals, switches, values, warnings: file?.warnings ?? [] };
}

async function readProtocol(
  given: Sources["protocolDefaults"],
  positionals: readonly string[],
  cwd: string,
): Promise<SettingMap> {
  const values = typeof given === "function" ? await given(positionals) : given;
  return readSettings(values ?? {}, () => "protocol", cwd);
}

/** For every key the strongest of its settings. `layers` are the strongest first. */
function merge(layers: readonly (readonly [Origin, SettingMap])[]): {
  settings: SettingMap;
  origins: Origins;
} {
  const settings: SettingMap = new Map();
  const origins = Object.create(null) as Record<Key, Origin>;
  for (const { key } of OPTIONS) {
    const strongest = layers.find(([, layer]) => layer.has(key));
    origins[key] = strongest?.[0] ?? "default";
    if (strongest !== undefined) settings.set(key, strongest[1].get(key)!);
  }
  return { settings, origins: Object.freeze(origins) };
}

function complete(settings: SettingMap, { env, isTTY }: Omit<Known, "name">): Config {
  const config = Object.create(null) as Record<Key, unknown>;
  // In the order of the rows: the defaults of the later ones may depend on `name` and `logFile`.
  for (const { key, default: fallback } of OPTIONS) {
    const setting = settings.get(key);
    const known = { env, isTTY: isTTY && config.logFile === undefined, name: config.name as string };
    config[key] = setting ? setting.value : typeof fallback === "function" ? fallback(known) : fallback;
  }
  return Object.freeze(config) as Config;
}
