/** Page of the reference: commands and their flags, options, exit codes. */
import { COMMANDS } from "../../../src/cli/commands.js";
import { optionsTable } from "../../../src/config/config.js";
import { EXIT } from "../../../src/config/exit-codes.js";
import { code, table } from "./markdown.js";
import { Source } from "./source.js";

export function commandsPage(root: string): string {
  const flags = COMMANDS.flatMap(({ name, flags = [] }) =>
    flags.map(({ name: flag, placeholder, sentence }) => [
      code(name),
      code(placeholder === undefined ? `--${flag}` : `--${flag} ${placeholder}`),
      sentence,
    ]),
  );
  return [
    "## Commands",
    table(
      ["command", "what it does", "`--json`"],
      COMMANDS.map(({ usage, sentence, json }) => [code(`drover ${usage}`), sentence, json ? "yes" : ""]),
    ),
    "## Flags of single commands",
    table(["command", "flag", "what it does"], flags),
    "## Options",
    "A flag comes before the environment, the environment before the file of `--config`, the file before the protocol's own value. A DURATION is a number of milliseconds, or a number with a unit: `500ms`, `2s`, `2m`, `1h`. `drover config` shows what is in effect, and where each value came from.",
    optionsTable(),
    "## Exit codes",
    table(["code", "name", "when"], exitCodes(root)),
  ].join("\n\n");
}

function exitCodes(root: string): string[][] {
  return new Source(root, "src/config/exit-codes.ts").members("EXIT").map(({ signature, doc }) => {
    const name = signature.split(":")[0] as keyof typeof EXIT;
    return [String(EXIT[name]), name, doc];
  });
}
