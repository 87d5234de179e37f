/** What `drover top` shows: lines from the numbers of now and of a moment ago. */
import type { ConnectionList, ConnectionRow } from "./connections.js";
import { printable } from "./printable.js";
import type { Paint } from "./style.js";
import { bytes, elapsed, short } from "./table.js";
import type { Stats, WorkerStats } from "./top.js";

/** What was known at one time. */
export interface Seen {
  readonly stats: Stats;
  readonly list: ConnectionList;
}

/** By what connections are sorted, and which key chooses it. */
export const SORTS = [
  { key: "f", word: "frames", column: "framesReceived" },
  { key: "b", word: "bytes", column: "bytesReceived" },
  { key: "u", word: "unsent", column: "outbound" },
  { key: "m", word: "mailbox", column: "messageQueueLength" },
  { key: "i", word: "idle", column: "idleMs" },
  { key: "a", word: "age", column: "ageMs" },
  { key: "p", word: "pid", column: "pid" },
] as const satisfies readonly { key: string; word: string; column: keyof ConnectionRow }[];

export interface Sorted {
  readonly sort: (typeof SORTS)[number];
  readonly order: "asc" | "desc";
}

/** Seconds between the two; 0: there is nothing to compare. */
function between(now: Seen, before: Seen | undefined): number {
  return before ? (now.stats.at - before.stats.at) / 1000 : 0;
}

/** In a second; `-` while there is nothing to compare. */
function rate(
  now: number,
  before: number | undefined,
  seconds: number,
  show: (rate: number) => string,
): string {
  return before === undefined || seconds <= 0 ? "-" : show(Math.max(0, now - before) / seconds);
}

export function headLines(
  name: string,
  now: Seen,
  before: Seen | undefined,
  columns: number,
  paint: Paint,
): string[] {
  const { status, totals, restartsLeft, at } = now.stats;
  const seconds = between(now, before);
  const of = (key: string, show: (rate: number) => string) =>
    rate(totals[key] ?? 0, before?.stats.totals[key], seconds, show);
  const time = new Date(at).toTimeString().slice(0, 8);
  const first = `drover ${printable(name)}  ${printable(status)}  ${time}`;
  const second =
    `${totals.active} connections, ${of("accepted", short)} accepted/s, ` +
    `frames ${of("framesReceived", short)}/s in, ${of("framesSent", short)}/s out, ` +
    `bytes ${of("bytesReceived", bytes)}/s in, ${of("bytesSent", bytes)}/s out`;
  const third = `${totals.crashes} crashes, ${totals.restarts} restarts, ${restartsLeft} left`;
  return [paint("bold", cut(first, columns)), cut(second, columns), cut(third, columns), ""];
}

export function workerLines(now: Seen, before: Seen | undefined, columns: number, paint: Paint): string[] {
  const seconds = between(now, before);
  const rows = now.stats.workers.map((one) => {
    const past = before?.stats.workers.find(({ worker }) => worker === one.worker);
    return workerCells(one, past, seconds);
  });
  const titles = [
    "worker",
    "os pid",
    "state",
    "restarts",
    "conns",
    "frames/s",
    "bytes/s",
    "cpu",
    "memory",
    "lag",
  ];
  return columnsOf([titles, ...rows], columns, paint);
}

function workerCells(one: WorkerStats, past: WorkerStats | undefined, seconds: number): string[] {
  const frames = (of: WorkerStats) => of.framesReceived + of.framesSent;
  const all = (of: WorkerStats) => of.bytesReceived + of.bytesSent;
  const percent = (cpu: number) => `${Math.round(cpu * 100)}%`;
  return [
    String(one.worker),
    String(one.osPid),
    one.state,
    String(one.restarts),
    String(one.active),
    rate(frames(one), past && frames(past), seconds, short),
    rate(all(one), past && all(past), seconds, bytes),
    rate(one.cpuSeconds, past?.cpuSeconds, seconds, percent),
    bytes(one.residentBytes),
    `${one.loopLagMs.toFixed(1)} ms`,
  ];
}

export function connectionLines(
  { list, ...now }: Seen,
  before: Seen | undefined,
  { sort, order }: Sorted,
  columns: number,
  paint: Paint,
): string[] {
  const seconds = between({ list, ...now }, before);
  const past = new Map(before?.list.rows.map((row) => [row.pid, row]));
  const rows = list.rows.map((row) => connectionCells(row, past.get(row.pid), seconds));
  const arrow = order === "desc" ? "▼" : "▲";
  const titles = ["pid", "state", "peer", "age", "idle", "frames", "/s", "bytes", "/s", "unsent", "mailbox"];
  const silent =
    list.missing.length > 0 ? `, without worker ${list.missing.join(", ")}, which does not answer` : "";
  const title = `${list.total} connections by ${sort.word} ${arrow}${silent}`;
  return [paint("bold", cut(title, columns)), ...columnsOf([titles, ...rows], columns, paint)];
}

function connectionCells(row: ConnectionRow, past: ConnectionRow | undefined, seconds: number): string[] {
  const frames = (of: ConnectionRow) => of.framesReceived + of.framesSent;
  const all = (of: ConnectionRow) => of.bytesReceived + of.bytesSent;
  return [
    row.pid,
    row.state,
    row.peer,
    elapsed(row.ageMs / 1000),
    elapsed(row.idleMs / 1000),
    short(frames(row)),
    rate(frames(row), past && frames(past), seconds, short),
    bytes(all(row)),
    rate(all(row), past && all(past), seconds, bytes),
    bytes(row.outbound),
    String(row.messageQueueLength),
  ];
}

/** Columns as wide as their widest cell, the first line as titles; cells come out printable. */
function columnsOf(rows: readonly (readonly string[])[], columns: number, paint: Paint): string[] {
  const safe = rows.map((cells) => cells.map(printable));
  const widths: number[] = [];
  for (const cells of safe) {
    for (const [at, cell] of cells.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return safe.map((cells, at) => {
    const line = cells.map((cell, column) => cell.padEnd(widths[column] as number)).join("  ");
    const shown = cut(line.trimEnd(), columns);
    return at === 0 ? paint("dim", shown) : shown;
  });
}

function cut(line: string, columns: number): string {
  return line.length > columns ? `${line.slice(0, Math.max(1, columns - 1))}…` : line;
}
