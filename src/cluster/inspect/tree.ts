/** Process tree of this OS process, as nodes with one line of detail each. */

import type { TreeNode } from "../../control/tree.js";
import type { Pid } from "../../otp/process/pid.js";
import { type Process, processOf } from "../../otp/process/process.js";
import { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { Supervisor, whichChildren } from "../../otp/supervisor/supervisor.js";
import { Connection } from "../../tcp/connection/connection.js";
import { Listener } from "../../tcp/listener/listener.js";
import { Reconnector } from "../../tcp/outgoing/reconnector.js";
import { addressText } from "../../text/address.js";

/** The tree below a process. @param connections most connections to list */
export async function drawTree(process: Process, connections: number): Promise<TreeNode> {
  const pid = process.pid.toString();
  const name = process.label;
  if (process instanceof Connection) return connectionNode(process);
  if (process instanceof Listener) return listenerNode(process);
  if (process instanceof DynamicSupervisor) return dynamicNode(process, connections);
  if (!(process instanceof Supervisor)) return { pid, name, kind: "process", detail: "", children: [] };
  // A supervisor that is shutting down does not answer any more.
  const children = await whichChildren(process.pid).catch(() => []);
  const pids = children.reverse().flatMap((child) => (typeof child.pid === "object" ? child.pid : []));
  return {
    pid,
    name,
    kind: "supervisor",
    detail: formatFlags(process),
    children: await Promise.all(living(pids).map((child) => drawTree(child, connections))),
  };
}

/** `one_for_one 5/60s`. */
export function formatFlags(supervisor: Supervisor): string {
  const { strategy, intensity, period } = supervisor.flags;
  return `${strategy} ${intensity}/${period}s`;
}

function dynamicNode(supervisor: DynamicSupervisor<any>, limit: number): TreeNode {
  const pids = supervisor.children();
  const shown = living(pids.slice(0, limit));
  const of = supervisor.maxChildren === Infinity ? "" : ` of ${supervisor.maxChildren}`;
  const shutdown =
    typeof supervisor.shutdown === "number" ? `${supervisor.shutdown / 1000}s` : supervisor.shutdown;
  return {
    pid: supervisor.pid.toString(),
    name: supervisor.label,
    kind: "supervisor",
    detail: `${pids.length}${of}, ${supervisor.restart}, shutdown ${shutdown}`,
    children: shown.map(childNode),
    states: statesOf(pids),
    ...listenerOf(shown),
    ...(pids.length > limit ? { more: pids.length - limit } : {}),
  };
}

function listenerOf(processes: readonly Process[]): Pick<TreeNode, "listener"> {
  const one = processes.find((process) => process instanceof Connection);
  return one === undefined ? {} : { listener: one.endpoint.name };
}

/** Number of connections in each state. */
function statesOf(pids: readonly Pid[]): Record<string, number> {
  const states = new Map<string, number>();
  for (const pid of pids) {
    const one = processOf(pid);
    if (one instanceof Connection) states.set(one.state, (states.get(one.state) ?? 0) + 1);
  }
  return Object.fromEntries(states);
}

function connectionNode(process: Connection): TreeNode {
  const { pid, label, state, peer, via, idleFor } = process;
  const proxy = via === undefined ? "" : ` via ${addressText(via.address, via.port)}`;
  const idle = idleFor >= 1000 ? `, idle ${Math.floor(idleFor / 1000)}s` : "";
  const detail = `${addressText(peer.address, peer.port)}${proxy}${idle}`;
  return { pid: pid.toString(), name: label, kind: "connection", state, detail, children: [] };
}

function listenerNode(process: Listener): TreeNode {
  const { address, port } = process.address;
  const state = process.state === "listening" ? "running" : process.state;
  const { name: listener, opening } = process.endpoint;
  const words = [...(opening?.startTls ? ["TLS"] : []), ...(opening?.proxy ? ["PROXY"] : []), state];
  return {
    pid: process.pid.toString(),
    name: process.label,
    kind: "listener",
    state,
    detail: [addressText(address, port), ...words].join(" "),
    listener,
    children: [],
  };
}

function childNode(process: Process): TreeNode {
  if (process instanceof Connection) return connectionNode(process);
  return process instanceof Reconnector ? reconnectorNode(process) : leafNode(process);
}

/** A process that keeps an outgoing connection open. */
function reconnectorNode(process: Reconnector): TreeNode {
  const { pid, label: name, state, place, connection } = process;
  const open = connection && processOf(connection);
  return {
    ...{ pid: pid.toString(), name, kind: "process", detail: `${place} ${state}` },
    children: open instanceof Connection ? [connectionNode(open)] : [],
  };
}

function leafNode(process: Process): TreeNode {
  return { pid: process.pid.toString(), name: process.label, kind: "process", detail: "", children: [] };
}

function living(pids: readonly Pid[]): Process[] {
  return pids.flatMap((pid) => processOf(pid) ?? []);
}
