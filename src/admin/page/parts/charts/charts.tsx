/** Charts of the last 15 minutes, over all workers. */
import { clockTime } from "../../../../text/clock-time.js";
import { useObservable } from "../../live/observable.js";
import { history, historyVersion } from "../../live/server-state.js";
import { bytes, compact, count, roundBytes } from "../../model/format.js";
import { SPAN } from "../../model/history.js";
import { Chart } from "./chart.js";

const perSecond = (value: number) => `${compact(value)}/s`;
const bytesPerSecond = (value: number) => `${bytes(value)}/s`;
const milliseconds = (value: number) => `${value < 10 ? value.toFixed(1) : count(value)} ms`;

const POWERS = [...Array(12).keys()];
const WHOLE = POWERS.flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power));
const BINARY = [...Array(6).keys()].flatMap((power) =>
  [1, 2, 5, 10, 20, 50, 100, 200, 500].map((step) => step * 1024 ** power),
);

export function Charts() {
  return (
    <section class="card" aria-labelledby="charts-title">
      <div class="title">
        <h2 id="charts-title">Last 15 minutes</h2>
        <Since />
      </div>
      <div class="charts">
        <Chart
          title="Connections"
          lines={[{ measure: "active", name: "" }]}
          text={count}
          short={compact}
          steps={WHOLE}
        />
        <Chart
          title="Frames"
          lines={[
            { measure: "framesIn", name: "in" },
            { measure: "framesOut", name: "out" },
          ]}
          text={perSecond}
          short={compact}
          steps={WHOLE}
        />
        <Chart
          title="Bytes"
          lines={[
            { measure: "bytesIn", name: "in" },
            { measure: "bytesOut", name: "out" },
          ]}
          text={bytesPerSecond}
          short={roundBytes}
          steps={BINARY}
        />
        <Chart
          title="Event-loop lag, slowest worker"
          lines={[{ measure: "lag", name: "" }]}
          text={milliseconds}
          short={(value) => `${compact(value)} ms`}
          steps={WHOLE}
        />
        <Chart
          title="Worker memory"
          lines={[{ measure: "memory", name: "" }]}
          text={bytes}
          short={roundBytes}
          steps={BINARY}
        />
        <Chart
          title="Restarts, total"
          lines={[{ measure: "restarts", name: "" }]}
          text={count}
          short={compact}
          steps={WHOLE}
        />
      </div>
    </section>
  );
}

/** Start of the charts while the server has less than 15 minutes of history. */
function Since() {
  useObservable(historyVersion);
  const { first } = history;
  if (first === undefined || history.span >= SPAN) return null;
  return <span class="muted">since {clockTime(first)}</span>;
}
