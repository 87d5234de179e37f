/** The options as people read them: `--help`, `drover config`, and the table in the README. */
import { EXIT } from "../exit-codes.js";
import { type Config, type Key, OPTIONS } from "./options.js";

/** Where a value came from, strongest first. */
export type Origin = "flag" | "environment" | "file" | "protocol" | "default";
export type Origins = Readonly<Record<Key, Origin>>;

/** One line of `drover config`; as it is, it can be printed as JSON. */
export interface Explanation {
  readonly key: Key;
  /** As the program uses it: durations in milliseconds, `null` for "not set". */
  readonly value: string | number | null;
  /** As people read it: `2m`, `auto (4)`. */
  readonly text: string;
  readonly origin: Origin;
  readonly env: string;
  readonly flag: string;
  readonly sentence: string;
}

/** Every option with its effective value and its origin, in the order of the table. */
export function explain(config: Config, origins: Origins): Explanation[] {
  return OPTIONS.map(({ key, env, flag, sentence, show }) => {
    const value = config[key];
    return { key, value: value ?? null, text: show(value), origin: origins[key], env, flag, sentence };
  });
}

const COLUMNS = 100;

/**
 * The help text.
 * @param commandsText what stands above the options: how to call the program, and its commands.
 */
export function usage(commandsText: string): string {
  const rows = OPTIONS.map(({ flag, placeholder, sentence, defaultText }) => {
    return [`${flag} ${placeholder}`, `${sentence} Default: ${defaultText}.`] as [string, string];
  });
  rows.push(["-h, --help", "Show this text."], ["-v, --version", "Show the version."]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 4;
  const lines = rows.flatMap(([left, right]) => {
    return wrap(right, COLUMNS - width).map((line, at) => (at === 0 ? `  ${left}` : "").padEnd(width) + line);
  });
  return `${[commandsText.trimEnd(), "", "Options:", ...lines, "", ...wrap(PLACES, COLUMNS), CODES].join("\n")}\n`;
}

const PLACES =
  "Each option can also be set in the environment (DROVER_MAX_SECONDS=60) and in the file of --config " +
  '("maxSeconds": 60). A flag beats the environment, the environment beats the file, the file beats what the ' +
  "protocol says. A DURATION is milliseconds, or a number with its unit: 500ms, 2s, 2m, 1h.";

const CODES =
  `Exit codes: ${EXIT.ok} stopped, ${EXIT.usage} usage, ${EXIT.noProtocol} no protocol, ` +
  `${EXIT.unavailable} unavailable, ${EXIT.gaveUp} gave up, ${EXIT.badConfig} bad configuration.`;

/** The options as a Markdown table. */
export function optionsTable(): string {
  const rows = OPTIONS.map(({ flag, placeholder, env, key, defaultText, sentence }) => {
    return [code(`${flag} ${placeholder}`), code(env), code(key), defaultText, sentence];
  });
  const header = ["flag", "environment", "key in a file", "default", "what it is"];
  const all = [header, header.map(() => "---"), ...rows];
  return `${all.map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`).join("\n")}\n`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** GitHub ends a cell at a bar even inside of code. */
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
