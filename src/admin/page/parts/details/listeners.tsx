/** The listeners, where there are several: what each serves, its numbers, and actions. */
import type { ListenerStats } from "../../../../control/stats.js";
import { request } from "../../live/dialog-state.js";
import { useObservable } from "../../live/observable.js";
import { draining, resuming, suspending } from "../../live/operator-actions.js";
import { EVERYTHING, listed } from "../../live/selection.js";
import { stats } from "../../live/server-state.js";
import { count } from "../../model/format.js";
import { State } from "../state-label.js";

export function Listeners() {
  const listeners = useObservable(stats)?.listeners ?? [];
  if (listeners.length < 2) return null;
  return (
    <>
      <h3>Listeners</h3>
      <ul class="workers">
        {listeners.map((one) => (
          <Item key={one.listener} one={one} />
        ))}
      </ul>
    </>
  );
}

function Item({ one }: { one: ListenerStats }) {
  const { listener, protocol, address, active, maxConnections, tls, proxy, suspended } = one;
  const limit = maxConnections === null ? "" : ` of ${count(maxConnections)}`;
  return (
    <li>
      <div>
        <strong>{listener}</strong> <State state={stateOf(one)} />
        <span class="number">
          {count(active)}
          {limit}
        </span>
      </div>
      <p class="muted">
        {protocol} on <span class="mono">{address}</span>
        {tls && ", TLS"}
        {proxy && ", PROXY protocol"}
      </p>
      <div class="buttons">
        <button type="button" class="quiet" onClick={() => listed.set({ ...EVERYTHING, listener })}>
          Connections of {listener}
        </button>
        {suspended ? (
          <button type="button" class="quiet" onClick={() => request(resuming(listener))}>
            Resume {listener}
          </button>
        ) : (
          <>
            <button type="button" class="quiet" onClick={() => request(suspending(listener))}>
              Suspend {listener}
            </button>
            <button type="button" class="quiet" onClick={() => request(draining(one))}>
              Drain {listener}
            </button>
          </>
        )}
      </div>
    </li>
  );
}

/** `running` as in the tree. */
function stateOf({ suspended, acceptingWorkers }: ListenerStats): string {
  if (suspended) return "suspended";
  return acceptingWorkers > 0 ? "running" : "not accepting";
}
