/** Where everything of the picture stands: what suits the place. */
import type { Drawn } from "./collapsed-tree.js";
import type { Layout } from "./layout-parts.js";
import { outline } from "./outline-layout.js";
import { tidy, type WishOf } from "./tree-layout.js";

/** Narrower than this a tidy tree would not fit. */
export const NARROW = 720;

/** @param width of the place, in pixels; the layout may be wider */
export function layout(root: Drawn, width: number, wish: WishOf): Layout {
  return width < NARROW ? outline(root, width) : tidy(root, width, wish);
}
