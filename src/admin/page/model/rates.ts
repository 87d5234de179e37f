/** Differences of two stats, as text. */
import type { Stats, WorkerStats } from "../../../control/stats.js";
import { compact, count } from "./format.js";

/** Seconds between the two; 0 where no rate can be computed. */
function seconds(now: Stats, before: Stats | undefined): number {
  return before && now.at > before.at ? (now.at - before.at) / 1_000 : 0;
}

/** CPU of a worker as `12%` of one core; `undefined` for the first stats. */
export function cpuText(one: WorkerStats, now: Stats, before: Stats | undefined): string | undefined {
  const past = before?.workers.find(({ worker }) => worker === one.worker);
  const span = seconds(now, before);
  if (past === undefined || span === 0) return undefined;
  return `${count((Math.max(0, one.cpuSeconds - past.cpuSeconds) * 100) / span)}%`;
}

/** Reasons with their counts, the most frequent first: `1,204, 3/s`. */
export function reasonRows(
  kind: "closedBy" | "refusedBy",
  now: Stats,
  before: Stats | undefined,
): (readonly [reason: string, text: string])[] {
  const span = seconds(now, before);
  const rows = Object.entries(now[kind]).sort(([, one], [, other]) => other - one);
  return rows.map(([reason, total]) => {
    const more = before ? total - (before[kind][reason] ?? 0) : 0;
    const perSecond = span > 0 && more > 0 ? `, ${compact(more / span)}/s` : "";
    return [reason.replaceAll("_", " "), `${count(total)}${perSecond}`];
  });
}

/** Connections in the accept queues, and those dropped since the last stats: `3, 12 dropped`. */
export function queueText(now: Stats, before: Stats | undefined): string | undefined {
  const known = now.listeners.flatMap(({ acceptQueue }) => acceptQueue ?? []);
  if (known.length === 0) return undefined;
  const dropped =
    (now.acceptQueueOverflows ?? 0) - (before?.acceptQueueOverflows ?? Number.POSITIVE_INFINITY);
  const waiting = count(known.reduce((sum, one) => sum + one, 0));
  return dropped > 0 ? `${waiting}, ${count(dropped)} dropped` : waiting;
}
