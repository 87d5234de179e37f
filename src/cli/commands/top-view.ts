/** What `drover top` shows: lines from the numbers of now and of a moment ago. */
import type { ConnectionList, ConnectionRow } from "../../control/connections.js";
import type { Stats, WorkerStats } from "../../control/stats.js";
import { type Column, fitted, joined } from "../terminal/columns.js";
import { printable } from "../terminal/printable.js";
import type { Paint } from "../terminal/style.js";
import { bytes, cut, elapsed, short } from "../terminal/table.js";

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
  const of = (key: keyof Stats["totals"], show: (rate: number) => string) =>
    rate(totals[key], before?.stats.totals[key], seconds, show);
  const time = new Date(at).toTimeString().slice(0, 8);
  const first = `drover ${printable(name)}  ${printable(status)}  ${time}`;
  const traffic = [
    `${totals.active} connections, ${of("accepted", short)} accepted/s`,
    `frames ${of("framesReceived", short)}/s in, ${of("framesSent", short)}/s out`,
    `bytes ${of("bytesReceived", bytes)}/s in, ${of("bytesSent", bytes)}/s out`,
  ];
  const third = `${totals.crashes} crashes, ${totals.restarts} restarts, ${restartsLeft} left`;
  return [paint("bold", cut(first, columns)), ...joined(traffic, ", ", columns), cut(third, columns), ""];
}

/** Which keys do what: as many as fit. */
export function keyLine(columns: number): string {
  const [first, ...more] = SORTS.map(({ key, word }) => `${key} ${word}`);
  return joined(["q quit", "r reverse", `sort by ${first}`, ...more], "  ", columns)[0] as string;
}

const SIZE = { right: true, width: 8 } as const;

const WORKER: readonly Column[] = [
  { title: "worker" },
  { title: "os pid", spare: 4 },
  { title: "state" },
  { title: "restarts", right: true, spare: 3 },
  { title: "conns", right: true },
  { title: "frames/s", right: true },
  { title: "bytes/s", ...SIZE, spare: 1 },
  { title: "cpu", right: true, width: 4 },
  { title: "memory", ...SIZE, spare: 2 },
  { title: "lag", ...SIZE },
];

const CONNECTION: readonly Column[] = [
  { title: "pid" },
  { title: "state" },
  { title: "peer" },
  { title: "age", right: true, spare: 2 },
  { title: "idle", right: true, spare: 1 },
  { title: "frames", right: true, width: 6 },
  { title: "/s", right: true, width: 5 },
  { title: "bytes", ...SIZE, spare: 4 },
  { title: "/s", ...SIZE, spare: 5 },
  { title: "unsent", right: true, spare: 6 },
  { title: "mailbox", right: true, spare: 7 },
];

export function workerLines(now: Seen, before: Seen | undefined, columns: number, paint: Paint): string[] {
  const seconds = between(now, before);
  const rows = now.stats.workers.map((one) => {
    const past = before?.stats.workers.find(({ worker }) => worker === one.worker);
    return workerCells(one, past, seconds);
  });
  return underTitles(fitted(WORKER, rows, columns), paint);
}

function underTitles([titles = "", ...lines]: readonly string[], paint: Paint): string[] {
  return [paint("dim", titles), ...lines];
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
  const silent =
    list.missing.length > 0 ? `, without worker ${list.missing.join(", ")}, which does not answer` : "";
  const title = `${list.total} connections by ${sort.word} ${arrow}${silent}`;
  if (list.total === 0 && silent === "") return [paint("bold", cut("nobody is connected", columns))];
  // What they are sorted by is seen.
  const shown = CONNECTION.map((one) => (one.title === sort.word ? { ...one, spare: 0 } : one));
  return [paint("bold", cut(title, columns)), ...underTitles(fitted(shown, rows, columns), paint)];
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
