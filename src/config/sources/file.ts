/**
 * Options from a configuration file: one object with the keys of options.ts. Every mistake in a file ends in one
 * line, `file:line:col: reason` where the line is known.
 */
import { dirname, extname } from "node:path";
import { EXIT } from "../exit-codes.js";
import { Place } from "../listeners/place.js";
import { isPlainObject } from "../listeners/readers.js";
import { OPTIONS } from "../options/options.js";
import { didYouMean } from "../options/suggest.js";
import { readValue, type SettingMap, show } from "../options/value.js";
import { type ProtocolOption, readProtocolOptions } from "../protocol-options.js";
import { badFile, readSource } from "./file-text.js";
import { keyPlaces, parseJson } from "./json.js";
import { importDefault } from "./module.js";

export interface ConfigFile {
  readonly settings: SettingMap;
  /** `listeners`, not read yet: their defaults come from all sources. */
  readonly listeners: { readonly value: unknown; readonly place: Place } | undefined;
  /** Options of all protocols, not checked. */
  readonly options: readonly ProtocolOption[];
  /** Warnings for the log, one line each. */
  readonly warnings: readonly string[];
}

const BY_KEY = new Map<string, (typeof OPTIONS)[number]>(
  OPTIONS.filter(({ key }) => key !== "config").map((option) => [option.key, option]),
);

/**
 * @param path absolute.
 * @param namedBy `--config` or `DROVER_CONFIG`: which one set the path.
 * @param drover URL that `drover` stands for in a module; `undefined` leaves that to Node.
 * @throws ConfigError (78)
 */
export async function readConfigFile(
  path: string,
  namedBy: string,
  cwd: string,
  drover?: string,
): Promise<ConfigFile> {
  const source = await readSource(path, namedBy, cwd);
  const { label, mode } = source;
  const isJson = extname(path) === ".json";
  const value = await (isJson ? parseJson(source) : importDefault(source, drover));
  if (!isPlainObject(value)) throw badFile(`${label}: expected an object of options, got ${show(value)}`);
  const placeOf = isJson ? keyPlaces(source) : () => label;
  const warnings = mode & 0o002 ? [`${label} is writable by every user: chmod o-w ${label}`] : [];
  const folder = dirname(path);
  const { listeners, options, ...rest } = value as {
    readonly listeners?: unknown;
    readonly options?: unknown;
  };
  const settings = readSettings(rest, placeOf, folder, ["listeners", "options"]);
  const place = (key: string) => new Place(key, { locate: placeOf, exitCode: EXIT.badConfig, folder });
  return {
    settings,
    listeners: listeners === undefined ? undefined : { value: listeners, place: place("listeners") },
    options: options === undefined ? [] : readProtocolOptions(options, place("options")),
    warnings,
  };
}

/**
 * Reads the options in an object from a file or a protocol.
 * @param placeOf place of a key, for error messages.
 * @param folder base of relative paths.
 * @param further valid keys besides options, for suggestions.
 * @throws ConfigError (78) for an unknown key or a wrong value.
 */
export function readSettings(
  value: object,
  placeOf: (key: string) => string,
  folder: string,
  further: readonly string[] = [],
): SettingMap {
  const settings: SettingMap = new Map();
  for (const [key, raw] of Object.entries(value)) {
    const place = placeOf(key);
    const option = BY_KEY.get(key);
    if (option === undefined) {
      const absent = [...BY_KEY.keys(), ...further].filter((known) => !Object.hasOwn(value, known));
      const hint = key === "config" ? ": set it with --config or DROVER_CONFIG" : didYouMean(key, absent);
      throw badFile(`${place}: unknown key ${JSON.stringify(key)}${hint}`);
    }
    if (raw === undefined) continue;
    settings.set(
      key,
      readValue(option, { raw, place: `${place}: ${key}`, exitCode: EXIT.badConfig, folder }),
    );
  }
  return settings;
}
