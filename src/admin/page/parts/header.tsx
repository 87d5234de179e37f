/** Who this is and how it is, in one line. */
import { useEffect } from "preact/hooks";
import { tokenAsked } from "../live/dialog-state.js";
import { useCell } from "../live/observable.js";
import { info, link, stats } from "../live/server-state.js";
import { count, duration } from "../model/format.js";
import { token } from "../net/token.js";
import { State } from "./state-label.js";

export function Header() {
  const about = useCell(info);
  const now = useCell(stats);
  const state = useCell(link).state;
  const status =
    state === "live" ? (now?.status ?? "starting") : state === "lost" ? "not answering" : "connecting";
  useEffect(() => {
    document.title = about ? `${about.name}: ${status}` : "drover";
  }, [about?.name, status]);
  return (
    <header>
      <h1>{about?.name ?? "drover"}</h1>
      <State state={status} />
      {about && (
        <span class="where">
          {about.protocol} on <span class="mono">{about.address}</span>
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
          <dt>Up</dt>
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
  const about = useCell(info);
  const { state } = useCell(link);
  // Told each second, as a clock should be.
  useCell(stats);
  if (!about) return <>–</>;
  const since = state === "live" ? Date.now() - about.toldAt : 0;
  return <>{duration(Math.floor(about.uptimeSeconds + since / 1000) * 1000)}</>;
}

function TokenButton() {
  const has = useCell(token) !== undefined;
  return (
    <button type="button" class="quiet" onClick={() => tokenAsked.set({ why: undefined })}>
      {has ? "Changes allowed" : "Reading only"}
    </button>
  );
}
