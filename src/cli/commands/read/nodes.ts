/** `drover nodes`: the servers that share groups and names with this one. */
import type { NodeList } from "../../../control/nodes.js";
import { durationText } from "../../../text/duration.js";
import { escapeControls } from "../../../text/escape.js";
import { get } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";

export async function nodes({ target, json }: Invocation): Promise<string> {
  const list = (await get(target, "/nodes")) as NodeList;
  if (json) return jsonText(list);
  const rows = [
    ["NODE", "STATE", "FOR"],
    [list.node, "this server", ""],
    ...list.nodes.map(({ node, state, seconds }) => [node, state, durationText(seconds * 1_000, 1)]),
  ].map((row) => row.map(escapeControls));
  const width = Math.max(...rows.map(([node = ""]) => node.length));
  const lines = rows.map(([node = "", state = "", since = ""]) =>
    `${node.padEnd(width)}  ${state.padEnd(11)}  ${since}`.trimEnd(),
  );
  return `${lines.join("\n")}\n${carrierText(list.carrier)}\n`;
}

function carrierText({ name, up, server, roundTrip }: NodeList["carrier"]): string {
  if (!up) return `${name} is down: groups and names are those of this server alone`;
  return `${name} ${server ?? ""}${roundTrip === undefined ? "" : ` ${roundTrip.toFixed(1)} ms`}`;
}
