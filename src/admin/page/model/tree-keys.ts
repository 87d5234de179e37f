/** Keyboard navigation of the tree, after the ARIA authoring practices. */
import type { Placed } from "./layout-parts.js";

export type KeyAction =
  | { readonly do: "focus"; readonly id: string }
  | { readonly do: "open" | "close"; readonly id: string }
  | { readonly do: "choose"; readonly id: string };

/** `undefined`: the key has no function. */
export function keyAction(nodes: readonly Placed[], at: string, key: string): KeyAction | undefined {
  const index = nodes.findIndex(({ node }) => node.id === at);
  const here = nodes[index];
  if (!here) return undefined;
  switch (key) {
    case "ArrowDown":
      return focus(nodes[index + 1]);
    case "ArrowUp":
      return focus(nodes[index - 1]);
    case "Home":
      return focus(nodes[0]);
    case "End":
      return focus(nodes.at(-1));
    case "ArrowRight":
      if (here.node.open === false) return { do: "open", id: at };
      return here.node.open ? focus(nodes[index + 1]) : undefined;
    case "ArrowLeft":
      if (here.node.open) return { do: "close", id: at };
      return here.parent === undefined ? undefined : { do: "focus", id: here.parent };
    case "Enter":
    case " ":
      return { do: "choose", id: at };
    default:
      return undefined;
  }
}

function focus(to: Placed | undefined): KeyAction | undefined {
  return to && { do: "focus", id: to.node.id };
}
