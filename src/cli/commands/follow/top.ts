/** `drover top`: workers and busiest connections, live on a terminal, else once. */
import { scheduler } from "node:timers/promises";
import type { ConnectionList } from "../../../control/connections.js";
import type { ProgramInfo } from "../../../control/program.js";
import type { Stats } from "../../../control/stats.js";
import { get } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";
import { type Live, runLive, type Size } from "../../terminal/live.js";
import { type Paint, painter } from "../../terminal/style.js";
import { listenerLines } from "./top-listeners.js";
import { connectionLines, headLines, keyLine, type Snapshot, SORTS, workerLines } from "./top-view.js";

/** Connections listed when the output is no terminal. */
const SNAPSHOT_ROWS = 20;
/** Milliseconds between the two snapshots of it. */
const RATE_OVER = 1_000;

export async function top(invocation: Invocation): Promise<string> {
  const { json, stdout, color, interrupt } = invocation;
  if (stdout.isTTY && !json) {
    await runLive(invocation, new Top(invocation, painter(color)));
    return "";
  }
  const top = new Top(invocation, painter(false));
  const size = { columns: Number.POSITIVE_INFINITY, rows: SNAPSHOT_ROWS + Top.HEAD_ROWS };
  await top.update(size);
  if (json) return jsonText({ stats: top.stats, connections: top.list });
  // Rates need two snapshots, and the numbers of workers are a second apart.
  await scheduler.wait(RATE_OVER, { signal: interrupt }).catch(() => {});
  await top.update(size);
  return `${top.snapshot().join("\n")}\n`;
}

class Top implements Live {
  /** Lines above the connections, roughly. */
  static readonly HEAD_ROWS = 8;
  readonly #invocation: Invocation;
  readonly #paint: Paint;
  #sort = SORTS[0] as (typeof SORTS)[number];
  #order: "asc" | "desc" = "desc";
  #name: string | undefined = undefined;
  #now: Snapshot | undefined = undefined;
  #before: Snapshot | undefined = undefined;

  constructor(invocation: Invocation, paint: Paint) {
    this.#invocation = invocation;
    this.#paint = paint;
  }

  get stats(): Stats | undefined {
    return this.#now?.stats;
  }

  get list(): ConnectionList | undefined {
    return this.#now?.list;
  }

  async update({ rows }: Size): Promise<void> {
    const { target } = this.#invocation;
    const limit = Math.min(1_000, Math.max(1, rows));
    const query = `sort=${this.#sort.column}&order=${this.#order}&limit=${limit}`;
    const [stats, list] = await Promise.all([get(target, "/stats"), get(target, `/connections?${query}`)]);
    // With --control the configured name is not that of the server.
    this.#name ??= ((await get(target, "/info")) as ProgramInfo).name;
    this.#before = this.#now;
    this.#now = { stats: stats as Stats, list: list as ConnectionList };
  }

  draw({ columns, rows }: Size): readonly string[] {
    const now = this.#now as Snapshot;
    const paint = this.#paint;
    const head = headLines(this.#name ?? "", now, this.#before, columns, paint);
    const workers = [
      ...workerLines(now, this.#before, columns, paint),
      ...listenerLines(now, this.#before, columns, paint),
    ];
    const left = Math.max(0, rows - head.length - workers.length - 3);
    const sorted = { sort: this.#sort, order: this.#order };
    const connections = connectionLines(now, this.#before, sorted, columns, paint).slice(0, left + 1);
    const lines = [...head, ...workers, "", ...connections];
    // The line with the keys stays on the last row.
    while (lines.length < rows - 1) lines.push("");
    return [...lines.slice(0, rows - 1), paint("dim", keyLine(columns))];
  }

  /** As plain text. */
  snapshot(): string[] {
    const now = this.#now as Snapshot;
    const before = this.#before;
    const paint = painter(false);
    const sorted = { sort: this.#sort, order: this.#order };
    const width = Number.POSITIVE_INFINITY;
    return [
      ...headLines(this.#name ?? "", now, before, width, paint),
      ...workerLines(now, before, width, paint),
      ...listenerLines(now, before, width, paint),
      "",
      ...connectionLines(now, before, sorted, width, paint).slice(0, SNAPSHOT_ROWS + 1),
    ];
  }

  onKey(key: string): boolean {
    const sort = SORTS.find((one) => one.key === key);
    if (key === "r") this.#order = this.#order === "asc" ? "desc" : "asc";
    else if (sort === undefined) return false;
    else this.#sort = sort;
    return true;
  }
}
