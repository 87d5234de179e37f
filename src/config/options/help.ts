/** Formats the options for `--help`, `drover config` and the table in the README. */
import { EXIT } from "../exit-codes.js";
import { SET } from "../protocol-options.js";
import { type Key, OPTIONS, type Values } from "./options.js";

/** Source of a value, in descending precedence. */
export type Origin = "flag" | "environment" | "command" | "file" | "protocol" | "default";
export type Origins = Readonly<Record<Key, Origin>>;

/** One line of `drover config`, serialisable as JSON. */
export interface Explanation {
  /** Key of the option, or `listeners.NAME.KEY`. */
  readonly key: string;
  /** Effective value: durations in milliseconds, `null` for "not set". */
  readonly value: string | number | readonly string[] | null;
  /** The value for people: `2m`, `auto (4)`. */
  readonly text: string;
  readonly origin: Origin;
  readonly env: string;
  readonly flag: string;
  readonly sentence: string;
}

/** Every option with its effective value and its origin, in the order of the table. */
export function explain(config: Values, origins: Origins): Explanation[] {
  return OPTIONS.map(({ key, env, flag, sentence, show }) => {
    const value = config[key];
    return { key, value: value ?? null, text: show(value), origin: origins[key], env, flag, sentence };
  });
}

const COLUMNS = 100;

/**
 * The help text.
 * @param commandsText text above the options: the synopsis and the commands.
 */
export function usage(commandsText: string): string {
  const rows = OPTIONS.map(({ usage, sentence, defaultText }) => {
    return [usage, `${sentence} Default: ${defaultText}.`] as [string, string];
  });
  rows.push([`${SET.flag} ${SET.placeholder}`, SET.sentence]);
  rows.push(["-h, --help", "Show this text."], ["-v, --version", "Show the version."]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 4;
  const lines = rows.flatMap(([left, right]) => {
    return wrap(right, COLUMNS - width).map((line, at) => (at === 0 ? `  ${left}` : "").padEnd(width) + line);
  });
  return `${[commandsText.trimEnd(), "", "Options:", ...lines, "", ...wrap(SOURCES_TEXT, COLUMNS), ...wrap(EXIT_CODES_TEXT, COLUMNS)].join("\n")}\n`;
}

const SOURCES_TEXT =
  "Each option can also be set in the environment (DROVER_MAX_SECONDS=60) and in the file of --config " +
  '("maxSeconds": 60). Precedence: flag, environment, file, protocol, default. ' +
  "A DURATION is a number of milliseconds, or a number with a unit: 500ms, 2s, 2m, 1h.";

const EXIT_CODES_TEXT =
  `Exit codes: ${EXIT.ok} stopped, ${EXIT.usage} usage, ${EXIT.noProtocol} protocol not loaded, ` +
  `${EXIT.unavailable} unavailable, ${EXIT.gaveUp} gave up, ${EXIT.badConfig} bad configuration.`;

/** The options as a Markdown table. */
export function optionsTable(): string {
  const rows = OPTIONS.map(({ usage, env, key, defaultText, sentence }) => {
    return [code(usage), code(env), code(key), defaultText, sentence];
  });
  rows.push([code(`${SET.flag} ${SET.placeholder}`), "", code(SET.key), SET.defaultText, SET.sentence]);
  const header = ["flag", "environment", "key in a file", "default", "description"];
  const all = [header, header.map(() => "---"), ...rows];
  return `${all.map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`).join("\n")}\n`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** GitHub ends a cell at `|` even inside code. */
function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}
