/**
 * Prints what a server under test reports, and passes its crashes and closed connections to their callbacks. All servers
 * of this OS process share one subscription to the diagnostics channels; without a server there is none.
 */
import { type CrashReport, crashReports, type SupervisorReport, supervisorReports } from "../otp/events.js";
import type { Pid } from "../otp/process/pid.js";
import { wallTime } from "../otp/time/clock.js";
import { type ConnectionClosed, connectionClosed } from "../tcp/observe/events.js";
import { LOG_LEVELS, type LogLevel } from "../tcp/observe/protocol-log.js";
import type { LogEntry, LogSource } from "../telemetry/log/lines/log-entry.js";
import { PROTOCOL_SOURCES } from "../telemetry/log/lines/protocol-lines.js";
import { SOURCES } from "../telemetry/log/lines/sources.js";
import { prettyLine } from "../telemetry/log/pretty.js";

/** One line of the log, as in the JSON format: what the caller has given, and what drover adds. */
export interface LogLine {
  readonly level: LogLevel;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A server that is told. */
export interface Watcher {
  /** Root of its tree, once it is started. */
  readonly root: Pid | undefined;
  /** Lowest level that it prints; `undefined`: nothing. */
  readonly prints: LogLevel | undefined;
  readonly onLine: ((line: LogLine) => void) | undefined;
  /** @returns whether the report needs no printing */
  crashed(report: CrashReport): boolean;
  closed(event: ConnectionClosed): void;
}

const ALL: readonly LogSource[] = [...SOURCES, ...PROTOCOL_SOURCES];
const watchers = new Set<Watcher>();
const quietPids = new WeakSet<Pid>();
const listeners = new Map<LogSource, (event: unknown) => void>();

/** @returns what ends it */
export function watch(watcher: Watcher): () => void {
  watchers.add(watcher);
  subscribe();
  return () => {
    watchers.delete(watcher);
    subscribe();
  };
}

/** Lines of protocols in any case: without a reader they are printed by `console`. */
function subscribe(): void {
  for (const source of ALL) {
    const wanted = watchers.size > 0 && (isNeeded(source) || isAsked(source.maxLevel));
    const present = listeners.get(source);
    if (wanted === (present !== undefined)) continue;
    if (present) {
      source.channel.unsubscribe(present);
      listeners.delete(source);
    } else {
      const listener = (event: unknown) => received(source, event);
      source.channel.subscribe(listener);
      listeners.set(source, listener);
    }
  }
}

function isNeeded(source: LogSource): boolean {
  const { channel } = source;
  return channel === crashReports || channel === connectionClosed || PROTOCOL_SOURCES.includes(source);
}

function isAsked(level: LogLevel): boolean {
  return [...watchers].some(({ prints, onLine }) => onLine !== undefined || passes(level, prints));
}

function passes(level: LogLevel, minimum: LogLevel | undefined): boolean {
  return minimum !== undefined && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(minimum);
}

function received(source: LogSource, event: unknown): void {
  const all = [...watchers];
  if (source.channel === connectionClosed) for (const one of all) one.closed(event as ConnectionClosed);
  const entry = source.entry(event);
  for (const { onLine } of all) onLine?.({ ...entry.fields(), level: entry.level, msg: entry.message });
  const quiet =
    (source.channel === crashReports && isTold(event as CrashReport, all)) ||
    (source.channel === supervisorReports && isRepeated(event as SupervisorReport, all));
  // Two servers of one test print a line once.
  if (!quiet && all.some(({ prints }) => passes(entry.level, prints))) print(entry);
}

/**
 * A process that no server has started, such as a `genServer` of the test, is of all of them. What crashes while one is
 * being started is thrown by its start.
 */
function isTold(report: CrashReport, all: readonly Watcher[]): boolean {
  const owners = all.filter(({ root }) => root !== undefined && report.ancestors.includes(root));
  if (owners.length === 0 && all.some(isStarting)) return true;
  const told = (owners.length > 0 ? owners : all).map((one) => one.crashed(report)).every(Boolean);
  if (told) quietPids.add(report.pid);
  return told;
}

/** The report of the supervisor about a crash that was told. */
function isRepeated({ offender }: SupervisorReport, all: readonly Watcher[]): boolean {
  return offender.pid === undefined ? all.some(isStarting) : quietPids.has(offender.pid);
}

function isStarting({ root }: Watcher): boolean {
  return root === undefined;
}

/** By `console`, which test runners show with the test that was running. */
function print(entry: LogEntry): void {
  const time = wallTime();
  const { level, message } = entry;
  const text =
    entry.text?.(time) ?? prettyLine({ time, level, worker: 1, message, fields: entry.fields() }, false);
  console.error(text.trimEnd());
}
