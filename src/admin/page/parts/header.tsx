/** Header: name, status, address, connections, restarts left, uptime. */
import { useEffect } from "preact/hooks";
import { tokenDialog } from "../live/dialog-state.js";
import { useObservable } from "../live/observable.js";
import { info, link, stats } from "../live/server-state.js";
import { count, duration } from "../model/format.js";
import { token } from "../net/token.js";
import { State } from "./state-label.js";

export function Header() {
  const about = useObservable(info);
  const now = useObservable(stats);
  const state = useObservable(link).state;
  const status =
    state === "live" ? (now?.status ?? "starting") : state === "lost" ? "unreachable" : "connecting";
  useEffect(() => {
    document.title = about ? `${about.name}: ${status}` : "drover";
  }, [about?.name, status]);
  return (
    <header>
      <h1>{about?.name ?? "drover"}</h1>
      <State state={status} />
      {about && (
        <span class="where">
          {about.listeners.length > 1 ? (
            `${count(about.listeners.length)} listeners`
          ) : (
            <>
              {about.protocol} on <span class="mono">{about.address}</span>
            </>
          )}
        </span>
      )}
      <dl class="figures">
        <Figure name="Connections" value={now && count(now.totals.active)} />
        <Figure
          name="Restarts left"
          value={now && count(now.restartsLeft)}
          alarming={now?.restartsLeft === 0}
        />
        <div>
          <dt>Uptime</dt>
          <dd>
            <Uptime />
          </dd>
        </div>
      </dl>
      <TokenButton />
    </header>
  );
}

function Figure({
  name,
  value,
  alarming = false,
}: {
  name: string;
  value: string | undefined;
  alarming?: boolean;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={alarming ? "bad" : ""}>{value ?? "–"}</dd>
    </div>
  );
}

function Uptime() {
  const about = useObservable(info);
  const { state } = useObservable(link);
  // Rendered again with each update of the stats, once a second.
  useObservable(stats);
  if (!about) return <>–</>;
  const since = state === "live" ? Date.now() - about.receivedAt : 0;
  return <>{duration(Math.floor(about.uptimeSeconds + since / 1000) * 1000)}</>;
}

function TokenButton() {
  const has = useObservable(token) !== undefined;
  return (
    <button type="button" class="quiet" onClick={() => tokenDialog.set({ why: undefined })}>
      {has ? "Changes allowed" : "Read-only"}
    </button>
  );
}
