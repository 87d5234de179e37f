/** `drover nodes`: the servers that share groups and names with this one. */
import type { NodeList } from "../../../control/nodes.js";
import { durationText } from "../../../text/duration.js";
import { get } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";
import { table } from "../../terminal/table.js";

export async function nodes({ target, json }: Invocation): Promise<string> {
  const list = (await get(target, "/nodes")) as NodeList;
  if (json) return jsonText(list);
  const rows = [
    ["NODE", "STATE", "FOR", "ROUND TRIP"],
    [list.node, "this server"],
    ...list.nodes.map(({ node, state, seconds, roundTrip }) => [
      ...[node, state, durationText(seconds * 1_000, 1)],
      roundTrip === undefined ? "" : `${roundTrip.toFixed(1)} ms`,
    ]),
  ];
  return `${table(rows)}${carrierText(list.carrier)}\n`;
}

function carrierText({ name, up, server, roundTrip }: NodeList["carrier"]): string {
  if (!up) return `${name} is down: groups and names are those of this server alone`;
  return `${name} ${server ?? ""}${roundTrip === undefined ? "" : ` ${roundTrip.toFixed(1)} ms`}`;
}
