/** What the commands are, as people read it. */
import type { Command, CommandFlag } from "./command.js";
import { COMMANDS } from "./commands.js";
import { table } from "./terminal/table.js";

/** What stands above the options in the help text. */
export function commandsText(): string {
  const rows = COMMANDS.map(({ usage, sentence }) => [`  ${usage}`, sentence]);
  const reading = COMMANDS.filter(({ reads }) => reads).map(({ name }) => name);
  return [
    "Usage: drover COMMAND [options]",
    "",
    "Commands:",
    table(rows).trimEnd(),
    "",
    "Options of single commands:",
    table(flagRows(COMMANDS)).trimEnd(),
    "",
    `With --json, ${reading.join(", ")} print JSON; config prints more with --verbose.`,
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

/** What is printed for `drover NAME --help`. */
export function commandText({ usage, sentence, reads, flags = [] }: Command): string {
  const own = [...flags.map((flag) => [`  ${flagText(flag)}`, flag.sentence])];
  if (reads) own.push(["  --json", "Print JSON."]);
  const options = own.length > 0 ? ["Options:", table(own).trimEnd(), ""] : [];
  const more = "`drover help` lists the options that all commands have.";
  return [`Usage: drover ${usage}`, "", sentence, "", ...options, more].join("\n");
}
