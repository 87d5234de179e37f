/** `drover state`: state and data of a process. */
import type { StateView } from "../../../control/tree.js";
import { escapeControls } from "../../../text/escape.js";
import { get } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";
import { fieldTable } from "../../terminal/table.js";
import { pidArgument } from "../pid-argument.js";

export async function state({ target, positionals: [text = ""], json }: Invocation): Promise<string> {
  const view = (await get(target, `/state/${encodeURIComponent(pidArgument(text))}`)) as StateView;
  if (json) return jsonText(view);
  const { pid, name, state, data, status } = view;
  const head = fieldTable({ pid, name, ...(state !== undefined && { state }), ...status });
  // A supervisor or a listener has no data.
  if (data === "undefined") return head;
  const lines = data.split("\n").map((line) => `  ${escapeControls(line)}\n`);
  return `${head}data\n${lines.join("")}`;
}
