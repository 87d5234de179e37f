/** Commands on processes and connections: listed, followed, ended. */
import type { Command } from "../command.js";
import { kill } from "../commands/change/kill.js";
import { EVENT_FLAGS, events } from "../commands/follow/events.js";
import { top } from "../commands/follow/top.js";
import { trace } from "../commands/follow/trace.js";
import { CONNECTION_FLAGS, connections } from "../commands/read/connections.js";
import { info } from "../commands/read/info.js";
import { state } from "../commands/read/state.js";
import { tree } from "../commands/read/tree.js";

export const PROCESS_COMMANDS: readonly Command[] = [
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
];
