/**
 * The process tree as SVG, accessible by keyboard and screen reader (role tree): one tab stop, arrow keys within,
 * Enter to select.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { TreeNode } from "../../../../control/tree.js";
import { useObservable } from "../../live/observable.js";
import { listed, opened, selected, setOpen } from "../../live/selection.js";
import { type Drawn, draw } from "../../model/collapsed-tree.js";
import { layout } from "../../model/layout.js";
import { keyAction } from "../../model/tree-keys.js";
import { Card, cardWidth } from "./tree-card.js";

export function Tree({ root }: { root: TreeNode }) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const branches = useObservable(opened);
  const chosen = useObservable(selected);
  const [focused, setFocused] = useState<string | undefined>(undefined);
  const moved = useRef(false);
  const drawing = layout(draw(root, branches), width, cardWidth);
  const stop = drawing.nodes.find(({ node }) => node.id === focused)?.node.id ?? root.pid;

  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    const item = place.current?.querySelector<SVGElement>('[role="treeitem"][tabindex="0"]');
    item?.focus({ preventScroll: true });
    item?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [stop]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = keyAction(drawing.nodes, stop, event.key);
    if (!action) return;
    event.preventDefault();
    if (action.do === "focus") {
      moved.current = true;
      setFocused(action.id);
    } else if (action.do === "choose") {
      choose(drawing.nodes.find(({ node }) => node.id === action.id)?.node);
    } else {
      setOpen(action.id, action.do === "open");
    }
  };

  return (
    <div class="tree" ref={place} role="tree" aria-labelledby="tree-title" onKeyDown={onKeyDown}>
      <svg role="presentation" width={drawing.width} height={drawing.height}>
        <g>
          {drawing.frames.map(({ id, ...box }) => (
            <rect key={id} class="os-process" rx="10" {...box} />
          ))}
          {drawing.links.map(({ id, path }) => (
            <path key={id} class="link" d={path} />
          ))}
        </g>
        {drawing.nodes.map((placed) => (
          <Card
            key={placed.node.id}
            placed={placed}
            stop={placed.node.id === stop}
            chosen={placed.node.id === (chosen ?? root.pid)}
            onChoose={() => {
              setFocused(placed.node.id);
              choose(placed.node);
            }}
          />
        ))}
      </svg>
    </div>
  );
}

/** A process is shown in the details panel; a count opens the list of its connections. */
function choose(node: Drawn | undefined): void {
  if (!node) return;
  if (node.pid !== undefined) selected.set(node.pid);
  else listed.set({ worker: node.worker, listener: node.listener, state: node.state });
}

function useWidth(place: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(() => Math.min(innerWidth, 1000));
  useEffect(() => {
    if (!place.current) return undefined;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return width;
}
