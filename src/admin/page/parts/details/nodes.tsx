/** The other servers of the cluster: state and round trip of each, and the carrier between them. */
import type { NodeList, NodeView } from "../../../../control/nodes.js";
import { durationText } from "../../../../text/duration.js";
import { usePolled } from "../../live/polling.js";
import { State } from "../state-label.js";

const EVERY = 3_000;
const TONES = { up: "ok", joining: "warn", down: "bad" };

const msText = (ms: number | undefined) => (ms === undefined ? "" : `${ms.toFixed(1)} ms`);

export function Nodes() {
  const list = usePolled<NodeList>("/nodes", EVERY).value;
  if (!list) return null;
  const { node, carrier, nodes } = list;
  return (
    <>
      <h3>Nodes</h3>
      <p class="muted">
        {node}, {carrier.name} {carrier.up ? "up" : "down"}
        {carrier.up && carrier.roundTrip !== undefined && `, ${msText(carrier.roundTrip)}`}
      </p>
      {nodes.length > 0 && <NodeTable nodes={nodes} />}
    </>
  );
}

function NodeTable({ nodes }: { nodes: readonly NodeView[] }) {
  return (
    <table class="nodes" aria-label="Nodes">
      <thead>
        <tr class="muted">
          <th scope="col">Node</th>
          <th scope="col">State</th>
          <th scope="col">Round trip</th>
        </tr>
      </thead>
      <tbody>
        {nodes.map(({ node, state, seconds, roundTrip }) => (
          <tr key={node}>
            <th scope="row" class="mono">
              {node}
            </th>
            <td>
              <State state={state} tone={TONES[state]} /> {durationText(seconds * 1_000)}
            </td>
            <td>{msText(roundTrip)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
