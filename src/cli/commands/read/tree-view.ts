/** Process tree as text, after the picture that OTP's appmon draws. */
import type { TreeNode } from "../../../control/tree.js";
import { escapeControls } from "../../../text/escape.js";
import { cut } from "../../terminal/table.js";

/** Minimum start of the right column, so that it does not move while connections open and close. */
const DETAIL_COLUMN = 37;
const GAP = 2;

interface Row {
  readonly left: string;
  readonly detail: string;
}

/** @param columns of the terminal, when there is one: longer lines are cut */
export function renderTree(root: TreeNode, columns = Number.POSITIVE_INFINITY): string {
  const rows = [{ left: titleOf(root), detail: escapeControls(root.detail) }, ...rowsBelow(root, "")];
  const widest = rows.reduce((most, { left, detail }) => Math.max(most, detail === "" ? 0 : left.length), 0);
  const at = Math.max(DETAIL_COLUMN, widest + GAP);
  const lines = rows.map(({ left, detail }) => cut((left.padEnd(at) + detail).trimEnd(), columns));
  return `${lines.join("\n")}\n`;
}

function rowsBelow(node: TreeNode, indent: string): Row[] {
  const more = node.more ?? 0;
  const rows = node.children.flatMap((child, at) => {
    return rowsOf(child, indent, at === node.children.length - 1 && more === 0);
  });
  if (more > 0) rows.push({ left: `${indent}└── … and ${more} more`, detail: "" });
  return rows;
}

function rowsOf(node: TreeNode, indent: string, last: boolean): Row[] {
  const corner = last ? "└" : "├";
  const trunk = last ? " " : "│";
  // The branch of a worker is not joined to its children: they run in another OS process.
  const joined = node.kind !== "worker" && (node.children.length > 0 || (node.more ?? 0) > 0);
  const below = rowsBelow(node, `${indent}${trunk}${node.kind === "worker" ? "   " : " "}`);
  const left = `${indent}${corner}${joined ? "─┬" : "──"} ${titleOf(node)}`;
  return [{ left, detail: escapeControls(node.detail) }, ...below];
}

function titleOf({ pid, name, kind, state, osPid }: TreeNode): string {
  const words = [pid, name];
  // A listener has its state in the right column, beside its address.
  if (kind === "connection" && state !== undefined) words.push(state);
  if (osPid !== undefined) words.push(`(os ${osPid})`);
  return escapeControls(words.join(" "));
}
