/** Metrics of the admin server: changes of the running program that were asked for from outside. */
import { counter, type SeriesRow } from "./series-row.js";

export const ADMIN_SERIES: readonly SeriesRow[] = [
  {
    ...counter(
      "drover_admin_changes_total",
      "Changes asked for from outside (kill, scale, drain …), by action, way and result: ok, refused or failed.",
      ["action", "via", "result"],
    ),
    samples: ({ adminChanges }) => [...adminChanges.values()].map(({ labels, count }) => [labels, count]),
  },
];
