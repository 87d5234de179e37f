/** Layout of the tree: left to right where it fits, else an outline. */
import type { Drawn } from "./collapsed-tree.js";
import type { Layout } from "./layout-parts.js";
import { outlineLayout } from "./outline-layout.js";
import { treeLayout, type WidthOf } from "./tree-layout.js";

/** Below this width in pixels the tree is drawn as an outline. */
export const NARROW = 720;

/** @param width available width in pixels; the layout may be wider */
export function layout(root: Drawn, width: number, cardWidth: WidthOf): Layout {
  return width < NARROW ? outlineLayout(root, width) : treeLayout(root, width, cardWidth);
}
