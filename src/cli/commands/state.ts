/** `drover state`: what a process holds. */
import type { StateView } from "../../control/tree.js";
import { get } from "../client/client.js";
import type { Asked } from "../command.js";
import { printable, printableJson } from "../terminal/printable.js";
import { record } from "../terminal/table.js";
import { pidFrom } from "./actions.js";

export async function state({ target, positionals: [text = ""], json }: Asked): Promise<string> {
  const view = (await get(target, `/state/${encodeURIComponent(pidFrom(text))}`)) as StateView;
  if (json) return `${printableJson(view)}\n`;
  const { pid, name, state, data, status } = view;
  const head = record({ pid, name, ...(state !== undefined && { state }), ...status });
  // A supervisor or a listener holds nothing of its own.
  if (data === "undefined") return head;
  const lines = data.split("\n").map((line) => `  ${printable(line)}\n`);
  return `${head}data\n${lines.join("")}`;
}
