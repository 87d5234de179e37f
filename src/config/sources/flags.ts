/**
 * Options from the command line. Node's `parseArgs` only splits it into tokens: its own errors would not suggest
 * the right option.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { ConfigError } from "../errors.js";
import { EXIT } from "../exit-codes.js";
import { OPTIONS, type Option } from "../options/options.js";
import { didYouMean } from "../options/suggest.js";
import { readText, type SettingMap } from "../options/value.js";
import { type ProtocolOption, readSet, SET } from "../protocol-options.js";

/** A parsed command line. */
export interface CommandLine {
  readonly settings: SettingMap;
  /** Given flags without a value: `help`, `version` and those that the caller declared. */
  readonly switches: ReadonlySet<string>;
  /** Given flags with a value that the caller declared, as text. */
  readonly values: ReadonlyMap<string, string>;
  /** Options of the protocol: of a key that is given twice the last counts. */
  readonly sets: readonly ProtocolOption[];
  /** Everything else, in order: the command and its arguments. */
  readonly positionals: readonly string[];
}

const SWITCHES = ["help", "version"];
/** Short forms of switches, where the switch itself is declared. */
const SHORT_FORMS: Readonly<Record<string, string>> = { help: "h", version: "v", watch: "w", follow: "f" };
const BY_FLAG = new Map(OPTIONS.map((option) => [option.flag, option]));

/**
 * `--port 1` and `--port=1` are the same; `--` ends the flags; `-h` is `--help`, `-v` is `--version`.
 * @param switches names of further flags without a value, such as `json`.
 * @param texts names of further flags with a value, such as `deadline`.
 * @throws ConfigError (64) for an unknown flag, a wrong or missing value, a flag given twice with two values.
 */
export function parseFlags(
  argv: readonly string[],
  switches: readonly string[],
  cwd: string,
  texts: readonly string[] = [],
): CommandLine {
  const known = [...SWITCHES, ...switches];
  const settings: SettingMap = new Map();
  const given = new Set<string>();
  const values = new Map<string, string>();
  const sets: ProtocolOption[] = [];
  const positionals: string[] = [];
  for (const token of tokensOf(argv, known, texts)) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = BY_FLAG.get(token.rawName);
    if (option !== undefined) {
      setOption(settings, option, token, cwd);
    } else if (token.rawName === SET.flag) {
      sets.push(readSet(flagValue(token, SET.flag, SET.placeholder)));
    } else if (known.includes(token.name)) {
      if (token.value !== undefined) throw usageError(`--${token.name} takes no value`);
      given.add(token.name);
    } else if (texts.includes(token.name)) {
      values.set(token.name, flagValue(token, token.rawName, "VALUE"));
    } else {
      // Those of single commands last: `drover start --prot` means --port, not the --protocol of `drover events`.
      const ofCommands = [...known, ...texts].map((name) => `--${name}`);
      const hint =
        didYouMean(token.rawName, [...BY_FLAG.keys(), SET.flag]) || didYouMean(token.rawName, ofCommands);
      throw usageError(`unknown option ${token.rawName}${hint}`);
    }
  }
  return { settings, switches: given, values, sets, positionals };
}

interface OptionToken {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function setOption(settings: SettingMap, option: Option, token: OptionToken, cwd: string): void {
  const { flag, key } = option;
  const raw = flagValue(token, flag, option.placeholder);
  const setting = readText(option, { raw, place: flag, exitCode: EXIT.usage, folder: cwd });
  const before = settings.get(key);
  if (before !== undefined && before.value !== setting.value) {
    throw usageError(
      `${flag} is given twice: ${option.show(before.value)} and ${option.show(setting.value)}`,
    );
  }
  settings.set(key, setting);
}

function flagValue({ value, inlineValue }: OptionToken, flag: string, placeholder: string): string {
  // parseArgs reads `--port --host x` as port "--host"; a value that begins with -- needs `--port=--host`.
  const missing = value === undefined || value === "" || (inlineValue === false && value.startsWith("--"));
  if (missing) throw usageError(`${flag} needs a value: ${flag} ${placeholder}`);
  return value;
}

function tokensOf(argv: readonly string[], switches: readonly string[], texts: readonly string[]) {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const option of OPTIONS) options[option.flag.slice(2)] = { type: "string" };
  for (const name of [...texts, SET.flag.slice(2)]) options[name] = { type: "string", multiple: true };
  for (const name of switches) {
    const short = SHORT_FORMS[name];
    options[name] = { type: "boolean", ...(short !== undefined && { short }) };
  }
  return parseArgs({
    args: argv.map(withBareValue),
    strict: false,
    allowPositionals: true,
    tokens: true,
    options,
  }).tokens;
}

/** `--inspect` is `--inspect=9229`: what follows it is the next argument, not its value. */
function withBareValue(argument: string): string {
  const { bare } = BY_FLAG.get(argument) ?? {};
  return bare === undefined ? argument : `${argument}=${bare}`;
}

function usageError(message: string): ConfigError {
  return new ConfigError(EXIT.usage, message);
}
