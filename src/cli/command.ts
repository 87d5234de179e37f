/** A command of the command line, and what it runs with. */
import type { Target } from "./client/client.js";
import type { Stdout } from "./terminal/output.js";
import type { Keyboard } from "./terminal/screen.js";

/** A flag of one command. */
export interface CommandFlag {
  /** Without dashes. */
  readonly name: string;
  /** Stands for the value in the help text. Missing: the flag has no value. */
  readonly placeholder?: string;
  readonly sentence: string;
  /** What its value is, for shell completion. */
  readonly completes?: "listeners";
}

export interface Command {
  readonly name: string;
  /** With its arguments: `kill PID [REASON]`. */
  readonly usage: string;
  readonly sentence: string;
  /** Number of arguments. */
  readonly takes: readonly [min: number, max: number];
  /** Whether the command has --json. */
  readonly json: boolean;
  /** Its own flags, besides --json and the options of the configuration. */
  readonly flags?: readonly CommandFlag[];
  /** Values of its first argument, for shell completion and its help. */
  readonly words?: readonly string[];
  /** What its first argument is, for shell completion: names that the running server knows. */
  readonly completes?: "listeners";
  /** Whether the command handles Ctrl-C itself: the first one aborts `interrupt`. */
  readonly interruptible?: boolean;
  /** Resolves with the output. Missing: `program` runs the command. */
  readonly run?: (invocation: Invocation) => Promise<string | Outcome>;
}

/** Output with an exit code other than 0. */
export interface Outcome {
  readonly text: string;
  readonly exitCode: number;
}

/** One call of a command: its arguments, its terminal, its server. */
export interface Invocation {
  readonly target: Target;
  readonly positionals: readonly string[];
  readonly json: boolean;
  /** --verbose: more columns. */
  readonly verbose: boolean;
  /** Width of the terminal; `undefined`: standard output is no terminal. */
  readonly columns: number | undefined;
  /** Own flags with a value that were given. */
  readonly values: ReadonlyMap<string, string>;
  /** Own flags without a value that were given. */
  readonly switches: ReadonlySet<string>;
  readonly stdout: Stdout;
  /** Keyboard; `undefined`: standard input is no terminal. */
  readonly stdin: Keyboard | undefined;
  /** Opens standard input, for a message that is too long for an argument. */
  readonly input: () => AsyncIterable<Uint8Array | string>;
  /** Whether to use colours. */
  readonly color: boolean;
  /** Aborted on Ctrl-C, if the command is interruptible. */
  readonly interrupt: AbortSignal;
  /** Writes part of the output. `false`: standard output is closed, so stop. */
  print(text: string): Promise<boolean>;
}
