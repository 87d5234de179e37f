/** Commands that change the running server: accepting, workers, limits, certificates, log level. */
import type { Command } from "../command.js";
import { BAN_FLAGS, ban, bans, unban } from "../commands/change/ban.js";
import { drain } from "../commands/change/drain.js";
import { LIMIT_FLAGS, LIMIT_WORDS, limit } from "../commands/change/limit.js";
import { log } from "../commands/change/log.js";
import { reloadTls } from "../commands/change/reload-tls.js";
import { RESTART_FLAGS, restart } from "../commands/change/restart.js";
import { scale } from "../commands/change/scale.js";
import { stop } from "../commands/change/stop.js";
import { resume, suspend } from "../commands/change/suspend.js";

export const OPERATOR_COMMANDS: readonly Command[] = [
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
    sentence: "List banned addresses with the time left.",
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
];
