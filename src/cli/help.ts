/** Help text of the commands. */
import type { Command, CommandFlag } from "./command.js";
import { COMMANDS } from "./commands.js";
import { table } from "./terminal/table.js";

/** The part of the help text above the options. */
export function commandsText(): string {
  const rows = COMMANDS.map(({ usage, sentence }) => [`  ${usage}`, sentence]);
  const withJson = COMMANDS.filter(({ json }) => json).map(({ name }) => name);
  return [
    "Usage: drover COMMAND [options]",
    "",
    "Commands:",
    table(rows).trimEnd(),
    "",
    "Options of single commands:",
    table(flagRows(COMMANDS)).trimEnd(),
    "",
    `--json prints JSON: ${withJson.join(", ")}. --verbose prints more columns: config.`,
    "",
  ].join("\n");
}

function flagRows(commands: readonly Command[]): string[][] {
  return commands.flatMap(({ name, flags = [] }) => {
    return flags.map((flag) => [`  ${name} ${flagText(flag)}`, flag.sentence]);
  });
}

function flagText({ name, placeholder }: CommandFlag): string {
  return placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;
}

/** Help text of one command: `drover NAME --help`. */
export function commandText({ usage, sentence, json, words, flags = [] }: Command): string {
  const own = [...flags.map((flag) => [`  ${flagText(flag)}`, flag.sentence])];
  if (json) own.push(["  --json", "Print JSON."]);
  const options = own.length > 0 ? ["Options:", table(own).trimEnd(), ""] : [];
  const first = words === undefined ? [] : [`First argument: ${words.join(", ")}.`, ""];
  const more = "`drover help` lists the options of the server, and of all commands.";
  return [`Usage: drover ${usage}`, "", sentence, "", ...first, ...options, more].join("\n");
}
