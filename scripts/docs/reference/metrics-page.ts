/** Page of the reference: metrics, and the reasons for which connections end or are refused. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CLOSE_REASONS, REFUSE_REASONS } from "../../../src/tcp/observe/events.js";
import { GROUP_SERIES } from "../../../src/telemetry/metrics/series/group-series.js";
import { HANDLER_SECONDS } from "../../../src/telemetry/metrics/series/handler-series.js";
import { SERIES } from "../../../src/telemetry/metrics/series/metric-names.js";
import type { SeriesRow } from "../../../src/telemetry/metrics/series/series-row.js";
import { code, table } from "./markdown.js";

export function metricsPage(root: string): string {
  return [
    "`GET /metrics` on the admin port. The label `worker` is the worker slot, 0 is the primary. No total falls when a worker is replaced. The page on [metrics](metrics.md) says which ones to know.",
    "## Series",
    series(SERIES),
    "## Where a protocol has groups or names",
    series(GROUP_SERIES),
    "## With `--handler-latency on`",
    series([HANDLER_SECONDS]),
    "## Reasons of closed connections",
    "Label `reason` of `drover_connections_closed_total`; a protocol adds its own with `reasons`.",
    table(["reason", "meaning"], reasons(root)),
    "## Reasons of refused connections",
    `Label \`reason\` of \`drover_connections_refused_total\`: ${REFUSE_REASONS.map(code).join(", ")}.`,
  ].join("\n\n");
}

function series(rows: readonly SeriesRow[]): string {
  return table(
    ["metric", "type", "labels", "meaning"],
    rows.map(({ name, kind, labels, help }) => [code(name), kind, labels.map(code).join(" "), help]),
  );
}

/** The meanings stand in the README of the room telemetry, of several reasons in a row with a semicolon between. */
function reasons(root: string): string[][] {
  const text = readFileSync(join(root, "src/telemetry/README.md"), "utf8");
  const rows = [...text.matchAll(/^\| (`[^|]*`) \| ([^|]*) \|$/gm)];
  const meanings = new Map(
    rows.flatMap(([, names = "", meaning = ""]) => {
      const [reasons, parts] = [names.split(", "), meaning.split("; ")];
      return reasons.map((reason, at) => [
        reason,
        reasons.length === parts.length ? (parts[at] as string) : meaning,
      ]);
    }),
  );
  const meaningOf = (reason: string) => meanings.get(code(reason)) ?? "";
  return CLOSE_REASONS.map((reason) => [code(reason), meaningOf(reason)]);
}
