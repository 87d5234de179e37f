/** Runs a command: output to stdout, an error as one line to stderr. */
import { Readable, type Writable } from "node:stream";
import { type Config, didYouMean, EXIT } from "../config/config.js";
import { escapeControls } from "../text/escape.js";
import type { Command } from "./command.js";
import { COMMAND_SWITCHES, COMMANDS } from "./commands.js";
import { CommandError } from "./errors.js";
import type { Stdout } from "./terminal/output.js";
import type { Keyboard } from "./terminal/screen.js";

export interface RunOptions {
  readonly config: Pick<Config, "name" | "control">;
  readonly json?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  /** Flags of single commands, with their values. */
  readonly values?: ReadonlyMap<string, string> | undefined;
  /** Flags without a value; those of no command are ignored. */
  readonly switches?: ReadonlySet<string> | undefined;
  /** Keyboard. Default: none. */
  readonly stdin?: Keyboard | undefined;
  /** Opens standard input. Default: empty. */
  readonly input?: (() => AsyncIterable<Uint8Array | string>) | undefined;
  /** Whether to use colours. Default: no. */
  readonly color?: boolean | undefined;
  /** Ctrl-C, for interruptible commands. */
  readonly interrupt?: AbortSignal | undefined;
  readonly stdout: Stdout;
  readonly stderr: Writable;
  /** Default: that of `stdout`. */
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal. Default: that of `stdout`. */
  readonly columns?: number | undefined;
  /** Response timeout in milliseconds. Default: 5000. */
  readonly timeout?: number | undefined;
}

/** Rejects for programming errors only. @returns one of `EXIT` */
export async function runCommand(
  name: string,
  positionals: readonly string[],
  options: RunOptions,
): Promise<number> {
  const { config, json = false, verbose = false, stdout, stderr, values = new Map() } = options;
  const { isTTY = stdout.isTTY, columns = stdout.columns, interrupt = NEVER } = options;
  const { stdin, input = () => Readable.from([]), color = false } = options;
  const switches = new Set(COMMAND_SWITCHES.filter((one) => options.switches?.has(one)));
  try {
    const command = commandNamed(name);
    checkUse(command, positionals.length, { json, given: [...values.keys(), ...switches] });
    const target = { ...pick(config), timeout: options.timeout };
    const done = await command.run!({
      ...{ target, positionals, json, verbose, values, switches, interrupt, stdout, stdin, input, color },
      columns: isTTY ? columns : undefined,
      print: (text) => print(stdout, text),
    });
    const { text, exitCode } = typeof done === "string" ? { text: done, exitCode: EXIT.ok } : done;
    await print(stdout, text);
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    await print(stderr, `${escapeControls(error.message)}\n`);
    return error.exitCode;
  }
}

const NEVER = new AbortController().signal;

function pick({ name, control }: RunOptions["config"]): RunOptions["config"] {
  return { name, control };
}

function commandNamed(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name && command.run !== undefined);
  if (found !== undefined) return found;
  const names = COMMANDS.map((command) => command.name);
  const advice = didYouMean(name, names) || ": `drover help` lists the commands";
  throw new CommandError(`unknown command ${JSON.stringify(name)}${advice}`, EXIT.usage);
}

type Given = { readonly json: boolean; readonly given: readonly string[] };

function checkUse(command: Command, count: number, { json, given }: Given): void {
  const { name, usage, takes, json: hasJson, flags = [] } = command;
  const [min, max] = takes;
  if (count < min || count > max) {
    const wrong = count < min ? "too few arguments" : "too many arguments";
    throw new CommandError(`${wrong}: drover ${usage}`, EXIT.usage);
  }
  if (json && !hasJson) throw new CommandError(`drover ${name} has no --json`, EXIT.usage);
  const foreign = given.find((one) => !flags.some((flag) => flag.name === one));
  if (foreign !== undefined) throw new CommandError(`drover ${name} has no --${foreign}`, EXIT.usage);
}

/**
 * A closed pipe (`drover tree | head -1`) is no error.
 * @returns whether the stream is still open
 */
function print(stream: Writable, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error | null): void => {
      stream.off("error", end);
      if (!error) return resolve(true);
      // A failed write is reported twice, and an error event without a listener ends the program.
      stream.on("error", () => {});
      if ((error as NodeJS.ErrnoException).code === "EPIPE") resolve(false);
      else reject(error);
    };
    stream.on("error", end);
    stream.write(text, end);
  });
}
