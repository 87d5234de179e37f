/** `drover top`: workers and busiest connections, live on a terminal, else once. */
import type { ConnectionList } from "../../control/connections.js";
import type { Stats } from "../../control/stats.js";
import { get } from "../client/client.js";
import type { Invocation } from "../command.js";
import { jsonText } from "../terminal/json.js";
import { type Live, runLive, type Size } from "../terminal/live.js";
import { type Paint, painter } from "../terminal/style.js";
import { listenerLines } from "./top-listeners.js";
import { connectionLines, headLines, keyLine, type Snapshot, SORTS, workerLines } from "./top-view.js";

/** Connections listed when the output is no terminal. */
const SNAPSHOT_ROWS = 20;

export async function top(invocation: Invocation): Promise<string> {
  const { json, stdout, color, target } = invocation;
  if (stdout.isTTY && !json) {
    await runLive(invocation, new Top(invocation, painter(color)));
    return "";
  }
  const top = new Top(invocation, painter(false));
  await top.update({ columns: Number.POSITIVE_INFINITY, rows: SNAPSHOT_ROWS + Top.HEAD_ROWS });
  if (json) return jsonText({ stats: top.stats, connections: top.list });
  return `${top.snapshot(target.name).join("\n")}\n`;
}

class Top implements Live {
  /** Lines above the connections, roughly. */
  static readonly HEAD_ROWS = 8;
  readonly #invocation: Invocation;
  readonly #paint: Paint;
  #sort = SORTS[0] as (typeof SORTS)[number];
  #order: "asc" | "desc" = "desc";
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
    this.#before = this.#now;
    this.#now = { stats: stats as Stats, list: list as ConnectionList };
  }

  draw({ columns, rows }: Size): readonly string[] {
    const now = this.#now as Snapshot;
    const paint = this.#paint;
    const head = headLines(this.#invocation.target.name, now, this.#before, columns, paint);
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
  snapshot(name: string): string[] {
    const now = this.#now as Snapshot;
    const paint = painter(false);
    const sorted = { sort: this.#sort, order: this.#order };
    const width = Number.POSITIVE_INFINITY;
    return [
      ...headLines(name, now, undefined, width, paint),
      ...workerLines(now, undefined, width, paint),
      ...listenerLines(now, undefined, width, paint),
      "",
      ...connectionLines(now, undefined, sorted, width, paint).slice(0, SNAPSHOT_ROWS + 1),
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
