/** Types and functions that both layouts of the tree share. All lengths are in pixels. */
import type { HierarchyPointNode } from "d3-hierarchy";
import type { Drawn } from "./collapsed-tree.js";

export interface Placed {
  readonly node: Drawn;
  readonly parent: string | undefined;
  /** Upper left corner of its card. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Level in the tree, from 1, for aria-level. */
  readonly level: number;
  readonly position: number;
  readonly siblings: number;
}

export interface Link {
  /** Id of the child node. */
  readonly id: string;
  /** The `d` attribute of the SVG path. */
  readonly path: string;
}

/** The box around the nodes of one worker's OS process. */
export interface Frame {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  /** In the order of the arrow keys. */
  readonly nodes: readonly Placed[];
  readonly links: readonly Link[];
  readonly frames: readonly Frame[];
  readonly width: number;
  readonly height: number;
}

/** Height of the card of a process; `COUNT` is that of a count. */
export const CARD = 44;
const COUNT = 30;
/** Margin around the drawing. */
export const MARGIN = 16;
/** Minimum width of a card. */
export const LEAST_WIDTH = 120;

export function preorder(root: HierarchyPointNode<Drawn>): HierarchyPointNode<Drawn>[] {
  const found: HierarchyPointNode<Drawn>[] = [];
  root.eachBefore((point) => void found.push(point));
  return found;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function place({ data, parent, depth }: HierarchyPointNode<Drawn>, box: Box): Placed {
  const siblings = parent?.children?.length ?? 1;
  const position = (parent?.children?.findIndex((one) => one.data === data) ?? 0) + 1;
  return { node: data, parent: parent?.data.id, ...box, level: depth + 1, position, siblings };
}

export function heightOf({ kind }: Drawn): number {
  return kind === "count" ? COUNT : CARD;
}

/** Adds links and frames to the placed nodes. */
export function complete(nodes: readonly Placed[], path: (from: Placed, to: Placed) => string): Layout {
  const byId = new Map(nodes.map((one) => [one.node.id, one]));
  const links = nodes.flatMap((one) => {
    const from = one.parent === undefined ? undefined : byId.get(one.parent);
    return from ? [{ id: one.node.id, path: path(from, one) }] : [];
  });
  return {
    nodes,
    links,
    frames: frames(nodes),
    width: Math.max(...nodes.map((one) => one.x + one.width)) + MARGIN,
    height: Math.max(...nodes.map((one) => one.y + one.height)) + MARGIN,
  };
}

function frames(nodes: readonly Placed[]): Frame[] {
  const around = 8;
  const workers = new Set(nodes.map(({ node }) => node.worker).filter((worker) => worker > 0));
  return [...workers].flatMap((worker) => {
    const inside = nodes.filter(({ node }) => node.worker === worker);
    // A closed worker has no frame.
    if (inside.length === 1) return [];
    const x = Math.min(...inside.map((one) => one.x)) - around;
    const y = Math.min(...inside.map((one) => one.y)) - around;
    const right = Math.max(...inside.map((one) => one.x + one.width)) + around;
    const bottom = Math.max(...inside.map((one) => one.y + one.height)) + around;
    return [{ id: `worker ${worker}`, x, y, width: right - x, height: bottom - y }];
  });
}
