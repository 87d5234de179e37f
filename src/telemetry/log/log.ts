/**
 * The log: one JSON object per line, or text for a terminal. Subscribes to the diagnostics channels of the other
 * rooms, and has one method per level for messages of its callers.
 *
 *   diagnostics channels ─▶ entry ─▶ level ─▶ rate limit ─▶ pino | SASL text ─▶ sink ─▶ standard output, file
 */
import type { ChannelListener } from "node:diagnostics_channel";
import { type Logger, pino } from "pino";
import { wallTime } from "../../otp/time/clock.js";
import { takeProtocolLines } from "../../tcp/observe/protocol-log.js";
import { durationText } from "../../text/duration.js";
import { escapeJsonControls } from "../../text/escape.js";
import { type Fields, plainFields } from "./fields.js";
import { type Level, type LineLevel, passes } from "./levels.js";
import { fitJsonLine, fitText } from "./line-length.js";
import { AUDIT_SOURCE } from "./lines/audit-lines.js";
import type { LogEntry, LogSource } from "./lines/log-entry.js";
import { PROTOCOL_SOURCES } from "./lines/protocol-lines.js";
import { SOURCES } from "./lines/sources.js";
import { prettyLine } from "./pretty.js";
import { RateLimit, type Suppressed } from "./rate-limit.js";
import { truncate } from "./safe-text.js";
import { closeStandardSockets, Sink } from "./sink.js";

export type { Fields } from "./fields.js";
export type { Level } from "./levels.js";

export interface LogOptions {
  readonly level: Level;
  readonly format: "json" | "pretty";
  /** Number of the worker slot; 0 is the primary. */
  readonly worker: number;
  /** Name of the server (`--name`). */
  readonly name: string;
  /** Path of the log file. Default: standard output. */
  readonly file?: string | undefined;
  /** When the file cannot be opened, use standard output and log that as an error. Default: false. */
  readonly fallback?: boolean | undefined;
  /** Whether `pretty` uses colours. Default: false. */
  readonly color?: boolean | undefined;
}

const ALL_SOURCES: readonly LogSource[] = [...SOURCES, ...PROTOCOL_SOURCES, AUDIT_SOURCE];

/** Maximum bytes of a message: most are far shorter, but a protocol may print with `console.log`. */
const MAX_MESSAGE = 3000;

type Method = (message: string, fields?: Fields) => void;

export interface Log {
  readonly trace: Method;
  readonly debug: Method;
  readonly info: Method;
  readonly warn: Method;
  readonly error: Method;
  readonly fatal: Method;
  /** Whether the log or its follower takes lines of this level. */
  isEnabled(level: LineLevel): boolean;
  /** Logs an entry, within the rate limit of its kind. */
  record(entry: LogEntry): void;
  /** Minimum level; can be changed at any time. */
  level: Level;
  /** Number of lines that could not be written. */
  readonly dropped: number;
  /**
   * Calls `onLine` with every line of at least this level as JSON, independent of the log's own level and format.
   * There is one follower; a second call replaces it.
   */
  follow(minimum: LineLevel, onLine: (line: string) => void): void;
  /** @internal Resolves when no line is being written in a thread. */
  idle(): Promise<void>;
  /** Opens the log file again, after log rotation renamed it. No effect on standard output. */
  reopen(): void;
  /** Writes queued lines for at most 250 ms, then unsubscribes from all channels. */
  close(): void;
}

/** @throws NodeJS.ErrnoException when the file cannot be opened, without `fallback` */
export function openLog(options: LogOptions): Log {
  return new EventLog(options);
}

