/** Options of the log. */
import { oneOf, path } from "../kinds.js";
import { optional, row } from "../row.js";

export const LOGGING = {
  logLevel: row({
    kind: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
    default: "info",
    placeholder: "LEVEL",
    sentence: "Minimum log level: trace, debug, info, warn, error, fatal or silent.",
  }),
  logFile: optional({
    kind: path(),
    defaultText: "none: standard output",
    placeholder: "FILE",
    sentence: "Append the log to this file; SIGUSR2 opens it again after log rotation.",
  }),
  logFormat: row({
    kind: oneOf("json", "pretty"),
    default: ({ isTTY }) => (isTTY ? "pretty" : "json"),
    defaultText: "json, pretty on a terminal",
    placeholder: "FORMAT",
    sentence: "Log format: json (one object per line) or pretty, for reading on a terminal.",
  }),
};
