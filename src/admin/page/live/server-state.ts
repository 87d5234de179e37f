/**
 * What the page knows of the server, and the loops that keep it up to date: the stream of numbers and log
 * records, the tree, and what the program says of itself. All of them rest while nobody looks.
 */
import type { LogRecord, ProgramInfo } from "../../../control/program.js";
import type { Stats, StatsHistory } from "../../../control/stats.js";
import type { TreeNode } from "../../../control/tree.js";
import { MOST_DRAWN } from "../model/collapsed-tree.js";
import { History } from "../model/history.js";
import { type Entry, entryOf } from "../model/log-entry.js";
import { Ring } from "../model/ring-buffer.js";
import { listen } from "../net/event-stream.js";
import type { Problem } from "../net/problem.js";
import { ask } from "../net/request.js";
import { cell } from "./observable.js";
import { selected } from "./selection.js";
import { pause, untilVisible, whileVisible } from "./visibility.js";

/** `problem`: why nothing comes. `since`: from when on, milliseconds since 1970. */
export type Link =
  | { readonly state: "connecting" | "live" }
  | { readonly state: "lost"; readonly problem: Problem; readonly since: number };

/** Records kept; more than anybody reads. */
const MOST_RECORDS = 1_000;
/** Records with which a stream begins. */
const REPLAYED = 100;
/** The log is drawn this often at most, however much comes. */
const DRAW_EVERY = 400;
const TREE_EVERY = 700;
const INFO_EVERY = 5_000;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 5_000;

export const link = cell<Link>({ state: "connecting" });
export const stats = cell<Stats | undefined>(undefined);
export const tree = cell<TreeNode | undefined>(undefined);
/** With the time at which it was told. */
export const info = cell<(ProgramInfo & { readonly toldAt: number }) | undefined>(undefined);
export const records = new Ring<Entry>(MOST_RECORDS);
/** Another number when there are other records. */
export const recordsTold = cell(0);
export const history = new History();
/** Another number when there is more to draw. */
export const historyTold = cell(0);

let drawing: ReturnType<typeof setTimeout> | undefined;

export function startFeed(): void {
  void keepListening();
  void keepAsking<TreeNode>(`/tree?connections=${MOST_DRAWN}`, TREE_EVERY, (value) => tree.set(value));
  void keepAsking<ProgramInfo>("/info", INFO_EVERY, tellInfo);
}

async function keepListening(): Promise<never> {
  let retry = FIRST_RETRY;
  for (;;) {
    await untilVisible();
    const signal = whileVisible(new AbortController().signal);
    let begun = false;
    const problem = await listen("/events", signal, (event) => {
      retry = FIRST_RETRY;
      // What was before the page was opened, or while it was hidden or the server out of reach.
      if (!begun) void catchUp();
      begun = true;
      if (event.name === "stats") tellStats(JSON.parse(event.data) as Stats);
      else if (event.name === "record") tellRecord(JSON.parse(event.data) as LogRecord);
    });
    if (signal.aborted) continue;
    lost(problem ?? { kind: "gone", message: "The server has ended the connection." });
    await pause(retry, signal);
    retry = Math.min(retry * 2, LONGEST_RETRY);
  }
}

async function catchUp(): Promise<void> {
  const kept = await ask<StatsHistory>("/history");
  if (!kept.ok) return;
  history.merge(kept.value);
  historyTold.set(historyTold.get() + 1);
}

function lost(problem: Problem): void {
  const before = link.get();
  const since = before.state === "lost" ? before.since : Date.now();
  link.set({ state: "lost", problem, since });
}

function tellInfo(value: ProgramInfo): void {
  // In another program a pid means another process.
  if (info.get() !== undefined && info.get()?.osPid !== value.osPid) selected.set(undefined);
  info.set({ ...value, toldAt: Date.now() });
}

function tellStats(value: Stats): void {
  // A new stream begins with the last records once more.
  if (link.get().state !== "live") link.set({ state: "live" });
  history.push(value);
  historyTold.set(historyTold.get() + 1);
  stats.set(value);
}

function tellRecord(record: LogRecord): void {
  const entry = entryOf(record, records.taken);
  if (isTold(entry)) return;
  records.push(entry);
  if (drawing !== undefined) return;
  drawing = setTimeout(() => {
    drawing = undefined;
    recordsTold.set(records.taken);
  }, DRAW_EVERY);
}

/** A new stream begins with the last records, of which some may be here already. */
function isTold({ at, message, record }: Entry): boolean {
  const newest = records.newest(1)[0];
  if (newest === undefined || at > newest.at) return false;
  const alike = records.newest(REPLAYED, (one) => one.at === at && one.message === message);
  return alike.some((one) => JSON.stringify(one.record) === JSON.stringify(record));
}

/** Asks again and again, never twice at once, while the page can be seen and the server is there. */
async function keepAsking<T>(path: string, every: number, told: (value: T) => void): Promise<never> {
  for (;;) {
    await untilVisible();
    await untilLive();
    const answer = await ask<T>(path);
    if (answer.ok) told(answer.value);
    await pause(every);
  }
}

/** Resolves once the server answers, as far as anybody knows. */
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
