/** The program as a whole: what it says of itself, and what can be done with all of it. */
import type { ComponentChildren } from "preact";
import { request } from "../../live/dialog-state.js";
import { useCell } from "../../live/observable.js";
import { draining, resuming, scaling, suspending } from "../../live/operator-actions.js";
import { selected } from "../../live/selection.js";
import { info, stats } from "../../live/server-state.js";
import { bytes, count, duration } from "../../model/format.js";
import { State } from "../state-label.js";

export function ProgramPanel({ closable }: { closable: boolean }) {
  const about = useCell(info);
  const now = useCell(stats);
  const status = now?.status;
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
          ]}
        />
      )}
      <h3>Workers</h3>
      <Workers />
      {about && (
        <>
          <h3>Program</h3>
          <Pairs
            rows={[
              ["version", about.version],
              ["node", about.node],
              ["os pid", String(about.osPid)],
              ["protocol", about.protocol],
              ["listens on", about.address],
              ["admin", about.admin],
              ["transport", about.transport],
            ]}
          />
        </>
      )}
    </>
  );
}

export function Pairs({ rows }: { rows: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  if (rows.length === 0) return null;
  return (
    <dl class="pairs">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Workers() {
  const workers = useCell(stats)?.workers ?? [];
  return (
    <ul class="workers">
      {workers.map((one) => (
        <li key={one.worker}>
          <div>
            <strong>worker {one.worker}</strong> <State state={one.state} />
            <span class="number">{count(one.active)}</span>
          </div>
          <p class="muted">
            {bytes(one.residentBytes)}, lag{" "}
            {one.loopLagMs < 10 ? one.loopLagMs.toFixed(1) : count(one.loopLagMs)} ms
            {one.restarts > 0 && `, restarted ${count(one.restarts)}`}
            {one.crashes > 0 && `, ${count(one.crashes)} crashes`}
            {(one.snapshotAgeMs ?? 0) > 3_000 && `, silent for ${duration(one.snapshotAgeMs ?? 0)}`}
          </p>
        </li>
      ))}
    </ul>
  );
}
