/** Details of the whole program: actions, totals, workers, version and addresses. */
import { request } from "../../live/dialog-state.js";
import { useObservable } from "../../live/observable.js";
import { draining, resuming, scaling, suspending } from "../../live/operator-actions.js";
import { selected } from "../../live/selection.js";
import { earlierStats, info, stats } from "../../live/server-state.js";
import { bytes, count, duration } from "../../model/format.js";
import { cpuText, queueText, reasonRows } from "../../model/rates.js";
import { State } from "../state-label.js";
import { Groups } from "./groups.js";
import { Listeners } from "./listeners.js";
import { Pairs } from "./pairs.js";

export function ProgramPanel({ closable }: { closable: boolean }) {
  const about = useObservable(info);
  const now = useObservable(stats);
  const before = useObservable(earlierStats);
  const status = now?.status;
  const queue = now && queueText(now, before);
  const closed = status === "suspended" || status === "draining" || status === "drained";
  return (
    <>
      <div class="title">
        <h2>Server</h2>
        {closable && (
          <button type="button" class="quiet close" onClick={() => selected.set(undefined)}>
            Close
          </button>
        )}
      </div>
      <div class="buttons">
        {closed ? (
          <button type="button" onClick={() => request(resuming())}>
            Resume
          </button>
        ) : (
          <button type="button" onClick={() => request(suspending())}>
            Suspend
          </button>
        )}
        <button type="button" onClick={() => request(draining())}>
          Drain
        </button>
        <button type="button" onClick={() => request(scaling())}>
          Scale
        </button>
      </div>
      {now && (
        <Pairs
          rows={[
            ["accepted", count(now.totals.accepted)],
            ["closed", count(now.totals.closed)],
            ["crashes", count(now.totals.crashes)],
            ["restarts", count(now.totals.restarts)],
            ["restarts left", count(now.restartsLeft)],
            ...(queue === undefined ? [] : [["accept queue", queue] as const]),
          ]}
        />
      )}
      <h3>Workers</h3>
      <Workers />
      <Listeners />
      {about?.groups && <Groups />}
      <Reasons title="Closes by reason" kind="closedBy" />
      <Reasons title="Refusals by reason" kind="refusedBy" />
      {about && (
        <>
          <h3>Program</h3>
          <Pairs
            rows={[
              ["version", about.version],
              ["Node.js", about.node],
              ["os pid", String(about.osPid)],
              ...(about.listeners.length > 1
                ? []
                : ([
                    ["protocol", about.protocol],
                    ["listens on", about.address],
                    ["transport", about.transport],
                  ] as const)),
              ["admin", about.admin],
            ]}
          />
        </>
      )}
    </>
  );
}

function Reasons({ title, kind }: { title: string; kind: "closedBy" | "refusedBy" }) {
  const now = useObservable(stats);
  const before = useObservable(earlierStats);
  const rows = now ? reasonRows(kind, now, before) : [];
  if (rows.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <Pairs rows={rows} />
    </>
  );
}

function Workers() {
  const now = useObservable(stats);
  const before = useObservable(earlierStats);
  if (!now) return null;
  const { workers } = now;
  return (
    <ul class="workers">
      {workers.map((one) => (
        <li key={one.worker}>
          <div>
            <strong>worker {one.worker}</strong> <State state={one.state} />
            <span class="number">{count(one.active)}</span>
          </div>
          <p class="muted">
            CPU {cpuText(one, now, before) ?? "–"}, {bytes(one.residentBytes)}, loop lag{" "}
            {one.loopLagMs < 10 ? one.loopLagMs.toFixed(1) : count(one.loopLagMs)} ms
            {one.restarts > 0 && `, ${count(one.restarts)} ${one.restarts === 1 ? "restart" : "restarts"}`}
            {one.crashes > 0 && `, ${count(one.crashes)} ${one.crashes === 1 ? "crash" : "crashes"}`}
            {(one.snapshotAgeMs ?? 0) > 3_000 && `, no report for ${duration(one.snapshotAgeMs ?? 0)}`}
          </p>
        </li>
      ))}
    </ul>
  );
}
