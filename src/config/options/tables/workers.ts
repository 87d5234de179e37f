/** Options of the workers. Four tables, because the help text has other options in between. */
import { availableParallelism } from "node:os";
import { MAX_WORKERS } from "../../limits.js";
import { autoOr, duration, integer, oneOf, port } from "../kinds.js";
import { optional, row } from "../row.js";

export const WORKERS = {
  workers: row({
    kind: autoOr(1, MAX_WORKERS),
    default: "auto",
    placeholder: "N|auto",
    sentence: "Number of workers; auto is one per available core.",
    show: (value) => (value === "auto" ? `auto (${availableParallelism()})` : String(value)),
  }),
};

export const RESTARTS = {
  maxRestarts: row({
    kind: autoOr(0, 1_000_000),
    default: "auto",
    placeholder: "N|auto",
    sentence:
      "Restarts allowed within --max-seconds; at one more the supervisor gives up; auto is 5, or the number of workers where that is more.",
  }),
  maxSeconds: row({
    kind: integer(1, 1_000_000),
    default: 60,
    placeholder: "SECONDS",
    sentence: "Time window in which a supervisor counts restarts.",
  }),
};

/** What is watched and measured in a worker. */
export const WATCH = {
  watchdog: row({
    kind: duration(0),
    default: 10_000,
    placeholder: "DURATION",
    sentence: "Kill and replace a worker whose event loop is blocked this long; 0 disables.",
  }),
  lagWarning: row({
    kind: duration(1),
    default: 200,
    placeholder: "DURATION",
    sentence: "Warn when a worker's event-loop lag exceeds this.",
  }),
  handlerLatency: row({
    kind: oneOf("on", "off"),
    default: "off",
    placeholder: "SWITCH",
    sentence: "on measures handler latency and exports it as drover_handler_seconds.",
  }),
};

export const INSPECTOR = {
  inspect: optional({
    kind: port(),
    defaultText: "off",
    placeholder: "PORT",
    bare: "9229",
    sentence:
      "Let debuggers attach to worker 1 at this port, to worker 2 at the next, on 127.0.0.1 only; without a port 9229.",
  }),
};
