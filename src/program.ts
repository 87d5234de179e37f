/** The command line: which command, help, or what to type instead. */
import { readFileSync } from "node:fs";
import { COMMANDS, commandsText, runCommand } from "./cli/commands.js";
import { ConfigError, didYouMean, EXIT, loadConfig, parseFlags, usage } from "./config.js";
import { refuse, startProgram } from "./start.js";

const VERSION: string = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
const SWITCHES = ["json", "verbose"];

/** @returns the exit code */
export async function runProgram(): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error.exitCode, error.message);
    throw error;
  }
}

async function run(): Promise<number> {
  const { positionals, switches } = parseFlags({ switches: SWITCHES });
  const [command, ...rest] = positionals;
  if (switches.has("version")) return say(`drover ${VERSION}`);
  if (switches.has("help") || command === "help") return say(help());
  if (command === undefined) {
    process.stderr.write(`${help()}\n`);
    return EXIT.usage;
  }
  if (!COMMANDS.some(({ name }) => name === command)) {
    const names = COMMANDS.map(({ name }) => name);
    return refuse(
      EXIT.usage,
      `unknown command "${command}"${didYouMean(command, names)}; the commands are ${names.join(", ")}`,
    );
  }
  if (command === "start")
    return startProgram({ version: VERSION, exec: process.argv[1] as string, positionals: rest });
  const { config } = await loadConfig({ switches: SWITCHES });
  const { stdout, stderr } = process;
  const json = switches.has("json");
  const verbose = switches.has("verbose");
  return runCommand(command, rest, { config, json, verbose, stdout, stderr });
}

function help(): string {
  return usage(commandsText());
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return EXIT.ok;
}
