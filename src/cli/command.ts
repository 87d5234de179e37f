/** What a row of the table of commands is, and what a command is given. */
import type { Target } from "./client/client.js";
import type { Stdout } from "./terminal/output.js";
import type { Keyboard } from "./terminal/screen.js";

/** A flag that only some commands have. */
export interface CommandFlag {
  /** Without dashes. */
  readonly name: string;
  /** Stands for its value in the help text. Missing: it has none. */
  readonly placeholder?: string;
  readonly sentence: string;
}

export interface Command {
  readonly name: string;
  /** With its arguments: `kill PID [REASON]`. */
  readonly usage: string;
  readonly sentence: string;
  /** How many arguments it takes: at least, at most. */
  readonly takes: readonly [least: number, most: number];
  /** Whether it tells something, and so has --json. */
  readonly reads: boolean;
  /** Besides --json and the options of the configuration. */
  readonly flags?: readonly CommandFlag[];
  /** Words that its first argument can be, for shells that complete it. */
  readonly words?: readonly string[];
  /** Whether it goes on until Ctrl-C, of which it is told. */
  readonly watches?: boolean;
  /** Resolves with what is printed. Missing: the program does it itself. */
  readonly run?: (asked: Asked) => Promise<string | Outcome>;
}

/** What is printed at the end, where the exit code is not simply 0. */
export interface Outcome {
  readonly text: string;
  readonly exitCode: number;
}

export interface Asked {
  readonly target: Target;
  readonly positionals: readonly string[];
  readonly json: boolean;
  /** Show more columns. */
  readonly verbose: boolean;
  /** Of the terminal; `undefined`: the output goes elsewhere. */
  readonly columns: number | undefined;
  /** The flags of its own that were given. */
  readonly values: ReadonlyMap<string, string>;
  /** Those of them that have no value. */
  readonly switches: ReadonlySet<string>;
  readonly stdout: Stdout;
  /** What is typed, where somebody can. */
  readonly stdin: Keyboard | undefined;
  /** Whether colours are wanted. */
  readonly color: boolean;
  /** Aborted on Ctrl-C, if the command watches. */
  readonly interrupt: AbortSignal;
  /** Prints something before the end. `false`: the reader has gone, and nothing more is wanted. */
  print(text: string): Promise<boolean>;
}
