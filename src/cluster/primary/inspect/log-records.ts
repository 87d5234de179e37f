/**
 * Log records of all OS processes, for clients that follow the log. Workers always send warnings and errors, other
 * records only while a client follows, from the lowest level on that one asks for. The last important records are kept
 * for clients that come later.
 */

import type { EventFilter, LogRecord } from "../../../control/program.js";
import { type LineLevel, passes } from "../../../telemetry/log/levels.js";
import type { Log } from "../../../telemetry/log/log.js";

/** Warnings and reports that are kept; and of these, of changes from outside and states of workers together. */
const KEPT = 100;
const KEPT_EVENTS = 200;
const IMPORTANT: readonly unknown[] = ["warn", "error", "fatal"];
/** Without a client; and with one that does not say. */
const LEAST: LineLevel = "warn";
const USUAL: LineLevel = "info";

type OnRecord = (record: LogRecord) => void;

interface Follower {
  readonly filter: EventFilter;
  readonly onRecord: OnRecord;
}

export class LogRecords {
  readonly #followers = new Set<Follower>();
  readonly #kept: LogRecord[] = [];
  readonly #events: LogRecord[] = [];
  readonly #log: Log;
  readonly #onLevel: (level: LineLevel) => void;
  /** The lowest level that is followed. */
  level: LineLevel = LEAST;

  /**
   * @param log the log of the primary
   * @param onLevel called with the level from which on workers send their records, when it changes
   */
  constructor(log: Log, onLevel: (level: LineLevel) => void) {
    this.#log = log;
    this.#onLevel = onLevel;
    this.#followOwn();
  }

  #followOwn(): void {
    const level = passes(this.level, USUAL) ? USUAL : this.level;
    this.#log.follow(level, (line) => this.addLine(line));
  }

  /** Adds a line of the log of the primary or of a worker. */
  addLine(line: string): void {
    const record = recordOf(line);
    if (record !== undefined) this.add(record);
  }

  add(record: LogRecord): void {
    const important = IMPORTANT.includes(record.level) || record.report !== undefined;
    if (important) keep(this.#kept, record, KEPT);
    if (important || record.audit !== undefined || record.event !== undefined)
      keep(this.#events, record, KEPT_EVENTS);
    for (const { filter, onRecord } of this.#followers) if (fits(record, filter)) onRecord(record);
  }

  /** Passes the warnings and reports that are kept, then every new record from level info on. */
  follow(signal: AbortSignal, onRecord: OnRecord): void {
    if (signal.aborted) return;
    for (const record of this.#kept) onRecord(record);
    this.#follow({ filter: { level: USUAL }, onRecord }, signal);
  }

  /** The records that are kept and pass the filter. */
  events(filter: EventFilter): LogRecord[] {
    return this.#events.filter((record) => fits(record, filter));
  }

  /** Passes the records that are kept, then every new one, where they pass the filter. */
  followEvents(filter: EventFilter, signal: AbortSignal, onRecord: OnRecord): void {
    if (signal.aborted) return;
    for (const record of this.events(filter)) onRecord(record);
    this.#follow({ filter, onRecord }, signal);
  }

  #follow(follower: Follower, signal: AbortSignal): void {
    this.#followers.add(follower);
    this.#updateLevel();
    signal.addEventListener("abort", () => {
      this.#followers.delete(follower);
      this.#updateLevel();
    });
  }

  #updateLevel(): void {
    const before = this.level;
    this.level = [...this.#followers].reduce<LineLevel>(
      (lowest, { filter: { level } }) => (passes(lowest, level) ? level : lowest),
      LEAST,
    );
    if (this.level === before) return;
    this.#onLevel(this.level);
    this.#followOwn();
  }
}

function keep(records: LogRecord[], record: LogRecord, most: number): void {
  records.push(record);
  if (records.length > most) records.shift();
}

function fits(record: LogRecord, { level, worker, protocol, text }: EventFilter): boolean {
  return (
    passes(record.level as LineLevel, level) &&
    (worker === undefined || record.worker === worker) &&
    (protocol === undefined || record.protocol === protocol) &&
    (text === undefined || JSON.stringify(record).toLowerCase().includes(text.toLowerCase()))
  );
}

/** `undefined` for malformed lines: a protocol can write to the channel of its worker itself. */
function recordOf(line: string): LogRecord | undefined {
  try {
    const record = JSON.parse(line);
    return typeof record === "object" && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
}
