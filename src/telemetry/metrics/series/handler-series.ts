/** Histogram of the duration of handlers. */
import { HANDLER_BOUNDS } from "../../../tcp/observe/events.js";
import { HANDLER_BUCKETS } from "../snapshot.js";
import type { ListenerTotals } from "../worker-totals.js";
import { ofListeners, type Sample, type SeriesRow } from "./series-row.js";

/** Exported only with `--handler-latency on`. */
export const HANDLER_SECONDS: SeriesRow = {
  name: "drover_handler_seconds",
  help: "Duration of the protocol's handlers, async ones until they settled.",
  kind: "histogram",
  labels: ["worker", "listener", "le"],
  samples: (state) =>
    ofListeners(state).flatMap(([worker, { name }, totals]) => handlerSamples([worker, name], totals)),
};

/** Cumulative histogram buckets, sum and count. */
function handlerSamples(labels: Sample[0], totals: ListenerTotals): Sample[] {
  let count = 0;
  const buckets = HANDLER_BUCKETS.map((name, at): Sample => {
    count += totals.total(name);
    return [[...labels, HANDLER_BOUNDS[at] ?? "+Inf"], count, "_bucket"];
  });
  return [...buckets, [labels, totals.total("handlerSeconds"), "_sum"], [labels, count, "_count"]];
}
