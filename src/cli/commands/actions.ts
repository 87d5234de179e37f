/** What the commands do: ask over the control socket, and turn the answer into text. */
import { EXIT, type Explanation } from "../../config/config.js";
import type { ProgramInfo } from "../../control/program.js";
import type { TreeNode } from "../../control/tree.js";
import { get, post } from "../client/client.js";
import type { Asked } from "../command.js";
import { CommandError } from "../errors.js";
import { runLive } from "../terminal/live.js";
import { printableJson } from "../terminal/printable.js";
import { record, table } from "../terminal/table.js";
import { renderInfo } from "./info.js";
import { waitUntilGone } from "./stop.js";
import { renderTree } from "./tree.js";

export async function tree(asked: Asked): Promise<string> {
  const { target, json, columns } = asked;
  if (asked.switches.has("watch")) return watchTree(asked);
  const root = (await get(target, "/tree")) as TreeNode;
  return json ? jsonText(root) : renderTree(root, columns);
}

/** The tree as it is each second. */
async function watchTree(asked: Asked): Promise<string> {
  const { target, json, stdout } = asked;
  if (json || !stdout.isTTY) {
    const once = json ? "with --json it is printed once" : "this is none, so leave --watch out";
    throw new CommandError(`drover tree --watch needs a terminal: ${once}`, EXIT.usage);
  }
  let root: TreeNode | undefined;
  const look = async (connections: number) =>
    (await get(target, `/tree?connections=${connections}`)) as TreeNode;
  await runLive(asked, {
    async update({ rows }) {
      root = await look(connectionsShown(root ?? (await look(1)), rows));
    },
    draw: ({ columns, rows }) => {
      const lines = renderTree(root as TreeNode, columns)
        .trimEnd()
        .split("\n");
      const more = lines.length - rows;
      return more <= 0 ? lines : [...lines.slice(0, rows - 1), `… ${more + 1} more lines; q quits`];
    },
  });
  return "";
}

/** Lines of the program, and of a worker besides its connections. */
const PROGRAM_LINES = 2;
const WORKER_LINES = 5;

/** Of each worker, so that all workers are seen. */
function connectionsShown({ children }: TreeNode, rows: number): number {
  const workers = children.filter(({ kind }) => kind === "worker").length;
  return Math.max(1, Math.floor((rows - PROGRAM_LINES) / Math.max(1, workers)) - WORKER_LINES);
}

export async function info({ target, positionals, json }: Asked): Promise<string> {
  const [text] = positionals;
  const path = text === undefined ? "/info" : `/info/${encodeURIComponent(pidFrom(text))}`;
  const found = (await get(target, path)) as object;
  if (json) return jsonText(found);
  return text === undefined ? renderInfo(found as ProgramInfo) : record(found);
}

export async function kill({ target, positionals }: Asked): Promise<string> {
  const [text = "", reason = "kill"] = positionals;
  const pid = pidFrom(text);
  await post(target, "/kill", { pid, reason });
  return `sent ${pid} the exit signal ${reason}\n`;
}

/** Beyond what connections are given to finish: for everything else that ends. */
const PATIENCE = 30_000;

export async function stop({ target }: Asked): Promise<string> {
  await post(target, "/stop", {});
  const longest = target.shutdown + PATIENCE;
  if (await waitUntilGone(target, AbortSignal.timeout(longest))) return "stopped\n";
  throw new CommandError(`drover "${target.name}" is still stopping after ${longest / 1000} s: see its log`);
}

/** From here on all columns fit. */
const WIDE = 130;

export async function config({ target, json, verbose, columns = 0 }: Asked): Promise<string> {
  const rows = (await get(target, "/config")) as Explanation[];
  if (json) return jsonText(rows);
  const wide = verbose || columns >= WIDE;
  const cells = rows.map(({ key, text, origin, flag, env }) => {
    return wide ? [key, text, origin, flag, env] : [key, text, origin];
  });
  const titles = ["option", "value", "from", "flag", "environment"];
  return table([titles.slice(0, wide ? 5 : 3), ...cells]);
}

export function jsonText(value: unknown): string {
  return `${printableJson(value)}\n`;
}

/** The same form as the server's: said here, it is said even when no server runs. */
export function pidFrom(text: string): string {
  const match = /^<?((?:0|[1-9]\d{0,5})\.[1-9]\d{0,14})>?$/.exec(text.trim());
  if (match === null)
    throw new CommandError(`not a pid: ${JSON.stringify(text)}: a pid looks like '<1.17>'`, EXIT.usage);
  return `<${match[1]}>`;
}
