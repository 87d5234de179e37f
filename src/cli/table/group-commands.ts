/** Commands on groups, names and nodes. */
import type { Command } from "../command.js";
import { ASK_FLAGS, ask, group, groups, names, publish, whereis } from "../commands/read/groups.js";
import { nodes } from "../commands/read/nodes.js";

export const GROUP_COMMANDS: readonly Command[] = [
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
    sentence:
      "Ask the process that holds a name, and print its answer. MESSAGE is JSON or text; - reads it from standard input.",
    takes: [2, 2],
    json: true,
    flags: ASK_FLAGS,
    run: ask,
  },
  {
    name: "publish",
    usage: "publish GROUP MESSAGE",
    sentence:
      "Send a message to a group, and print its number of members. MESSAGE is JSON or text; - reads it from standard input.",
    takes: [2, 2],
    json: false,
    run: publish,
  },
];
