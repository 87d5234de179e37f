/** Layout of the tree from left to right, after OTP's appmon. */
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
/** Between two columns; where the tree would be wider than its place, 16. */
const GAP = 32;
const LEAST_GAP = 16;
const COLUMN_MAX = 216;
/** Widths are multiples of this, so that the layout does not move with every digit. */
const STEP = 8;
/** Space between the children of the root, so that the frames of OS processes do not overlap. */
const APART = 26;
const ROOT_DOWN = 280;

/** Width of a card: `least` shows its name, `most` all of its text. */
export interface WidthRange {
  readonly least: number;
  readonly most: number;
}

export type WidthOf = (node: Drawn) => WidthRange;

/** @param width available width in pixels; the layout may be wider */
export function treeLayout(root: Drawn, width: number, cardWidth: WidthOf): Layout {
  const columns = columnsOf(root, width, cardWidth);
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

/** Every column gets its least width; the remaining width is shared in proportion to what each lacks. */
function columnsOf(root: Drawn, width: number, cardWidth: WidthOf): Column[] {
  const widths: WidthRange[] = [];
  hierarchy(root, ({ children }) => children as Drawn[]).each(({ data, depth }) => {
    const { least, most } = cardWidth(data);
    const before = widths[depth] ?? { least: LEAST_WIDTH, most: LEAST_WIDTH };
    widths[depth] = { least: stepped(least, before.least), most: stepped(most, before.most) };
  });
  const sum = (of: (range: WidthRange) => number) => widths.reduce((total, one) => total + of(one), 0);
  const free = width - 2 * MARGIN - sum(({ least }) => least);
  const gaps = widths.length - 1;
  const gap = clamp(Math.floor(free / Math.max(1, gaps)), LEAST_GAP, GAP);
  const room = free - gaps * gap;
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
  return widths.map(({ least, most }) => {
    const column = { x, width: Math.floor(least + (most - least) * share) };
    x += column.width + gap;
    return column;
  });
}

function stepped(width: number, least: number): number {
  return Math.min(COLUMN_MAX, Math.max(least, Math.ceil(width / STEP) * STEP));
}

/** Stacks the children of the root: d3 lets branches interleave, but the frames of OS processes must not overlap. */
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
  // Centred, but not so far down that it needs scrolling.
  if (first && last) root.x = Math.min((first.x + last.x) / 2, first.x + ROOT_DOWN);
}

/** Smaller distance between counts. */
function separation(a: HierarchyPointNode<Drawn>, b: HierarchyPointNode<Drawn>): number {
  return a.data.kind === "count" && b.data.kind === "count" && a.parent === b.parent ? 0.72 : 1;
}

/** A link with right angles from the right edge of the parent to the left edge of the child. */
function elbow(from: Placed, to: Placed): string {
  const start = from.x + from.width;
  const y = from.y + from.height / 2;
  return `M${start} ${y}H${(start + to.x) / 2}V${to.y + to.height / 2}H${to.x}`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
