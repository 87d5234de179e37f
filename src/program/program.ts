/**
 * Command line: finds the command and runs it, prints help, or suggests the right name. The server's own code is loaded
 * where it is started: without it a command takes half of the CPU time.
 */
import { readFileSync } from "node:fs";
import { AdminError } from "../admin/errors.js";
import { COMMAND_FLAGS, COMMAND_SWITCHES, COMMANDS } from "../cli/commands.js";
import { commandsText, commandText } from "../cli/help.js";
import { runCommand } from "../cli/run.js";
import {
  ConfigError,
  didYouMean,
  EXIT,
  environment,
  exitProgram,
  loadConfig,
  parseFlags,
  usage,
} from "../config/config.js";
import { refuse } from "./refuse.js";
import { endBySignal, setSignalAction, setStartExit } from "./signals.js";

const VERSION: string = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
const SWITCHES = ["json", "verbose", ...COMMAND_SWITCHES];
const DROVER = new URL("./index.js", import.meta.url).href;
const SOURCES = { switches: SWITCHES, texts: COMMAND_FLAGS, drover: DROVER };

/** Ends the program with an exit code. */
export async function runProgram(): Promise<void> {
  setStartExit((code) => void exitProgram(code));
  await exitProgram(await exitCode());
}

async function exitCode(): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ConfigError || error instanceof AdminError)
      return refuse(error.exitCode, error.message);
    throw error;
  }
}

async function run(): Promise<number> {
  const { positionals, switches } = parseFlags(SOURCES);
  const [command, ...rest] = positionals;
  if (switches.has("version")) return say(`drover ${VERSION}`);
  const known = COMMANDS.find(({ name }) => name === command);
  if (switches.has("help") && known && command !== "help") return say(commandText(known));
  if (switches.has("help") || command === "help") return say(help());
  if (command === undefined) {
    process.stderr.write(`${help()}\n`);
    return EXIT.usage;
  }
  if (!known) {
    const names = COMMANDS.map(({ name }) => name);
    const advice = didYouMean(command, names) || `: the commands are ${names.join(", ")}`;
    return refuse(EXIT.usage, `unknown command "${command}"${advice}`);
  }
  if (command === "start" || command === "dev")
    return (await import("./start.js")).startProgram({
      dev: command === "dev",
      version: VERSION,
      exec: process.argv[1] as string,
      drover: DROVER,
      positionals: rest,
    });
  const { stdout, stderr } = process;
  const json = switches.has("json");
  const verbose = switches.has("verbose");
  if (command === "check")
    return (await import("./check/check.js")).checkProgram({
      exec: process.argv[1] as string,
      sources: SOURCES,
      positionals: rest,
      json,
      strict: switches.has("strict"),
    });
  const { config, values } = await loadConfig(SOURCES);
  const interrupt = new AbortController();
  // The first signal ends the command, a second one kills it.
  if (known.interruptible)
    setSignalAction((signal) => {
      if (signal === "SIGUSR2") return endBySignal(signal);
      setSignalAction(endBySignal);
      interrupt.abort();
    });
  return runCommand(command, rest, {
    ...{ config, json, verbose, values, switches, stdout, stderr },
    stdin: stdout.isTTY ? process.stdin : undefined,
    input: () => process.stdin,
    color: stdout.isTTY === true && !environment().NO_COLOR,
    interrupt: interrupt.signal,
  });
}

function help(): string {
  return usage(commandsText());
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return EXIT.ok;
}
