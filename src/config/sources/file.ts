/**
 * The configuration file: one object whose keys are those of the table. Every way in which a file can be
 * wrong ends in one line, `file:line:col: reason` where there is a line, before anything has started.
 */
import { dirname, extname } from "node:path";
import { EXIT } from "../exit-codes.js";
import { OPTIONS } from "../options/options.js";
import { didYouMean } from "../options/suggest.js";
import { readValue, type SettingMap, show } from "../options/value.js";
import { badFile, readSource } from "./file-text.js";
import { keyPlaces, parseJson } from "./json.js";
import { importDefault } from "./module.js";

export interface ConfigFile {
  readonly settings: SettingMap;
  /** What is worth a line in the log, but no refusal. */
  readonly warnings: readonly string[];
}

const BY_KEY = new Map<string, (typeof OPTIONS)[number]>(
  OPTIONS.filter(({ key }) => key !== "config").map((option) => [option.key, option]),
);

/**
 * @param path absolute.
 * @param namedBy `--config` or `DROVER_CONFIG`: where the path itself was written.
 * @throws ConfigError (78)
 */
export async function readConfigFile(path: string, namedBy: string, cwd: string): Promise<ConfigFile> {
  const source = await readSource(path, namedBy, cwd);
  const { label, mode } = source;
  const isJson = extname(path) === ".json";
  const value = await (isJson ? parseJson(source) : importDefault(source));
  if (!isPlainObject(value)) throw badFile(`${label}: expected an object of options, got ${show(value)}`);
  const placeOf = isJson ? keyPlaces(source) : () => label;
  const warnings = mode & 0o002 ? [`${label} can be changed by every user: chmod o-w ${label}`] : [];
  return { settings: readSettings(value, placeOf, dirname(path)), warnings };
}

/**
 * The options in an object, which a file or a protocol gave.
 * @param placeOf where a key was written.
 * @param folder where relative paths begin.
 * @throws ConfigError (78) for an unknown key or a wrong value.
 */
export function readSettings(value: object, placeOf: (key: string) => string, folder: string): SettingMap {
  const settings: SettingMap = new Map();
  for (const [key, raw] of Object.entries(value)) {
    const place = placeOf(key);
    const option = BY_KEY.get(key);
    if (option === undefined) {
      const hint =
        key === "config"
          ? ": only a flag or the environment can name a file"
          : didYouMean(key, BY_KEY.keys());
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

/** `{ __proto__: … }` in a module gives an object that looks empty and is not: it is refused here. */
function isPlainObject(value: unknown): value is object {
  if (value === null || typeof value !== "object") return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
