/**
 * Log lines of a protocol: `conn.log` of a connection, and `log` of a module. A channel for each level, so that a level
 * that is not logged costs one check. pino's signature: `log.warn({ imei }, "no answer")`, `log.info("%d devices", n)`.
 */
import { type Channel, channel } from "node:diagnostics_channel";
import type { Pid } from "../../otp/process/pid.js";
import type { Peer } from "../../transport/transport.js";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The connection whose line it is. */
export interface LoggedConnection {
  readonly pid: Pid;
  readonly label: string;
  readonly peer: Peer;
  readonly state: string;
}

/** `protocol.log.LEVEL`. */
export interface ProtocolLine {
  readonly level: LogLevel;
  readonly connection: LoggedConnection | undefined;
  /** What the caller has given: fields or an error, then a message with its arguments. */
  readonly given: readonly unknown[];
}

export const protocolLog: Readonly<Record<LogLevel, Channel>> = Object.freeze(
  Object.fromEntries(LOG_LEVELS.map((level) => [level, channel(`protocol.log.${level}`)])) as Record<
    LogLevel,
    Channel
  >,
);

/** Logs one line: fields (or an error), and a message with `%s`, `%d`, `%j` as in `util.format`. */
interface Method {
  (fields: object, message?: string, ...args: unknown[]): void;
  (message: string, ...args: unknown[]): void;
}

/** A log with one method per level. Lines follow `--log-level`, `--log-file` and `--log-format`. */
export type Logger = Readonly<Record<LogLevel, Method>>;

/** Whether this OS process has a log, which subscribes to the levels that it takes. */
let hasLog = false;

/** From now on a level without subscribers is a level that is not logged. */
export function takeProtocolLines(): void {
  hasLog = true;
}

class ProtocolLogger implements Logger {
  readonly #connection: LoggedConnection | undefined;

  constructor(connection?: LoggedConnection) {
    this.#connection = connection;
  }

  trace(...given: unknown[]): void {
    this.#publish("trace", given);
  }
  debug(...given: unknown[]): void {
    this.#publish("debug", given);
  }
  info(...given: unknown[]): void {
    this.#publish("info", given);
  }
  warn(...given: unknown[]): void {
    this.#publish("warn", given);
  }
  error(...given: unknown[]): void {
    this.#publish("error", given);
  }
  fatal(...given: unknown[]): void {
    this.#publish("fatal", given);
  }

  #publish(level: LogLevel, given: readonly unknown[]): void {
    const to = protocolLog[level];
    if (to.hasSubscribers) to.publish({ level, connection: this.#connection, given });
    else if (!hasLog) this.#print(level, given);
  }

  /** In a program or test without a log (`serve`): from `info` on. */
  #print(level: LogLevel, given: readonly unknown[]): void {
    if (level === "trace" || level === "debug") return;
    const { pid, label } = this.#connection ?? {};
    console[level === "fatal" ? "error" : level](...(pid ? [`${label} ${pid}:`] : []), ...given);
  }
}

/** The log of a protocol's module: lines with the worker, and no connection. */
export const log: Logger = new ProtocolLogger();

/** The log of a connection: lines with its pid, protocol, state and peer. */
export function loggerOf(connection: LoggedConnection): Logger {
  return new ProtocolLogger(connection);
}
