/** `drover top`: the workers and the busiest connections, live on a terminal, else once. */
import type { ConnectionList } from "../../control/connections.js";
import type { Stats } from "../../control/stats.js";
import { get } from "../client/client.js";
import type { Asked } from "../command.js";
import { type Live, runLive, type Size } from "../terminal/live.js";
import { printableJson } from "../terminal/printable.js";
import { type Paint, painter } from "../terminal/style.js";
import { connectionLines, headLines, keyLine, type Seen, SORTS, workerLines } from "./top-view.js";

/** Connections in a snapshot that is no picture. */
const SNAPSHOT_ROWS = 20;

export async function top(asked: Asked): Promise<string> {
  const { json, stdout, color, target } = asked;
  if (stdout.isTTY && !json) {
    await runLive(asked, new Top(asked, painter(color)));
    return "";
  }
  const top = new Top(asked, painter(false));
  await top.update({ columns: Number.POSITIVE_INFINITY, rows: SNAPSHOT_ROWS + Top.ABOVE });
  if (json) return `${printableJson({ stats: top.stats, connections: top.list })}\n`;
  return `${top.snapshot(target.name).join("\n")}\n`;
}

class Top implements Live {
  /** Lines that are no connections, about. */
  static readonly ABOVE = 8;
  readonly #asked: Asked;
  readonly #paint: Paint;
  #sort = SORTS[0] as (typeof SORTS)[number];
  #order: "asc" | "desc" = "desc";
  #now: Seen | undefined = undefined;
  #before: Seen | undefined = undefined;

  constructor(asked: Asked, paint: Paint) {
    this.#asked = asked;
    this.#paint = paint;
  }

  get stats(): Stats | undefined {
    return this.#now?.stats;
  }

  get list(): ConnectionList | undefined {
    return this.#now?.list;
  }

  async update({ rows }: Size): Promise<void> {
    const { target } = this.#asked;
    const limit = Math.min(1_000, Math.max(1, rows));
    const query = `sort=${this.#sort.column}&order=${this.#order}&limit=${limit}`;
    const [stats, list] = await Promise.all([get(target, "/stats"), get(target, `/connections?${query}`)]);
    this.#before = this.#now;
    this.#now = { stats: stats as Stats, list: list as ConnectionList };
  }

  draw({ columns, rows }: Size): readonly string[] {
    const now = this.#now as Seen;
    const paint = this.#paint;
    const head = headLines(this.#asked.target.name, now, this.#before, columns, paint);
    const workers = workerLines(now, this.#before, columns, paint);
    const left = Math.max(0, rows - head.length - workers.length - 3);
    const sorted = { sort: this.#sort, order: this.#order };
    const connections = connectionLines(now, this.#before, sorted, columns, paint).slice(0, left + 1);
    const lines = [...head, ...workers, "", ...connections];
    // The last line stays where it is.
    while (lines.length < rows - 1) lines.push("");
    return [...lines.slice(0, rows - 1), paint("dim", keyLine(columns))];
  }

  /** As plain text. */
  snapshot(name: string): string[] {
    const now = this.#now as Seen;
    const paint = painter(false);
    const sorted = { sort: this.#sort, order: this.#order };
    const width = Number.POSITIVE_INFINITY;
    return [
      ...headLines(name, now, undefined, width, paint),
      ...workerLines(now, undefined, width, paint),
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
