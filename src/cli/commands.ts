/** The table of commands, from which the help text and the completion of shells are made. */

import type { Command } from "./command.js";
import { log, resume, scale, suspend } from "./commands/accepting.js";
import { config, info, kill, stop, tree } from "./commands/actions.js";
import { CONNECTION_FLAGS, connections } from "./commands/connections.js";
import { drain } from "./commands/drain.js";
import { create } from "./commands/new.js";
import { page } from "./commands/page.js";
import { state } from "./commands/state.js";
import { top } from "./commands/top.js";
import { trace } from "./commands/trace.js";
import { completion, SHELLS } from "./completion.js";

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
    flags: [{ name: "watch", sentence: "Draw it again each second, until q; also -w." }],
    watches: true,
    run: tree,
  },
  {
    name: "top",
    usage: "top",
    sentence: "Show the workers and the busiest connections, live on a terminal.",
    takes: [0, 0],
    reads: true,
    watches: true,
    run: top,
  },
  {
    name: "connections",
    usage: "connections",
    sentence: "List connections.",
    takes: [0, 0],
    reads: true,
    flags: CONNECTION_FLAGS,
    run: connections,
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
    name: "state",
    usage: "state PID",
    sentence: "Show what a process holds.",
    takes: [1, 1],
    reads: true,
    run: state,
  },
  {
    name: "trace",
    usage: "trace PID",
    sentence: "Show what a process does, until it ends or Ctrl-C.",
    takes: [1, 1],
    reads: true,
    watches: true,
    run: trace,
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
    name: "suspend",
    usage: "suspend [LISTENER]",
    sentence: "Accept nobody any more; who connects waits in the kernel.",
    takes: [0, 1],
    reads: true,
    run: suspend,
  },
  {
    name: "resume",
    usage: "resume [LISTENER]",
    sentence: "Accept again, also after a drain.",
    takes: [0, 1],
    reads: true,
    run: resume,
  },
  {
    name: "drain",
    usage: "drain",
    sentence: "Accept nobody any more, and wait until nobody is connected.",
    takes: [0, 0],
    reads: true,
    flags: [
      {
        name: "deadline",
        placeholder: "DURATION",
        sentence: "When those still connected are told to stop. Default: 25s.",
      },
    ],
    watches: true,
    run: drain,
  },
  {
    name: "scale",
    usage: "scale N",
    sentence: "Run so many workers.",
    takes: [1, 1],
    reads: true,
    run: scale,
  },
  {
    name: "log",
    usage: "log [LEVEL]",
    sentence: "Show the least that is logged, or set it in the running server.",
    takes: [0, 1],
    reads: true,
    words: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    run: log,
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
  {
    name: "page",
    usage: "page",
    sentence: "Print the address of the observer page, which lets its reader change things.",
    takes: [0, 0],
    reads: true,
    run: page,
  },
  {
    name: "check",
    usage: "check [PROTOCOL]",
    sentence: "Try out what start would do: configuration, protocol, and the limits of this machine.",
    takes: [0, 1],
    reads: true,
  },
  {
    name: "new",
    usage: "new DIR",
    sentence: "Begin a project of your own: a protocol, its test, and what they need.",
    takes: [1, 1],
    reads: false,
    run: create,
  },
  {
    name: "completion",
    usage: "completion SHELL",
    sentence: "Print what makes a shell complete these commands: bash, zsh or fish.",
    takes: [1, 1],
    reads: false,
    words: SHELLS,
    run: (asked) => completion(asked, COMMANDS),
  },
  { name: "help", usage: "help", sentence: "Show this text.", takes: [0, 0], reads: false },
];

const FLAGS = COMMANDS.flatMap(({ flags = [] }) => flags);

/** Names of the flags that only some commands have: those with a value. */
export const COMMAND_FLAGS: readonly string[] = FLAGS.flatMap(({ name, placeholder }) =>
  placeholder === undefined ? [] : name,
);
/** And those without one. */
export const COMMAND_SWITCHES: readonly string[] = FLAGS.flatMap(({ name, placeholder }) =>
  placeholder === undefined ? name : [],
);
