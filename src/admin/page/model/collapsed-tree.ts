/**
 * The tree as it is drawn: branches may be closed, and many connections become one count for each of their
 * states. So the picture has as many nodes with ten thousand connections as with ten.
 */
import type { TreeNode } from "../../../control/tree.js";
import { count } from "./format.js";

/** So many connections of one worker are drawn one by one; `/tree` is asked for no more. */
export const MOST_DRAWN = 6;
/** States that have a count of their own; the rest shares one. */
const MOST_FOLDS = 6;
/** With more workers than these each begins closed. */
const MOST_OPEN_WORKERS = 8;

export interface Drawn {
  /** The pid, or of a count the pid above it and the state. */
  readonly id: string;
  readonly kind: TreeNode["kind"] | "count";
  readonly name: string;
  /** Of a process. */
  readonly pid?: string;
  readonly state?: string;
  readonly detail: string;
  /** Number of the worker in which it lives; 0 is the primary. */
  readonly worker: number;
  /** Of a count: how many connections it stands for. */
  readonly count?: number;
  /** `undefined`: there is nothing below it. */
  readonly open?: boolean;
  readonly children: readonly Drawn[];
}

/** What somebody opened (`true`) or closed (`false`), by id. */
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
  if (total <= MOST_DRAWN && node.more === undefined) return node.children.map((child) => drawn(child, how));
  return folds(node, total);
}

function folds(node: TreeNode, total: number): Drawn[] {
  const states = Object.entries(node.states ?? {})
    .filter(([, size]) => size > 0)
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  if (states.length === 0) return [fold(node, undefined, total)];
  // Where there is one too many, a count for all the rest says no more than its own.
  const single = states.length > MOST_FOLDS ? states.slice(0, MOST_FOLDS - 1) : states;
  const rest = states.slice(single.length).reduce((sum, [, size]) => sum + size, 0);
  return [
    ...single.map(([state, size]) => fold(node, state, size)),
    ...(rest > 0 ? [fold(node, undefined, rest)] : []),
  ];
}

function fold(node: TreeNode, state: string | undefined, size: number): Drawn {
  return {
    id: `${node.pid}/${state ?? ""}`,
    kind: "count",
    name: state ?? (node.states === undefined ? "connections" : "other states"),
    ...(state !== undefined && { state }),
    detail: "",
    worker: workerOf(node.pid),
    count: size,
    children: [],
  };
}

/** What a card has room for; the panel beside the picture tells all of it. */
function detailOf({ kind, detail, osPid, name }: TreeNode): string {
  if (kind === "worker") return osPid === undefined ? detail : `${detail}, os ${osPid}`;
  if (kind === "listener") return detail.replace(/ \w+$/, "");
  if (kind === "supervisor")
    return name === "connections" ? grouped(detail.split(",")[0] as string) : detail.replace(/,.*/, "");
  return kind === "connection" ? (detail.split(",")[0] as string) : detail;
}

/** A closed branch tells how many connections are in it. */
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

/** `<3.17>` lives in worker 3. */
export function workerOf(pid: string): number {
  return Number(/^<(\d+)\./.exec(pid)?.[1] ?? 0);
}

/** The node of a pid in what the server told. */
export function findNode(from: TreeNode, pid: string): TreeNode | undefined {
  if (from.pid === pid) return from;
  for (const child of from.children) {
    const found = findNode(child, pid);
    if (found) return found;
  }
  return undefined;
}
