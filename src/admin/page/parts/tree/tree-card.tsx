/** One node of the tree: a process, or a count of connections. */
import { setOpen } from "../../live/selection.js";
import type { Drawn } from "../../model/collapsed-tree.js";
import { count } from "../../model/format.js";
import type { Placed } from "../../model/layout-parts.js";
import type { WidthRange } from "../../model/tree-layout.js";
import { toneOf } from "../state-label.js";
import { fitted, fittedParts, partsOf, widthOf } from "./text-width.js";

const NAME = "600 13px";
const SMALL = "400 11.5px";
const PAD = 12;
const DOT = 14;
const CHEVRON = 22;

interface Props {
  readonly placed: Placed;
  /** Whether this node is the tab stop of the tree. */
  readonly stop: boolean;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

export function Card({ placed, stop, chosen, onChoose }: Props) {
  const { node, x, y, width, height, level, position, siblings } = placed;
  return (
    <g
      role="treeitem"
      class={`node ${node.kind}${chosen ? " chosen" : ""}`}
      style={{ transform: `translate(${x}px, ${y}px)` }}
      tabindex={stop ? 0 : -1}
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-selected={chosen}
      {...(node.open !== undefined && { "aria-expanded": node.open })}
      aria-label={ariaLabel(node, width)}
      data-id={node.id}
      onClick={onChoose}
    >
      <rect class="box" width={width} height={height} rx={node.kind === "count" ? height / 2 : 7} />
      {node.kind === "count" ? <Count node={node} width={width} /> : <Process node={node} width={width} />}
      {node.open !== undefined && <Chevron id={node.id} open={node.open} x={width - CHEVRON} />}
    </g>
  );
}

export function cardWidth({ kind, name, pid = "", detail, state, open, count: many }: Drawn): WidthRange {
  if (kind === "count") {
    const number = widthOf(count(many ?? 0), NAME) + 45;
    return { least: number + 40, most: number + widthOf(name, SMALL) };
  }
  const left = textFrom(state);
  const right = open === undefined ? PAD : CHEVRON + 4;
  const below = (text: string) => left + widthOf(`${said(kind, state)} ${text}`.trim(), SMALL) + PAD + 2;
  const above = left + widthOf(name, NAME) + 10 + widthOf(pid, SMALL) + right;
  const least = Math.max(above, below(partsOf(detail)[0] as string));
  return { least, most: Math.max(least, below(detail)) };
}

/** The state shown before the detail. A running worker shows its uptime instead; a connection has its state as name. */
function said(kind: Drawn["kind"], state: string | undefined): string {
  return state !== undefined && !(kind === "worker" && state === "running") ? state : "";
}

function textFrom(state: string | undefined): number {
  return state === undefined ? PAD : PAD + DOT;
}

function rightOf({ open }: Drawn): number {
  return open === undefined ? PAD : CHEVRON + 4;
}

function fittedName(node: Drawn, width: number): string {
  const { name, pid = "", state } = node;
  return fitted(name, NAME, width - textFrom(state) - rightOf(node) - widthOf(pid, SMALL) - 8);
}

function fittedDetail({ kind, state, detail }: Drawn, width: number): string {
  const word = said(kind, state);
  const before = word === "" ? 0 : widthOf(`${word} `, SMALL);
  return fittedParts(detail, SMALL, width - textFrom(state) - PAD - before);
}

function Process({ node, width }: { node: Drawn; width: number }) {
  const { pid, state, kind } = node;
  const left = textFrom(state);
  const right = rightOf(node);
  const word = said(kind, state);
  return (
    <>
      {state !== undefined && <circle class={`dot ${toneOf(state)}`} cx={PAD + 3} cy="15" r="3.5" />}
      <text class="name" x={left} y="19">
        {fittedName(node, width)}
      </text>
      <text class="pid" x={width - right} y="19" text-anchor="end">
        {pid}
      </text>
      <text class="detail" x={left} y="35">
        {word !== "" && <tspan class={toneOf(state)}>{`${word} `}</tspan>}
        {fittedDetail(node, width)}
      </text>
    </>
  );
}

function Count({ node, width }: { node: Drawn; width: number }) {
  const number = count(node.count ?? 0);
  const left = 14;
  const taken = widthOf(number, NAME) + 7;
  return (
    <>
      <text class="name" x={left} y="19.5">
        {number}
      </text>
      <text class="detail" x={left + taken} y="19.5">
        {fitted(node.name, SMALL, width - left - taken - 24)}
      </text>
      <path class="chevron" d={`M${width - 18} 11l4 4l-4 4`} />
    </>
  );
}

/** Button to open and close a branch by mouse or touch; the keyboard has the arrow keys. */
function Chevron({ id, open, x }: { id: string; open: boolean; x: number }) {
  const toggle = (event: Event) => {
    event.stopPropagation();
    setOpen(id, !open);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the treeitem around it does the same with its arrow keys
    <g class="toggle" onClick={toggle}>
      <rect class="touch" x={x - 6} y="0" width="28" height="44" />
      <path class="chevron" d={open ? `M${x + 3} 13l4 4l4 -4` : `M${x + 5} 11l4 4l-4 4`} />
    </g>
  );
}

/**
 * The aria-label. It begins with the visible text in the same order and with the same cuts, for users of speech input;
 * then come the parts that are not visible.
 */
function ariaLabel(node: Drawn, width: number): string {
  const { kind, name, pid, state, detail, count: many } = node;
  if (kind === "count") return `${count(many ?? 0)} ${name}: opens the list`;
  const word = said(kind, state);
  const fits = fittedDetail(node, width);
  // Parts that are dropped whole come behind those that are seen; a detail that is cut within a part is said again.
  const seen = `${word} ${fits.endsWith("…") ? fits : detail}`.trim();
  const more = word === "" ? state : undefined;
  const short = fittedName(node, width);
  const whole = [short === name ? "" : name, fits.endsWith("…") ? detail : ""];
  const kindSaid = kind === "connection" ? "connection" : "";
  return [kindSaid, short, pid, seen, more, ...whole].filter((part) => part).join(", ");
}
