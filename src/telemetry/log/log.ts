/**
 * The log: one JSON object a line, or what people like to read. It listens to what the other rooms publish
 * and offers a few methods to those who have a sentence of their own.
 *
 *   diagnostics channels ─▶ entry ─▶ level ─▶ flood ─▶ pino | SASL text ─▶ sink ─▶ standard output, file
 */
import type { ChannelListener } from "node:diagnostics_channel";
import { type Logger, pino } from "pino";
import { wallTime } from "../../otp/time/clock.js";
import { type Fields, plainFields } from "./fields.js";
import { type Level, type LineLevel, passes } from "./levels.js";
import { prettyLine } from "./pretty.js";
import { Flood, type Surplus } from "./rate-limit.js";
import { visibleJson } from "./safe-text.js";
import { Sink } from "./sink.js";
import { type Entry, SOURCES, type Source } from "./sources.js";

export type { Fields } from "./fields.js";
export type { Level } from "./levels.js";

export interface LogOptions {
  readonly level: Level;
  readonly format: "json" | "pretty";
  /** The number of this OS process in the cluster; 0 is the primary. */
  readonly worker: number;
  /** Of the server. */
  readonly name: string;
  /** Default standard output. */
  readonly file?: string | undefined;
  /** Whether standard output is used, and said so, when the file cannot be opened. Default false. */
  readonly fallback?: boolean | undefined;
  /** Whether `pretty` may use colours. Default false. */
  readonly color?: boolean | undefined;
}

type Method = (message: string, fields?: Fields) => void;

export interface Log {
  readonly trace: Method;
  readonly debug: Method;
  readonly info: Method;
  readonly warn: Method;
  readonly error: Method;
  readonly fatal: Method;
  /** The least that is logged; may be set at any time. */
  level: Level;
  /** Lines that could not be written. */
  readonly dropped: number;
  /**
   * Tells every line of this level or above as JSON, whatever the level and the format of the log. In the place
   * of whom it told before.
   */
  follow(least: LineLevel, onLine: (line: string) => void): void;
  /** Goes on in a new file, after the old one was moved away. Standard output stays as it is. */
  reopen(): void;
  /** Writes what can be written, within a quarter of a second, and listens no more. */
  close(): void;
}

/** @throws NodeJS.ErrnoException when the file cannot be opened, without `fallback` */
export function openLog(options: LogOptions): Log {
  return new EventLog(options);
}

class EventLog implements Log {
  readonly #options: LogOptions;
  readonly #sink: Sink;
  readonly #json: Logger;
  /** What the line before has become as JSON. */
  #line = "";
  readonly #flood = new Flood((surplus) => this.#summarise(surplus));
  readonly #heard = new Map<Source, ChannelListener>();
  readonly #onExit = () => this.close();
  #level: Level;
  #follower: Follower | undefined = undefined;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#level = options.level;
    this.#sink = new Sink(
      options.file,
      (lines) => this.warn(`${lines} log lines were lost`, { lost: lines }),
      options.fallback,
    );
    this.#json = jsonLogger(options, (line) => {
      this.#line = line;
    });
    this.#listen();
    process.on("exit", this.#onExit);
    const { trouble } = this.#sink;
    if (trouble !== undefined)
      this.error("the log file cannot be opened: standard output is used until SIGUSR2", { err: trouble });
  }

  readonly trace: Method = (message, fields) => this.#say("trace", message, fields);
  readonly debug: Method = (message, fields) => this.#say("debug", message, fields);
  readonly info: Method = (message, fields) => this.#say("info", message, fields);
  readonly warn: Method = (message, fields) => this.#say("warn", message, fields);
  readonly error: Method = (message, fields) => this.#say("error", message, fields);
  readonly fatal: Method = (message, fields) => this.#say("fatal", message, fields);

  get level(): Level {
    return this.#level;
  }

  set level(level: Level) {
    this.#level = level;
    this.#listen();
  }

  get dropped(): number {
    return this.#sink.dropped;
  }

  follow(least: LineLevel, onLine: (line: string) => void): void {
    this.#follower = { least, onLine };
    this.#listen();
  }

  /** Whether somebody wants it. */
  #wants(level: LineLevel): boolean {
    return (
      passes(level, this.#level) || (this.#follower !== undefined && passes(level, this.#follower.least))
    );
  }

  reopen(): void {
    try {
      this.#sink.reopen();
    } catch (error) {
      this.error("the log file cannot be reopened: the old one stays in use", { err: error });
    }
  }

  close(): void {
    process.off("exit", this.#onExit);
    for (const [{ channel }, listener] of this.#heard) channel.unsubscribe(listener);
    this.#heard.clear();
    this.#flood.flush();
    this.#sink.close();
  }

  /** Subscribes to what may be written or told at these levels, and to nothing else: who publishes looks at that first. */
  #listen(): void {
    for (const source of SOURCES) {
      const wanted = this.#wants(source.highest);
      const listener = this.#heard.get(source);
      if (wanted === (listener !== undefined)) continue;
      if (listener) {
        source.channel.unsubscribe(listener);
        this.#heard.delete(source);
      } else {
        const subscribed: ChannelListener = (event) => this.#hear(source, event);
        source.channel.subscribe(subscribed);
        this.#heard.set(source, subscribed);
      }
    }
  }

  #hear(source: Source, event: unknown): void {
    try {
      this.#enter(source.entry(event));
    } catch {
      // What was thrown can be anything, and what a listener of a channel throws would end the worker.
      this.error("an event could not be logged", { channel: String(source.channel.name) });
    }
  }

  #enter(entry: Entry): void {
    if (!this.#wants(entry.level)) return;
    if (entry.kind === undefined || this.#flood.admits(entry.kind, entry.level)) this.#write(entry);
  }

  #say(level: LineLevel, message: string, fields: Fields = {}): void {
    if (this.#wants(level)) this.#write({ level, message, fields: () => plainFields(fields) });
  }

  #summarise({ kind, level, more }: Surplus): void {
    const [first] = kind.split(" ");
    const report = first === "supervisor" || first === "crash" ? { report: first } : {};
    this.#say(level, `… and ${more} more like this in the last second`, {
      ...report,
      suppressed: more,
      like: kind,
    });
  }

  #write(entry: Entry): void {
    const { level, message, fields } = entry;
    const follower = this.#follower && passes(level, this.#follower.least) ? this.#follower : undefined;
    const printed = passes(level, this.#level);
    const json = this.#options.format === "json";
    if (follower || json) this.#json[level](fields(), message);
    if (printed && json) this.#sink.write(this.#line);
    else if (printed) this.#print(entry);
    follower?.onLine(this.#line.trimEnd());
  }

  #print({ level, message, fields, text }: Entry): void {
    const time = wallTime();
    const { worker, color = false } = this.#options;
    this.#sink.write(
      text ? text(time) : prettyLine({ time, level, worker, message, fields: fields() }, color),
    );
  }
}

/** Somebody who is told of lines while they are written. */
interface Follower {
  readonly least: LineLevel;
  readonly onLine: (line: string) => void;
}

function jsonLogger({ worker, name }: LogOptions, write: (line: string) => void): Logger {
  const options = {
    // Decided before: one place for both formats.
    level: "trace",
    base: { worker, osPid: process.pid, name },
    timestamp: () => `,"time":"${new Date(wallTime()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // Errors are plain by now; the default would take them for errors and name them after `Object`.
    serializers: { err: (err: unknown) => err },
  };
  return pino(options, { write: (line: string) => write(visibleJson(line)) });
}
