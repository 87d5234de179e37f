/**
 * The tree to be drawn: closed branches are left out, and many connections become one count per state. So the drawing
 * has as many nodes with 10,000 connections as with ten.
 */
import type { TreeNode } from "../../../control/tree.js";
import { count } from "./format.js";

/** Maximum connections per worker that are drawn one by one; the limit in the request for `/tree`. */
export const MAX_DRAWN_CONNECTIONS = 6;
/** Maximum counts per worker; further states share one. */
const MAX_STATE_COUNTS = 6;
/** With more workers, the branch of each is closed at first. */
const MOST_OPEN_WORKERS = 8;

export interface Drawn {
  /** The pid; of a count, the pid of its parent and the state. */
  readonly id: string;
  readonly kind: TreeNode["kind"] | "count";
  readonly name: string;
  /** Only of a process. */
  readonly pid?: string;
  readonly state?: string;
  readonly detail: string;
  /** Worker number; 0 is the primary. */
  readonly worker: number;
  /** Of a count: number of connections. */
  readonly count?: number;
  /** Of a count: name of the listener. */
  readonly listener?: string;
  /** `undefined`: it has no children. */
  readonly open?: boolean;
  readonly children: readonly Drawn[];
}

/** Branches that the operator opened (`true`) or closed (`false`), by id. */
export type Opened = ReadonlyMap<string, boolean>;

export function draw(root: TreeNode, opened: Opened): Drawn {
  const workers = root.children.filter(({ kind }) => kind === "worker").length;
  return drawn(root, { opened, closeWorkers: workers > MOST_OPEN_WORKERS });
}

interface How {
  readonly opened: Opened;
  readonly closeWorkers: boolean;
}

function drawn(node: TreeNode, how: How): Drawn {
  const { pid, kind, name, state } = node;
  const hasChildren = node.children.length > 0 || (node.more ?? 0) > 0;
  const open = how.opened.get(pid) ?? !(how.closeWorkers && kind === "worker");
  return {
    id: pid,
    pid,
    kind,
    name: kind === "connection" ? (state ?? name) : name,
    ...(state !== undefined && kind !== "connection" && { state }),
    detail: hasChildren && !open ? closedDetail(node) : detailOf(node),
    worker: workerOf(pid),
    ...(hasChildren && { open }),
    children: hasChildren && open ? childrenOf(node, how) : [],
  };
}

function childrenOf(node: TreeNode, how: How): Drawn[] {
  const connections = node.children.filter(({ kind }) => kind === "connection");
  const total = connections.length + (node.more ?? 0);
  if (total <= MAX_DRAWN_CONNECTIONS && node.more === undefined)
    return node.children.map((child) => drawn(child, how));
  return countsByState(node, total);
}

function countsByState(node: TreeNode, total: number): Drawn[] {
  const states = Object.entries(node.states ?? {})
    .filter(([, size]) => size > 0)
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  if (states.length === 0) return [countNode(node, undefined, total)];
  // With too many states, the last count is for all remaining ones.
  const single = states.length > MAX_STATE_COUNTS ? states.slice(0, MAX_STATE_COUNTS - 1) : states;
  const rest = states.slice(single.length).reduce((sum, [, size]) => sum + size, 0);
  return [
    ...single.map(([state, size]) => countNode(node, state, size)),
    ...(rest > 0 ? [countNode(node, undefined, rest)] : []),
  ];
}

function countNode(node: TreeNode, state: string | undefined, size: number): Drawn {
  return {
    id: `${node.pid}/${state ?? ""}`,
    kind: "count",
    name: state ?? (node.states === undefined ? "connections" : "other states"),
    ...(state !== undefined && { state }),
    detail: "",
    worker: workerOf(node.pid),
    count: size,
    ...(node.listener !== undefined && { listener: node.listener }),
    children: [],
  };
}

/** The part of the detail that fits on a card; the details panel shows all of it. */
function detailOf({ kind, detail, osPid, name }: TreeNode): string {
  if (kind === "worker") return osPid === undefined ? detail : `${detail}, os ${osPid}`;
  if (kind === "listener") return detail.replace(/ \w+$/, "");
  if (kind === "supervisor")
    return name === "connections" ? grouped(detail.split(",")[0] as string) : detail.replace(/,.*/, "");
  return kind === "connection" ? (detail.split(",")[0] as string) : detail;
}

/** A closed branch shows its number of connections. */
function closedDetail(node: TreeNode): string {
  const inside = connectionsIn(node);
  const own = node.children.some(({ kind }) => kind === "connection");
  return own || inside === 0 ? detailOf(node) : `${count(inside)} connections, ${detailOf(node)}`;
}

/** `5,000 of 10,000`. */
function grouped(text: string): string {
  return text.replace(/\d+/g, (digits) => count(Number(digits)));
}

function connectionsIn({ kind, children, more = 0 }: TreeNode): number {
  const below = children.reduce((sum, child) => sum + connectionsIn(child), 0);
  return below + more + (kind === "connection" ? 1 : 0);
}

/** `<3.17>` belongs to worker 3. */
export function workerOf(pid: string): number {
  return Number(/^<(\d+)\./.exec(pid)?.[1] ?? 0);
}

/** The node of a pid in the server's tree. */
export function findNode(from: TreeNode, pid: string): TreeNode | undefined {
  if (from.pid === pid) return from;
  for (const child of from.children) {
    const found = findNode(child, pid);
    if (found) return found;
  }
  return undefined;
}
