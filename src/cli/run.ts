/** Runs a command: its result goes to stdout, its failure as one line to stderr. */
import type { Writable } from "node:stream";
import { type Config, didYouMean, EXIT } from "../config/config.js";
import type { Command } from "./command.js";
import { COMMAND_SWITCHES, COMMANDS } from "./commands.js";
import { CommandError } from "./errors.js";
import type { Stdout } from "./terminal/output.js";
import { printable } from "./terminal/printable.js";
import type { Keyboard } from "./terminal/screen.js";

export interface RunOptions {
  readonly config: Pick<Config, "name" | "control" | "shutdown">;
  readonly json?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  /** Flags of the command's own. */
  readonly values?: ReadonlyMap<string, string> | undefined;
  /** Those of them that have no value; others are passed over. */
  readonly switches?: ReadonlySet<string> | undefined;
  /** What is typed. Default: nothing. */
  readonly stdin?: Keyboard | undefined;
  /** Whether colours are wanted. Default: none. */
  readonly color?: boolean | undefined;
  /** Ctrl-C, for commands that watch. */
  readonly interrupt?: AbortSignal | undefined;
  readonly stdout: Stdout;
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
  const { config, json = false, verbose = false, stdout, stderr, values = new Map() } = options;
  const { isTTY = stdout.isTTY, columns = stdout.columns, interrupt = NEVER } = options;
  const { stdin, color = false } = options;
  const switches = new Set(COMMAND_SWITCHES.filter((one) => options.switches?.has(one)));
  try {
    const command = commandNamed(name);
    checkUse(command, positionals.length, { json, given: [...values.keys(), ...switches] });
    const target = { ...pick(config), patience: options.patience };
    const done = await command.run!({
      ...{ target, positionals, json, verbose, values, switches, interrupt, stdout, stdin, color },
      columns: isTTY ? columns : undefined,
      print: (text) => print(stdout, text),
    });
    const { text, exitCode } = typeof done === "string" ? { text: done, exitCode: EXIT.ok } : done;
    await print(stdout, text);
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    await print(stderr, `${printable(error.message)}\n`);
    return error.exitCode;
  }
}

const NEVER = new AbortController().signal;

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

type Given = { readonly json: boolean; readonly given: readonly string[] };

function checkUse(command: Command, count: number, { json, given }: Given): void {
  const { name, usage, takes, reads, flags = [] } = command;
  const [least, most] = takes;
  if (count < least || count > most) {
    const wrong = count < least ? "too few arguments" : "too many arguments";
    throw new CommandError(`${wrong}: drover ${usage}`, EXIT.usage);
  }
  if (json && !reads) throw new CommandError(`drover ${name} has no --json: it reads nothing`, EXIT.usage);
  const strange = given.find((one) => !flags.some((flag) => flag.name === one));
  if (strange !== undefined) throw new CommandError(`drover ${name} has no --${strange}`, EXIT.usage);
}

/**
 * A reader that went away, as `head` does, has read enough: that is no failure.
 * @returns whether it is still there
 */
function print(stream: Writable, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error | null): void => {
      stream.off("error", end);
      if (!error) return resolve(true);
      // The stream says it twice, to the callback and as an event, and an event nobody hears ends the program.
      stream.on("error", () => {});
      if ((error as NodeJS.ErrnoException).code === "EPIPE") resolve(false);
      else reject(error);
    };
    stream.on("error", end);
    stream.write(text, end);
  });
}
