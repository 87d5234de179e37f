/** `drover state`: what a process holds. */

import { get } from "../client/client.js";
import type { Asked } from "../command.js";
import { printable, printableJson } from "../terminal/printable.js";
import { record } from "../terminal/table.js";
import { pidFrom } from "./actions.js";

interface StateView {
  readonly pid: string;
  readonly name: string;
  readonly state?: string;
  readonly data: string;
  readonly status: Readonly<Record<string, unknown>>;
}

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
