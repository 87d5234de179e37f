/** Table of commands: the help text and shell completion are made from it. */
import type { Command } from "./command.js";
import { BAN_FLAGS, ban, bans, unban } from "./commands/change/ban.js";
import { drain } from "./commands/change/drain.js";
import { kill } from "./commands/change/kill.js";
import { LIMIT_FLAGS, LIMIT_WORDS, limit } from "./commands/change/limit.js";
import { log } from "./commands/change/log.js";
import { reloadTls } from "./commands/change/reload-tls.js";
import { RESTART_FLAGS, restart } from "./commands/change/restart.js";
import { scale } from "./commands/change/scale.js";
import { stop } from "./commands/change/stop.js";
import { resume, suspend } from "./commands/change/suspend.js";
import { EVENT_FLAGS, events } from "./commands/follow/events.js";
import { top } from "./commands/follow/top.js";
import { trace } from "./commands/follow/trace.js";
import { create, NEW_FLAGS } from "./commands/new-project/new.js";
import { config } from "./commands/read/config.js";
import { CONNECTION_FLAGS, connections } from "./commands/read/connections.js";
import { ASK_FLAGS, ask, group, groups, names, publish, whereis } from "./commands/read/groups.js";
import { health } from "./commands/read/health.js";
import { info } from "./commands/read/info.js";
import { nodes } from "./commands/read/nodes.js";
import { page } from "./commands/read/page.js";
import { state } from "./commands/read/state.js";
import { tree } from "./commands/read/tree.js";
import { completion, SHELLS } from "./completion.js";

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
  {
    name: "tree",
    usage: "tree",
    sentence: "Show the process tree.",
    takes: [0, 0],
    json: true,
    flags: [{ name: "watch", sentence: "Redraw each second, q quits; short form -w." }],
    interruptible: true,
    run: tree,
  },
  {
    name: "top",
    usage: "top",
    sentence: "Show workers and the busiest connections, live on a terminal.",
    takes: [0, 0],
    json: true,
    interruptible: true,
    run: top,
  },
  {
    name: "connections",
    usage: "connections",
    sentence: "List connections.",
    takes: [0, 0],
    json: true,
    flags: CONNECTION_FLAGS,
    run: connections,
  },
  {
    name: "info",
    usage: "info [PID]",
    sentence: "Show information about the server, or about one process.",
    takes: [0, 1],
    json: true,
    run: info,
  },
  {
    name: "state",
    usage: "state PID",
    sentence: "Show the state and data of a process.",
    takes: [1, 1],
    json: true,
    run: state,
  },
  {
    name: "trace",
    usage: "trace PID",
    sentence: "Trace the events of a process until it ends or Ctrl-C.",
    takes: [1, 1],
    json: true,
    interruptible: true,
    run: trace,
  },
  {
    name: "events",
    usage: "events",
    sentence: "Show the last warnings, reports and changes of the running server, or follow its log.",
    takes: [0, 0],
    json: true,
    flags: EVENT_FLAGS,
    interruptible: true,
    run: events,
  },
  {
    name: "kill",
    usage: "kill PID [REASON]",
    sentence: "Send an exit signal to a process. Default reason: kill.",
    takes: [1, 2],
    json: false,
    run: kill,
  },
  {
    name: "groups",
    usage: "groups",
    sentence: "List groups, those with most members first.",
    takes: [0, 0],
    json: true,
    run: groups,
  },
  {
    name: "group",
    usage: "group NAME",
    sentence: "List the members of a group, with presence also key and info.",
    takes: [1, 1],
    json: true,
    run: group,
  },
  {
    name: "names",
    usage: "names [PREFIX]",
    sentence: "List names and the processes that hold them.",
    takes: [0, 1],
    json: true,
    run: names,
  },
  {
    name: "whereis",
    usage: "whereis NAME",
    sentence: "Show the pid of the process that holds a name.",
    takes: [1, 1],
    json: true,
    run: whereis,
  },
  {
    name: "nodes",
    usage: "nodes",
    sentence: "List the servers that share groups and names with this one.",
    takes: [0, 0],
    json: true,
    run: nodes,
  },
  {
    name: "ask",
    usage: "ask NAME MESSAGE",
    sentence: "Ask the process that holds a name, and print its answer. MESSAGE is JSON, or a text.",
    takes: [2, 2],
    json: true,
    flags: ASK_FLAGS,
    run: ask,
  },
  {
    name: "publish",
    usage: "publish GROUP MESSAGE",
    sentence: "Send a message to a group, and print its number of members. MESSAGE is JSON, or a text.",
    takes: [2, 2],
    json: false,
    run: publish,
  },
  {
    name: "suspend",
    usage: "suspend [LISTENER]",
    completes: "listeners",
    sentence: "Stop accepting; new connections queue in the backlog.",
    takes: [0, 1],
    json: true,
    run: suspend,
  },
  {
    name: "resume",
    usage: "resume [LISTENER]",
    completes: "listeners",
    sentence: "Accept again; also cancels a drain.",
    takes: [0, 1],
    json: true,
    run: resume,
  },
  {
    name: "drain",
    usage: "drain [LISTENER]",
    completes: "listeners",
    sentence: "Stop accepting and wait until all connections have ended.",
    takes: [0, 1],
    json: true,
    flags: [
      {
        name: "deadline",
        placeholder: "DURATION",
        sentence: "Tell the remaining connections to stop after this time. Default: 25s.",
      },
    ],
    interruptible: true,
    run: drain,
  },
  {
    name: "scale",
    usage: "scale N",
    sentence: "Set the number of workers.",
    takes: [1, 1],
    json: true,
    run: scale,
  },
  {
    name: "restart",
    usage: "restart WORKER",
    sentence: "Restart one worker: its connections finish, then the next one starts.",
    takes: [1, 1],
    json: true,
    flags: RESTART_FLAGS,
    run: restart,
  },
  {
    name: "limit",
    usage: "limit [LIMIT [VALUE]]",
    sentence:
      "Show the limits in force and where each came from, or change one until the server ends: a value, off, add or remove NETWORKS, reset.",
    takes: [0, 64],
    json: true,
    flags: LIMIT_FLAGS,
    words: LIMIT_WORDS,
    run: limit,
  },
  {
    name: "ban",
    usage: "ban ADDRESS",
    sentence: "Refuse new connections of a client address, of IPv6 its /64; open ones go on.",
    takes: [1, 1],
    json: true,
    flags: BAN_FLAGS,
    run: ban,
  },
  {
    name: "unban",
    usage: "unban ADDRESS",
    sentence: "Lift the ban of an address.",
    takes: [1, 1],
    json: true,
    run: unban,
  },
  {
    name: "bans",
    usage: "bans",
    sentence: "Banned addresses, with the time that is left.",
    takes: [0, 0],
    json: true,
    run: bans,
  },
  {
    name: "reload-tls",
    usage: "reload-tls",
    sentence: "Read certificates and keys again; new handshakes use them, connections go on.",
    takes: [0, 0],
    json: true,
    run: reloadTls,
  },
  {
    name: "log",
    usage: "log [LEVEL]",
    sentence: "Show the minimum log level of the running server, or set it.",
    takes: [0, 1],
    json: true,
    words: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    run: log,
  },
  {
    name: "stop",
    usage: "stop",
    sentence: "Stop the server gracefully and wait until it has ended.",
    takes: [0, 0],
    json: false,
    run: stop,
  },
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
