/** Process tree of the whole program: the primary's part, and below each worker the tree that the worker returns. */

import type { TreeNode } from "../../../control/tree.js";
import { processOf } from "../../../otp/process/process.js";
import { durationText } from "../../../text/duration.js";
import { plural } from "../../../text/plural.js";
import { formatFlags } from "../../inspect/tree.js";
import { ExchangeProcess } from "../exchange/exchange-process.js";
import type { Primary } from "../primary.js";
import type { WorkerProcess } from "../workers/worker-process.js";
import { overloadOf, shownState, type WorkerSlot } from "../workers/worker-slot.js";
import { nodesAsTree, nodesText } from "./node-list.js";

/**
 * @param name of the server, as configured
 * @param admin address of the admin server
 * @param connections most connections to list below each worker
 */
export async function drawProgramTree(
  primary: Primary,
  name: string,
  admin: string,
  connections: number,
): Promise<TreeNode> {
  const { root } = primary;
  const own = root ? root.links.flatMap((pid) => (pid.worker === 0 ? (processOf(pid) ?? []) : [])) : [];
  const admins = own.map((process): TreeNode => {
    if (process instanceof ExchangeProcess) return drawExchange(process);
    const detail = `${admin} + control socket`;
    return { pid: process.pid.toString(), name: process.label, kind: "admin", detail, children: [] };
  });
  const workers = primary.pool.slots.flatMap((slot) =>
    slot.process ? drawWorker(slot, slot.process, connections) : [],
  );
  return {
    pid: root?.pid.toString() ?? "<0.1>",
    name,
    kind: "supervisor",
    detail: root ? `${formatFlags(root)}, ${root.restartsLeft} restarts left` : stateWithoutRoot(primary),
    children: [...admins, ...(await Promise.all(workers))],
  };
}

function drawExchange(exchange: ExchangeProcess): TreeNode {
  const { numbers, state, unresponsive, osPid } = exchange;
  const held = numbers
    ? `${nodesText(numbers.nodes)}${plural(numbers.links, "link")}, ${plural(numbers.groups, "group")}, ${plural(numbers.memberships, "membership")}, ${plural(numbers.names, "name")}`
    : "";
  const running = unresponsive ? "not answering" : held;
  return {
    pid: exchange.pid.toString(),
    name: "exchange",
    kind: "process",
    detail: state === "running" ? running : state,
    osPid,
    children: nodesAsTree(numbers?.nodes),
  };
}

/** There is no top supervisor until all workers accept, and none after the end. */
function stateWithoutRoot({ stopping }: Primary): string {
  return stopping ? "stopping" : "starting";
}

async function drawWorker(slot: WorkerSlot, process: WorkerProcess, connections: number): Promise<TreeNode> {
  const tree =
    process.serving && process.alive ? await process.request({ name: "tree", connections }) : undefined;
  const running = tree ? `up ${durationText(process.uptimeMs, 1)}` : "not answering";
  const overload = overloadOf(slot);
  const up = overload.length > 0 ? `${running}, overloaded (${overload.join(", ")})` : running;
  const status = process.state === "running" ? up : process.condition;
  return {
    pid: process.pid.toString(),
    name: `worker ${process.slot}`,
    kind: "worker",
    detail: `${status}${slot.restarts > 0 ? `, restarted ${slot.restarts}` : ""}`,
    osPid: process.osPid,
    state: shownState(slot),
    children: (tree as TreeNode[] | undefined) ?? [],
  };
}
