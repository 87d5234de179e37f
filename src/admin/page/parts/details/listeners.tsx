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
  const { listener, protocol, address, active, maxConnections, tls, proxy, suspended, acceptQueue } = one;
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
        {(acceptQueue ?? 0) > 0 && `, ${count(acceptQueue ?? 0)} waiting`}
      </p>
      <div class="buttons">
        <Action verb="Connections" of={listener} onClick={() => listed.set({ ...EVERYTHING, listener })} />
        {suspended ? (
          <Action verb="Resume" of={listener} onClick={() => request(resuming(listener))} />
        ) : (
          <>
            <Action verb="Suspend" of={listener} onClick={() => request(suspending(listener))} />
            <Action verb="Drain" of={listener} onClick={() => request(draining(one))} />
          </>
        )}
      </div>
    </li>
  );
}

/** The name is for those who hear the button: they do not see under which listener it is. */
function Action({ verb, of, onClick }: { verb: string; of: string; onClick: () => void }) {
  return (
    <button type="button" class="quiet" aria-label={`${verb} ${of}`} onClick={onClick}>
      {verb}
    </button>
  );
}

/** `running` as in the tree. */
function stateOf({ suspended, acceptingWorkers }: ListenerStats): string {
  if (suspended) return "suspended";
  return acceptingWorkers > 0 ? "running" : "not accepting";
}
