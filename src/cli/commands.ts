/** Table of commands, in the order of the help text: help and shell completion are made from it. */
import type { Command } from "./command.js";
import { create, NEW_FLAGS } from "./commands/new-project/new.js";
import { config } from "./commands/read/config.js";
import { health } from "./commands/read/health.js";
import { page } from "./commands/read/page.js";
import { completion, SHELLS } from "./completion.js";
import { GROUP_COMMANDS } from "./table/group-commands.js";
import { OPERATOR_COMMANDS } from "./table/operator-commands.js";
import { PROCESS_COMMANDS } from "./table/process-commands.js";

export const COMMANDS: readonly Command[] = [
  {
    name: "start",
    usage: "start [PROTOCOL]",
    sentence: "Start the server with a protocol: a built-in name, or a .ts or .js file. Default: echo.",
    takes: [0, 1],
    json: false,
  },
  {
    name: "dev",
    usage: "dev [PROTOCOL]",
    sentence:
      "Serve a protocol while it is written: one worker, log at debug, restart after each save, debuggers at port 9229.",
    takes: [0, 1],
    json: false,
  },
  ...PROCESS_COMMANDS,
  ...GROUP_COMMANDS,
  ...OPERATOR_COMMANDS,
  {
    name: "health",
    usage: "health",
    sentence: "Exit with 0 while a worker process runs, else with 1: for the health check of a container.",
    takes: [0, 0],
    json: true,
    flags: [{ name: "ready", sentence: "Exit with 0 while a responding worker accepts connections." }],
    run: health,
  },
  {
    name: "config",
    usage: "config",
    sentence: "Show effective option values and where each came from.",
    takes: [0, 0],
    json: true,
    run: config,
  },
  {
    name: "page",
    usage: "page",
    sentence: "Print the URL of the observer page, with the token that permits changes.",
    takes: [0, 0],
    json: true,
    run: page,
  },
  {
    name: "check",
    usage: "check [PROTOCOL]",
    sentence: "Check configuration, protocol and machine limits without starting the server.",
    takes: [0, 1],
    json: true,
    flags: [{ name: "strict", sentence: "Treat warnings as errors." }],
  },
  {
    name: "new",
    usage: "new DIR",
    sentence: "Create a starter project: a protocol and its test.",
    takes: [1, 1],
    json: false,
    flags: NEW_FLAGS,
    run: create,
  },
  {
    name: "completion",
    usage: "completion SHELL",
    sentence: "Print the completion script for bash, zsh or fish.",
    takes: [1, 1],
    json: false,
    words: SHELLS,
    run: (invocation) => completion(invocation, COMMANDS),
  },
  { name: "help", usage: "help", sentence: "Show this text.", takes: [0, 0], json: false },
];

const FLAGS = COMMANDS.flatMap(({ flags = [] }) => flags);

/** Names of the flags of single commands: those with a value. */
export const COMMAND_FLAGS: readonly string[] = FLAGS.flatMap(({ name, placeholder }) =>
  placeholder === undefined ? [] : name,
);
/** Names of the flags of single commands: those without a value. */
export const COMMAND_SWITCHES: readonly string[] = FLAGS.flatMap(({ name, placeholder }) =>
  placeholder === undefined ? name : [],
);
