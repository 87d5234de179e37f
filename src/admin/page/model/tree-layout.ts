/** A tidy tree from left to right, as appmon draws it. */
import { type HierarchyPointNode, hierarchy, tree } from "d3-hierarchy";
import type { Drawn } from "./collapsed-tree.js";
import {
  CARD,
  complete,
  heightOf,
  type Layout,
  LEAST_WIDTH,
  MARGIN,
  type Placed,
  place,
  preorder,
} from "./layout-parts.js";

const ROW = 54;
const GAP = 32;
const COLUMN_MAX = 216;
/** Widths grow by steps: a picture that follows every digit would never rest. */
const STEP = 8;
/** Between what hangs below the root, so that no OS process reaches into another. */
const APART = 26;
const ROOT_DOWN = 280;

/** How wide a card must be to show its name, and how wide it would like to be. */
export interface Wish {
  readonly least: number;
  readonly most: number;
}

export type WishOf = (node: Drawn) => Wish;

/** @param width of the place, in pixels; the layout may be wider */
export function tidy(root: Drawn, width: number, wish: WishOf): Layout {
  const columns = columnsOf(root, width, wish);
  const data = hierarchy(root, ({ children }) => children as Drawn[]);
  const placed = tree<Drawn>().nodeSize([ROW, 1]).separation(separation)(data);
  stack(placed);
  const top = Math.min(...placed.descendants().map(({ x }) => x));
  const nodes = preorder(placed).map((point) => {
    const height = heightOf(point.data);
    const { x, width } = columns[point.depth] as Column;
    return place(point, { x, y: MARGIN + point.x - top + (CARD - height) / 2, width, height });
  });
  return complete(nodes, elbow);
}

interface Column {
  readonly x: number;
  readonly width: number;
}

/** Names always have room. What is left is shared out among the columns, by how much more they would like. */
function columnsOf(root: Drawn, width: number, wish: WishOf): Column[] {
  const wishes: Wish[] = [];
  hierarchy(root, ({ children }) => children as Drawn[]).each(({ data, depth }) => {
    const { least, most } = wish(data);
    const before = wishes[depth] ?? { least: LEAST_WIDTH, most: LEAST_WIDTH };
    wishes[depth] = { least: stepped(least, before.least), most: stepped(most, before.most) };
  });
  const sum = (of: (wish: Wish) => number) => wishes.reduce((total, one) => total + of(one), 0);
  const room = width - 2 * MARGIN - (wishes.length - 1) * GAP - sum(({ least }) => least);
  const share = clamp(
    room /
      Math.max(
        1,
        sum(({ least, most }) => most - least),
      ),
    0,
    1,
  );
  let x = MARGIN;
  return wishes.map(({ least, most }) => {
    const column = { x, width: Math.floor(least + (most - least) * share) };
    x += column.width + GAP;
    return column;
  });
}

function stepped(width: number, least: number): number {
  return Math.min(COLUMN_MAX, Math.max(least, Math.ceil(width / STEP) * STEP));
}

/** d3 lets branches reach into each other's room. OS processes must not: below the root they stand one under another. */
function stack(root: HierarchyPointNode<Drawn>): void {
  let bottom = Number.NEGATIVE_INFINITY;
  for (const child of root.children ?? []) {
    const inside = child.descendants();
    const top = Math.min(...inside.map(({ x }) => x));
    const move = bottom === Number.NEGATIVE_INFINITY ? 0 : bottom + CARD + APART - top;
    for (const one of inside) one.x += move;
    bottom = Math.max(...inside.map(({ x }) => x));
  }
  const [first, last] = [root.children?.[0], root.children?.at(-1)];
  // In the middle, as long as it is found there without scrolling.
  if (first && last) root.x = Math.min((first.x + last.x) / 2, first.x + ROOT_DOWN);
}

/** Counts are small and stand close. */
function separation(a: HierarchyPointNode<Drawn>, b: HierarchyPointNode<Drawn>): number {
  return a.data.kind === "count" && b.data.kind === "count" && a.parent === b.parent ? 0.72 : 1;
}

/** From the right edge of a card to the left edge of another, with right angles as appmon has them. */
function elbow(from: Placed, to: Placed): string {
  const start = from.x + from.width;
  const y = from.y + from.height / 2;
  return `M${start} ${y}H${start + GAP / 2}V${to.y + to.height / 2}H${to.x}`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
