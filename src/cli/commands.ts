/**
 * The table of commands, from which the help text is made, and what runs one of them: its result goes to
 * stdout, its failure as one line to stderr.
 */
import type { Writable } from "node:stream";
import { type Config, didYouMean, EXIT } from "../config.js";
import { type Asked, config, info, kill, stop, tree } from "./actions.js";
import { CommandError } from "./errors.js";
import { printable } from "./printable.js";
import { table } from "./table.js";

export interface Command {
  readonly name: string;
  /** With its arguments: `kill PID [REASON]`. */
  readonly usage: string;
  readonly sentence: string;
  /** How many arguments it takes: at least, at most. */
  readonly takes: readonly [least: number, most: number];
  /** Whether it only reads, and so has --json. */
  readonly reads: boolean;
  /** Resolves with what is printed. Missing: the program does it itself. */
  readonly run?: (asked: Asked) => Promise<string>;
}

export const COMMANDS: readonly Command[] = [
  {
    name: "start",
    usage: "start [PROTOCOL]",
    sentence: "Serve a protocol: a built-in name, or a .ts or .js file. Default: echo.",
    takes: [0, 1],
    reads: false,
  },
  {
    name: "tree",
    usage: "tree",
    sentence: "Show the tree of processes.",
    takes: [0, 0],
    reads: true,
    run: tree,
  },
  {
    name: "info",
    usage: "info [PID]",
    sentence: "Say what the server, or one of its processes, is and does.",
    takes: [0, 1],
    reads: true,
    run: info,
  },
  {
    name: "kill",
    usage: "kill PID [REASON]",
    sentence: "Send a process an exit signal. Default: kill.",
    takes: [1, 2],
    reads: false,
    run: kill,
  },
  {
    name: "stop",
    usage: "stop",
    sentence: "Stop the server gracefully and wait for its end.",
    takes: [0, 0],
    reads: false,
    run: stop,
  },
  {
    name: "config",
    usage: "config",
    sentence: "Show the values in effect and where each came from.",
    takes: [0, 0],
    reads: true,
    run: config,
  },
  { name: "help", usage: "help", sentence: "Show this text.", takes: [0, 0], reads: false },
];

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
    `${reading.join(", ")} print JSON with --json; config prints more with --verbose.`,
    "",
  ].join("\n");
}

export interface RunOptions {
  readonly config: Pick<Config, "name" | "control" | "shutdown">;
  readonly json?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable;
  /** Default: as `stdout` says. */
  readonly isTTY?: boolean | undefined;
  /** Of the terminal. Default: as `stdout` says. */
  readonly columns?: number | undefined;
  /** Milliseconds that the server may take to answer: default 5000. */
  readonly patience?: number | undefined;
}

/** Never rejects for what a user can do; the exit code is one of `EXIT`. */
export async function runCommand(
  name: string,
  positionals: readonly string[],
  options: RunOptions,
): Promise<number> {
  const { config, json = false, verbose = false, stdout, stderr } = options;
  const { isTTY = stdout.isTTY, columns = stdout.columns } = options;
  try {
    const command = commandNamed(name);
    checkUse(command, positionals.length, json);
    const target = { ...pick(config), patience: options.patience };
    const asked = { target, positionals, json, verbose, columns: isTTY ? columns : undefined };
    return await print(stdout, await command.run!(asked));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    await print(stderr, `${printable(error.message)}\n`);
    return error.exitCode;
  }
}

function pick({ name, control, shutdown }: RunOptions["config"]): RunOptions["config"] {
  return { name, control, shutdown };
}

function commandNamed(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name && command.run !== undefined);
  if (found !== undefined) return found;
  const names = COMMANDS.map((command) => command.name);
  const advice = didYouMean(name, names) || ": `drover help` lists them";
  throw new CommandError(`unknown command ${JSON.stringify(name)}${advice}`, EXIT.usage);
}

function checkUse({ name, usage, takes: [least, most], reads }: Command, given: number, json: boolean): void {
  if (given < least || given > most) {
    const wrong = given < least ? "too few arguments" : "too many arguments";
    throw new CommandError(`${wrong}: drover ${usage}`, EXIT.usage);
  }
  if (json && !reads) throw new CommandError(`drover ${name} has no --json: it reads nothing`, EXIT.usage);
}

/** A reader that went away, as `head` does, has read enough: that is no failure. */
function print(stream: Writable, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error | null): void => {
      if (!error || (error as NodeJS.ErrnoException).code === "EPIPE") resolve(EXIT.ok);
      else reject(error);
    };
    // The stream says it twice, to the callback and as an event, and an event nobody hears ends the program.
    stream.on("error", end);
    stream.write(text, end);
  });
}
