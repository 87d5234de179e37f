/** The tree of the whole program: what the primary draws itself, and below each worker what that has drawn. */

import type { TreeNode } from "../../../control/tree.js";
import { processOf } from "../../../otp/process/process.js";
import { flags } from "../../inspect/tree.js";
import type { Primary } from "../primary.js";
import type { WorkerProcess } from "../worker-process.js";
import type { WorkerSlot } from "../worker-slot.js";

/**
 * @param admin where the admin server listens
 * @param connections how many to list under each worker at most
 */
export async function drawProgram(primary: Primary, admin: string, connections: number): Promise<TreeNode> {
  const { root } = primary;
  const own = root ? root.links.flatMap((pid) => (pid.worker === 0 ? (processOf(pid) ?? []) : [])) : [];
  const admins = own.map((process): TreeNode => {
    const detail = `${admin} + control socket`;
    return { pid: process.pid.toString(), name: process.label, kind: "admin", detail, children: [] };
  });
  const workers = primary.slots.flatMap((slot) =>
    slot.process ? drawWorker(slot, slot.process, connections) : [],
  );
  return {
    pid: root?.pid.toString() ?? "<0.1>",
    name: "drover",
    kind: "supervisor",
    detail: root ? `${flags(root)}, ${root.restartsLeft} restarts left` : "stopped",
    children: [...admins, ...(await Promise.all(workers))],
  };
}

async function drawWorker(slot: WorkerSlot, process: WorkerProcess, connections: number): Promise<TreeNode> {
  const tree =
    process.serving && process.alive ? await process.request({ name: "tree", connections }) : undefined;
  const running = tree ? `up ${duration(process.uptimeMs)}` : "not answering";
  const what = process.state === "running" ? running : process.condition;
  return {
    pid: process.pid.toString(),
    name: `worker ${process.slot}`,
    kind: "worker",
    detail: `${what}${slot.restarts > 0 ? `, restarted ${slot.restarts}` : ""}`,
    osPid: process.osPid,
    state: process.condition,
    children: tree ? [tree as TreeNode] : [],
  };
}

/** `4s`, `12m`, `3h`, `9d`. */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
