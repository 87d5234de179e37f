/** An outline, one row below the other, for places that are too narrow for a tidy tree. */
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
/** Above each OS process. */
const APART = 14;
/** Of a line, from the left edge of the card above. */
const LINK_IN = 10;

export function outline(root: Drawn, width: number): Layout {
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
