/**
 * State of the server as the page knows it, and the loops that update it: the stream of metrics and log records
 * (`/events`), the tree and the program information. All loops pause while the page is hidden.
 */
import type { LogRecord, ProgramInfo } from "../../../control/program.js";
import type { Stats, StatsHistory } from "../../../control/stats.js";
import type { TreeNode } from "../../../control/tree.js";
import { MAX_DRAWN_CONNECTIONS } from "../model/collapsed-tree.js";
import { History } from "../model/history.js";
import { type Entry, entryOf } from "../model/log-entry.js";
import { RingBuffer } from "../model/ring-buffer.js";
import { listen } from "../net/event-stream.js";
import type { Problem } from "../net/problem.js";
import { ask } from "../net/request.js";
import { observable } from "./observable.js";
import { selected } from "./selection.js";
import { pause, untilVisible, whileVisible } from "./visibility.js";

/** State of the connection to the server. `problem`: why it is lost. `since`: milliseconds since 1970. */
export type Link =
  | { readonly state: "connecting" | "live" }
  | { readonly state: "lost"; readonly problem: Problem; readonly since: number };

/** Log records kept. */
const MOST_RECORDS = 1_000;
/** Number of past records that the server sends at the start of a stream. */
const REPLAYED = 100;
/** Minimum time in ms between two renderings of the log. */
const DRAW_EVERY = 400;
const TREE_EVERY = 700;
const INFO_EVERY = 5_000;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 5_000;

export const link = observable<Link>({ state: "connecting" });
export const stats = observable<Stats | undefined>(undefined);
/** The stats before those, for rates. */
export const earlierStats = observable<Stats | undefined>(undefined);
export const tree = observable<TreeNode | undefined>(undefined);
/** With the time at which it was received. */
export const info = observable<(ProgramInfo & { readonly receivedAt: number }) | undefined>(undefined);
export const records = new RingBuffer<Entry>(MOST_RECORDS);
/** Changes when `records` changes. */
export const recordsVersion = observable(0);
export const history = new History();
/** Changes when `history` changes. */
export const historyVersion = observable(0);

let drawing: ReturnType<typeof setTimeout> | undefined;

export function startUpdates(): void {
  void keepStreaming();
  void poll<TreeNode>(`/tree?connections=${MAX_DRAWN_CONNECTIONS}`, TREE_EVERY, (value) => tree.set(value));
  void poll<ProgramInfo>("/info", INFO_EVERY, updateInfo);
}

async function keepStreaming(): Promise<never> {
  let retry = FIRST_RETRY;
  for (;;) {
    await untilVisible();
    const signal = whileVisible(new AbortController().signal);
    let started = false;
    const problem = await listen("/events", signal, (event) => {
      retry = FIRST_RETRY;
      // Fills the gap before the page was opened, while it was hidden or while the server was unreachable.
      if (!started) void catchUp();
      started = true;
      if (event.name === "stats") updateStats(JSON.parse(event.data) as Stats);
      else if (event.name === "record") addRecord(JSON.parse(event.data) as LogRecord);
    });
    if (signal.aborted) continue;
    lost(problem ?? { kind: "gone", message: "The server closed the connection." });
    await pause(retry, signal);
    retry = Math.min(retry * 2, LONGEST_RETRY);
  }
}

async function catchUp(): Promise<void> {
  const kept = await ask<StatsHistory>("/history");
  if (!kept.ok) return;
  history.merge(kept.value);
  historyVersion.set(historyVersion.get() + 1);
}

function lost(problem: Problem): void {
  const before = link.get();
  const since = before.state === "lost" ? before.since : Date.now();
  link.set({ state: "lost", problem, since });
}

function updateInfo(value: ProgramInfo): void {
  // After a restart of the program the pid belongs to another process.
  if (info.get() !== undefined && info.get()?.osPid !== value.osPid) selected.set(undefined);
  info.set({ ...value, receivedAt: Date.now() });
}

function updateStats(value: Stats): void {
  if (link.get().state !== "live") link.set({ state: "live" });
  history.push(value);
  historyVersion.set(historyVersion.get() + 1);
  earlierStats.set(stats.get());
  stats.set(value);
}

function addRecord(record: LogRecord): void {
  const entry = entryOf(record, records.taken);
  if (isKnown(entry)) return;
  records.push(entry);
  if (drawing !== undefined) return;
  drawing = setTimeout(() => {
    drawing = undefined;
    recordsVersion.set(records.taken);
  }, DRAW_EVERY);
}

/** A new stream begins with past records, some of which may have been received before. */
function isKnown({ at, message, record }: Entry): boolean {
  const newest = records.newest(1)[0];
  if (newest === undefined || at > newest.at) return false;
  const alike = records.newest(REPLAYED, (one) => one.at === at && one.message === message);
  return alike.some((one) => JSON.stringify(one.record) === JSON.stringify(record));
}

/** Polls a path, one request at a time, while the page is visible and the server responds. */
async function poll<T>(path: string, every: number, onValue: (value: T) => void): Promise<never> {
  for (;;) {
    await untilVisible();
    await untilLive();
    const answer = await ask<T>(path);
    if (answer.ok) onValue(answer.value);
    await pause(every);
  }
}

/** Resolves once the connection to the server is not lost. */
export function untilLive(): Promise<void> {
  if (link.get().state !== "lost") return Promise.resolve();
  return new Promise((resolve) => {
    const end = link.watch(() => {
      if (link.get().state === "lost") return;
      end();
      resolve();
    });
  });
}