class EventLog implements Log {
  readonly #options: LogOptions;
  readonly #sink: Sink;
  readonly #logger: Logger;
  /** The last line that pino formatted. */
  #jsonLine = "";
  readonly #rateLimit = new RateLimit((suppressed) => this.#summarise(suppressed));
  readonly #subscribed = new Map<LogSource, ChannelListener>();
  readonly #onExit = () => this.close();
  #level: Level;
  #follower: Follower | undefined = undefined;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#level = options.level;
    this.#sink = new Sink(
      options.file,
      (lines) => this.warn(`dropped ${lines} log lines: the output was blocked or full`, { lost: lines }),
      options.fallback,
    );
    this.#logger = jsonLogger(options, (line) => {
      this.#jsonLine = line;
    });
    this.#subscribe();
    takeProtocolLines();
    process.on("exit", this.#onExit);
    // After the last line: listeners run in the order in which they were added.
    process.off("exit", closeStandardSockets).on("exit", closeStandardSockets);
    const { openError } = this.#sink;
    if (openError !== undefined)
      this.error("cannot open the log file: logging to standard output until SIGUSR2", { err: openError });
  }

  readonly trace: Method = (message, fields) => this.#logMessage("trace", message, fields);
  readonly debug: Method = (message, fields) => this.#logMessage("debug", message, fields);
  readonly info: Method = (message, fields) => this.#logMessage("info", message, fields);
  readonly warn: Method = (message, fields) => this.#logMessage("warn", message, fields);
  readonly error: Method = (message, fields) => this.#logMessage("error", message, fields);
  readonly fatal: Method = (message, fields) => this.#logMessage("fatal", message, fields);

  get level(): Level {
    return this.#level;
  }

  set level(level: Level) {
    this.#level = level;
    this.#subscribe();
  }

  get dropped(): number {
    return this.#sink.dropped;
  }

  follow(minimum: LineLevel, onLine: (line: string) => void): void {
    this.#follower = { minimum, onLine };
    this.#subscribe();
  }

  isEnabled(level: LineLevel): boolean {
    return (
      passes(level, this.#level) || (this.#follower !== undefined && passes(level, this.#follower.minimum))
    );
  }

  idle(): Promise<void> {
    return this.#sink.idle();
  }

  reopen(): void {
    try {
      this.#sink.reopen();
    } catch (error) {
      this.error("cannot reopen the log file: still writing to the old one", { err: error });
    }
  }

  close(): void {
    process.off("exit", this.#onExit);
    for (const [{ channel }, listener] of this.#subscribed) channel.unsubscribe(listener);
    this.#subscribed.clear();
    this.#rateLimit.flush();
    this.#sink.close();
  }

  /** Subscribes only to channels whose lines may be written: publishers check `hasSubscribers` before building an event. */
  #subscribe(): void {
    for (const source of ALL_SOURCES) {
      const wanted = this.isEnabled(source.maxLevel);
      const listener = this.#subscribed.get(source);
      if (wanted === (listener !== undefined)) continue;
      if (listener) {
        source.channel.unsubscribe(listener);
        this.#subscribed.delete(source);
      } else {
        const subscribed: ChannelListener = (event) => this.#onEvent(source, event);
        source.channel.subscribe(subscribed);
        this.#subscribed.set(source, subscribed);
      }
    }
  }

  #onEvent(source: LogSource, event: unknown): void {
    try {
      this.record(source.entry(event));
    } catch {
      // Not rethrown: an exception in a channel's subscriber would end the worker.
      this.error("cannot log an event: formatting failed", { channel: String(source.channel.name) });
    }
  }

  record(entry: LogEntry): void {
    if (!entry.always && !this.isEnabled(entry.level)) return;
    if (entry.kind === undefined || this.#rateLimit.allows(entry.kind, entry.level, entry.limit))
      this.#write(entry);
  }

  #logMessage(level: LineLevel, message: string, fields: Fields = {}): void {
    if (this.isEnabled(level)) this.#write({ level, message, fields: () => plainFields(fields) });
  }

  #summarise({ kind, level, count, windowMs }: Suppressed): void {
    const [first] = kind.split(" ");
    const report = first === "supervisor" || first === "crash" ? { report: first } : {};
    this.#logMessage(
      level,
      `suppressed ${count} more log lines of this kind in the last ${windowMs === 1000 ? "second" : durationText(windowMs)}`,
      {
        ...report,
        suppressed: count,
        like: kind,
      },
    );
  }

  #write(entry: LogEntry): void {
    const { level } = entry;
    const follower = this.#follower && passes(level, this.#follower.minimum) ? this.#follower : undefined;
    const printed = entry.always ? this.#level !== "silent" : passes(level, this.#level);
    const json = this.#options.format === "json";
    const line = follower || json ? this.#jsonLineOf(entry) : "";
    if (printed) this.#sink.write(json ? line : this.#textOf(entry));
    follower?.onLine(line.trimEnd());
  }

  #jsonLineOf(entry: LogEntry): string {
    this.#logger[entry.level](fieldsOf(entry), truncate(entry.message, MAX_MESSAGE));
    return fitJsonLine(this.#jsonLine);
  }

  #textOf(entry: LogEntry): string {
    const { level, text } = entry;
    const time = wallTime();
    if (text) return fitText(text(time));
    const { worker, color = false } = this.#options;
    const message = truncate(entry.message, MAX_MESSAGE);
    return fitText(prettyLine({ time, level, worker, message, fields: fieldsOf(entry) }, color));
  }
}

/** The fields of an entry; values that cannot be read must not cost the line. */
function fieldsOf(entry: LogEntry): Fields {
  try {
    return entry.fields();
  } catch {
    return { fields: "unprintable" };
  }
}

/** Receives log lines as they are written, for `/events`. */
interface Follower {
  readonly minimum: LineLevel;
  readonly onLine: (line: string) => void;
}

function jsonLogger({ worker, name }: LogOptions, write: (line: string) => void): Logger {
  const options = {
    // EventLog filters by level, for both formats.
    level: "trace",
    base: { worker, osPid: process.pid, name },
    timestamp: () => `,"time":"${new Date(wallTime()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // `err` is a plain object already; pino's serializer would set its type to `Object`.
    serializers: { err: (err: unknown) => err },
  };
  return pino(options, { write: (line: string) => write(escapeJsonControls(line)) });
}
