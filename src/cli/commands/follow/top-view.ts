/** Lines of `drover top`; rates come from the difference of two snapshots. */
import type { ConnectionList, ConnectionRow } from "../../../control/connections.js";
import type { Stats, WorkerStats } from "../../../control/stats.js";
import { peerText } from "../../../text/address.js";
import { clockTime } from "../../../text/clock-time.js";
import { durationText } from "../../../text/duration.js";
import { escapeControls } from "../../../text/escape.js";
import { type Column, fittedTable, joined } from "../../terminal/columns.js";
import type { Paint } from "../../terminal/style.js";
import { bytes, cut, short } from "../../terminal/table.js";

/** Numbers at one time. */
export interface Snapshot {
  readonly stats: Stats;
  readonly list: ConnectionList;
}

/** Sort orders of connections and their keys. */
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

/** Seconds between two snapshots; 0 for the first one. */
export function secondsBetween(now: Snapshot, before: Snapshot | undefined): number {
  return before ? (now.stats.at - before.stats.at) / 1000 : 0;
}

/** Increase per second; `-` in the first snapshot. */
export function rate(
  now: number,
  before: number | undefined,
  seconds: number,
  show: (rate: number) => string,
): string {
  return before === undefined || seconds <= 0 ? "-" : show(Math.max(0, now - before) / seconds);
}

export function headLines(
  name: string,
  now: Snapshot,
  before: Snapshot | undefined,
  columns: number,
  paint: Paint,
): string[] {
  const { status, totals, restartsLeft, at } = now.stats;
  const seconds = secondsBetween(now, before);
  const of = (key: keyof Stats["totals"], show: (rate: number) => string) =>
    rate(totals[key], before?.stats.totals[key], seconds, show);
  const title = name === "drover" ? name : `drover ${escapeControls(name)}`;
  const first = `${title}  ${escapeControls(status)}  ${clockTime(at)}`;
  const traffic = [
    `${totals.active} connections, ${of("accepted", short)} accepted/s, ${of("closed", short)} closed/s`,
    `frames ${of("framesReceived", short)}/s in, ${of("framesSent", short)}/s out`,
    `bytes ${of("bytesReceived", bytes)}/s in, ${of("bytesSent", bytes)}/s out`,
  ];
  const faults = [
    `${totals.crashes} crashes (${of("crashes", short)}/s)`,
    `${totals.restarts} restarts, ${restartsLeft} left`,
    ...refusals(now.stats, before?.stats, seconds),
    ...queueText(now.stats, before?.stats, seconds),
  ];
  return [
    paint("bold", cut(first, columns)),
    ...joined(traffic, ", ", columns),
    ...joined(faults, ", ", columns),
    "",
  ];
}

const sumOf = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

function refusals({ refusedBy }: Stats, past: Stats | undefined, seconds: number): string[] {
  const refused = sumOf(refusedBy);
  const perSecond = rate(refused, past && sumOf(past.refusedBy), seconds, short);
  return refused === 0 ? [] : [`${refused} refused (${perSecond}/s)`];
}

/** Connections that wait in the kernel, and those that it drops because there is no room for them. */
function queueText(
  { listeners, acceptQueueOverflows }: Stats,
  past: Stats | undefined,
  seconds: number,
): string[] {
  const known = listeners.flatMap(({ acceptQueue }) => acceptQueue ?? []);
  if (known.length === 0) return [];
  const waiting = known.reduce((sum, count) => sum + count, 0);
  const dropped =
    acceptQueueOverflows === null
      ? ""
      : ` (${rate(acceptQueueOverflows, past?.acceptQueueOverflows ?? undefined, seconds, short)} dropped/s)`;
  return [`accept queue ${waiting}${dropped}`];
}

/** Keys and what they do, as many as fit. */
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

const LISTENER: Column = { title: "listener" };

const CONNECTION: readonly Column[] = [
  { title: "pid" },
  LISTENER,
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

export function workerLines(
  now: Snapshot,
  before: Snapshot | undefined,
  columns: number,
  paint: Paint,
): string[] {
  const seconds = secondsBetween(now, before);
  const rows = now.stats.workers.map((one) => {
    const past = before?.stats.workers.find(({ worker }) => worker === one.worker);
    return workerCells(one, past, seconds);
  });
  return underTitles(fittedTable(WORKER, rows, columns), paint);
}

export function underTitles([titles = "", ...lines]: readonly string[], paint: Paint): string[] {
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
  { list, ...now }: Snapshot,
  before: Snapshot | undefined,
  { sort, order }: Sorted,
  columns: number,
  paint: Paint,
): string[] {
  const seconds = secondsBetween({ list, ...now }, before);
  const past = new Map(before?.list.rows.map((row) => [row.pid, row]));
  const several = now.stats.listeners.length > 1;
  const rows = list.rows.map((row) => connectionCells(row, past.get(row.pid), seconds, several));
  const arrow = order === "desc" ? "▼" : "▲";
  const silent = list.missing.length > 0 ? `, without worker ${list.missing.join(", ")} (not answering)` : "";
  const title = `${list.total} connections by ${sort.word} ${arrow}${silent}`;
  if (list.total === 0 && silent === "") return [paint("bold", cut("no connections", columns))];
  // The sort column is never left out.
  const offered = several ? CONNECTION : CONNECTION.filter((column) => column !== LISTENER);
  const shown = offered.map((one) => (one.title === sort.word ? { ...one, spare: 0 } : one));
  return [paint("bold", cut(title, columns)), ...underTitles(fittedTable(shown, rows, columns), paint)];
}

function connectionCells(
  row: ConnectionRow,
  past: ConnectionRow | undefined,
  seconds: number,
  several: boolean,
): string[] {
  const frames = (of: ConnectionRow) => of.framesReceived + of.framesSent;
  const all = (of: ConnectionRow) => of.bytesReceived + of.bytesSent;
  return [
    row.pid,
    ...(several ? [row.listener] : []),
    row.state,
    peerText(row),
    durationText(row.ageMs),
    durationText(row.idleMs),
    short(frames(row)),
    rate(frames(row), past && frames(past), seconds, short),
    bytes(all(row)),
    rate(all(row), past && all(past), seconds, bytes),
    bytes(row.outbound),
    String(row.messageQueueLength),
  ];
}
