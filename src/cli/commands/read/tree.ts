/** `drover tree`: the process tree, once or each second. */
import { EXIT } from "../../../config/config.js";
import type { TreeNode } from "../../../control/tree.js";
import { get } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { jsonText } from "../../terminal/json.js";
import { runLive } from "../../terminal/live.js";
import { renderTree } from "./tree-view.js";

export async function tree(invocation: Invocation): Promise<string> {
  const { target, json, columns } = invocation;
  if (invocation.switches.has("watch")) return watchTree(invocation);
  const root = (await get(target, "/tree")) as TreeNode;
  return json ? jsonText(root) : renderTree(root, columns);
}

async function watchTree(invocation: Invocation): Promise<string> {
  const { target, json, stdout } = invocation;
  if (json || !stdout.isTTY) {
    const advice = json ? "leave out --json or --watch" : "standard output is not one, so leave out --watch";
    throw new CommandError(`drover tree --watch needs a terminal: ${advice}`, EXIT.usage);
  }
  let root: TreeNode | undefined;
  const fetchTree = async (connections: number) =>
    (await get(target, `/tree?connections=${connections}`)) as TreeNode;
  await runLive(invocation, {
    async update({ rows }) {
      root = await fetchTree(connectionsShown(root ?? (await fetchTree(1)), rows));
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

/** Lines of the program, and of each worker besides its connections. */
const PROGRAM_LINES = 2;
const WORKER_LINES = 5;

/** Connections listed under each worker, so that all workers fit on the screen. */
function connectionsShown({ children }: TreeNode, rows: number): number {
  const workers = children.filter(({ kind }) => kind === "worker").length;
  return Math.max(1, Math.floor((rows - PROGRAM_LINES) / Math.max(1, workers)) - WORKER_LINES);
}
