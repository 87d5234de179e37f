/** Outline of the tree for narrow screens: one row per node, indented by level. */
import { hierarchy, tree } from "d3-hierarchy";
import type { Drawn } from "./collapsed-tree.js";
import {
  CARD,
  complete,
  heightOf,
  type Layout,
  LEAST_WIDTH,
  MARGIN,
  place,
  preorder,
} from "./layout-parts.js";

const INDENT = 20;
const ROW = 50;
/** Space above each OS process. */
const APART = 14;
/** Distance of a link from the left edge of the parent's card. */
const LINK_IN = 10;

export function outlineLayout(root: Drawn, width: number): Layout {
  const data = tree<Drawn>()(hierarchy(root, ({ children }) => children as Drawn[]));
  let y = MARGIN;
  const nodes = preorder(data).map((point) => {
    const x = MARGIN + point.depth * INDENT;
    if (point.data.kind === "worker") y += APART;
    const height = heightOf(point.data);
    const box = { x, y, width: Math.max(LEAST_WIDTH, width - x - MARGIN), height };
    y += ROW - (CARD - height);
    return place(point, box);
  });
  return complete(nodes, (from, to) => {
    const middle = to.y + to.height / 2;
    return `M${from.x + LINK_IN} ${from.y + from.height}V${middle}H${to.x}`;
  });
}
