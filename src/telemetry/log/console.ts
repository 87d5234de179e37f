/**
 * Captures `console` and process warnings of this OS process: they become log records instead of text between the
 * log lines. The level comes from the method; until there is a log, Node prints as usual.
 */
import { format, inspect } from "node:util";
import { errorFields, type Fields } from "./fields.js";
import type { LineLevel } from "./levels.js";
import type { LogEntry } from "./lines/log-entry.js";
import { reasonText, textOr } from "./safe-text.js";

/** The log that takes the records. */
export interface ConsoleLog {
  isEnabled(level: LineLevel): boolean;
  record(entry: LogEntry): void;
}

/** The other methods (`table`, `count`, `timeEnd`, `assert`, `group`) call one of these. */
const LEVELS = {
  trace: "trace",
  debug: "debug",
  log: "info",
  info: "info",
  dir: "info",
  dirxml: "info",
  warn: "warn",
  error: "error",
} as const satisfies Readonly<Partial<Record<keyof Console, LineLevel>>>;

type Method = (...args: unknown[]) => void;

let log: ConsoleLog | undefined;
/** The warning that Node is printing, by `console.error`. */
let warning: Error | undefined;

/** From now on `console` and process warnings go to this log. */
export function logConsole(to: ConsoleLog): void {
  log = to;
}

/** Replaces the methods of `console`. @returns what undoes it */
export function captureConsole(): () => void {
  const methods = Object.keys(LEVELS) as (keyof typeof LEVELS)[];
  const originals = methods.map((name) => [name, console[name] as Method] as const);
  for (const [name, original] of originals) console[name] = captured(name, original);
  const release = captureWarnings();
  return () => {
    Object.assign(console, Object.fromEntries(originals));
    release();
    log = undefined;
  };
}

function captured(name: keyof typeof LEVELS, original: Method): Method {
  const level = LEVELS[name];
  return function print(...args): void {
    if (log === undefined) return original(...args);
    if (warning !== undefined) return recordWarning(log, warning);
    if (!log.isEnabled(level)) return;
    const message = textOr("unprintable", () => (name === "dir" ? dirText(args) : messageText(args)));
    const error = name === "trace" ? traceOf(message, print) : args.find((one) => one instanceof Error);
    log.record({ level, message, fields: () => consoleFields("console", error) });
  };
}

/** As `console.log` formats; of an error only name and message, as its stack is a field. */
function messageText(args: readonly unknown[]): string {
  return format(...args.map((one) => (one instanceof Error ? reasonText(one) : one)));
}

function dirText([value, options]: readonly unknown[]): string {
  return inspect(value, { customInspect: false, ...(options as object | undefined) });
}

function traceOf(message: string, below: Method): Error {
  const trace = Object.assign(new Error(message), { name: "Trace" });
  Error.captureStackTrace(trace, below);
  return trace;
}

function consoleFields(source: string, error: unknown): Fields {
  return { source, ...(error instanceof Error && { err: errorFields(error) }) };
}

/** Node's own listener decides whether a warning is printed (`--disable-warning`, `--redirect-warnings`); we only take over how. */
function captureWarnings(): () => void {
  const original = process.listeners("warning").find(({ name }) => name === "onWarning");
  // NODE_NO_WARNINGS, --no-warnings.
  if (original === undefined) return () => {};
  const listener = (given: Error): void => {
    warning = given;
    try {
      original(given);
    } finally {
      warning = undefined;
    }
  };
  process.off("warning", original).on("warning", listener);
  return () => void process.off("warning", listener).on("warning", original);
}

function recordWarning(to: ConsoleLog, given: Error & { code?: unknown; detail?: unknown }): void {
  const { code, detail } = given;
  to.record({
    level: "warn",
    message: reasonText(given),
    fields: () => ({
      ...consoleFields("warning", given),
      ...(typeof code === "string" && { code }),
      ...(typeof detail === "string" && { detail }),
    }),
    kind: `warning ${String(given.name).slice(0, 40)}`,
  });
}
