/** The tree of processes as text: what appmon draws, for a terminal. */
import type { TreeNode } from "../../control/tree.js";
import { printable } from "../terminal/printable.js";
import { cut } from "../terminal/table.js";

/** Where the right column begins at least: it stands still while connections come and go. */
const DETAIL_COLUMN = 37;
const GAP = 2;

interface Row {
  readonly left: string;
  readonly detail: string;
}

/** @param columns of the terminal, when there is one: longer lines are cut */
export function renderTree(root: TreeNode, columns = Number.POSITIVE_INFINITY): string {
  const rows = [{ left: titleOf(root), detail: printable(root.detail) }, ...rowsBelow(root, "")];
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
  // A worker's branch is not joined to its children: between them lies the border of an OS process.
  const joined = node.kind !== "worker" && (node.children.length > 0 || (node.more ?? 0) > 0);
  const below = rowsBelow(node, `${indent}${trunk}${node.kind === "worker" ? "   " : " "}`);
  const left = `${indent}${corner}${joined ? "─┬" : "──"} ${titleOf(node)}`;
  return [{ left, detail: printable(node.detail) }, ...below];
}

function titleOf({ pid, name, kind, state, osPid }: TreeNode): string {
  const words = [pid, name];
  // A listener says in the right column how it is, beside where it listens.
  if (kind === "connection" && state !== undefined) words.push(state);
  if (osPid !== undefined) words.push(`(os ${osPid})`);
  return printable(words.join(" "));
}
