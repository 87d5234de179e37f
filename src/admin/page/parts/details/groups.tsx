/** The groups with most members, the exchange, and the other servers. */
import type { GroupList } from "../../../../control/groups.js";
import { useObservable } from "../../live/observable.js";
import { usePolled } from "../../live/polling.js";
import { tree } from "../../live/server-state.js";
import { count } from "../../model/format.js";
import { Nodes } from "./nodes.js";

/** Groups shown. */
const MOST = 10;
const EVERY = 3_000;

export function Groups() {
  const list = usePolled<GroupList>(`/groups?limit=${MOST}`, EVERY).value;
  const exchange = useObservable(tree)?.children.find(({ name }) => name === "exchange");
  return (
    <>
      <h3>Groups</h3>
      {exchange && <p class="muted">Exchange: {exchange.detail}</p>}
      {list && (
        <table class="groups">
          <caption class="muted">
            {list.total > MOST
              ? `${MOST} of ${count(list.total)}, most members first`
              : `${list.total} in all`}
          </caption>
          <tbody>
            {list.groups.map(({ name, members }) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  {name}
                </th>
                <td class="number">{count(members)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {exchange && exchange.children.length > 0 && <Nodes />}
    </>
  );
}
