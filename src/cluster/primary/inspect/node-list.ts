/** The other servers of the cluster, from the last report of the exchange. */
import { Refusal } from "../../../control/errors.js";
import type { NodeList } from "../../../control/nodes.js";
import type { TreeNode } from "../../../control/tree.js";
import type { ExchangeNumbers } from "../../../exchange/exchange.js";
import { durationText } from "../../../text/duration.js";
import { plural } from "../../../text/plural.js";

type Numbers = ExchangeNumbers["nodes"];

/** @throws Refusal `conflict` where there is no cluster */
export function nodeList(numbers: Numbers): NodeList {
  if (!numbers)
    throw new Refusal(
      "conflict",
      "this server shares groups and names with no other one: start it with --nats, and a protocol that takes messages of groups or answers names",
    );
  const { node, carrier, nodes } = numbers;
  return { node, carrier, nodes };
}

/** `2 nodes up, NATS 0.4 ms, `, before what the exchange has; empty where there is no cluster. */
export function nodesText(numbers: Numbers): string {
  if (!numbers) return "";
  const { nodes, carrier } = numbers;
  const up = nodes.filter(({ state }) => state === "up").length;
  const time = carrier.roundTrip === undefined ? "up" : `${carrier.roundTrip.toFixed(1)} ms`;
  return `${plural(up, "node")} up, ${carrier.name} ${carrier.up ? time : "down"}, `;
}

/** The other servers, as children of the exchange. */
export function nodesAsTree(numbers: Numbers): TreeNode[] {
  return (numbers?.nodes ?? []).map(({ node, state, seconds, roundTrip }) => ({
    pid: `<@${node}>`,
    name: "node",
    kind: "process",
    detail: `${state} ${durationText(seconds * 1_000, 1)}${roundTrip === undefined ? "" : `, ${roundTrip.toFixed(1)} ms`}`,
    children: [],
  }));
}
