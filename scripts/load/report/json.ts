// The result as JSON (--json). Times are in milliseconds.
import { errorTotal, type LoadResult, perSecond } from "../both-sides/result.js";
import type { Report } from "../coordinator/session.js";
import { PERCENTILES } from "./format.js";
import { remarks } from "./table.js";

export function json(report: Report): string {
  const { settings, result, server, verdicts } = report;
  const { load, mode, processes } = settings;
  const { tally, elapsedMs, measured, due, proven } = result;
  const rate = perSecond(result);
  const value = {
    ok: passed(report),
    startedAt: report.startedAt,
    command: report.command,
    machine: { ...report.machine, coresBusy: report.coresBusy },
    options: { ...load, mode, processes },
    elapsedMs,
    throughput:
      mode === "connect"
        ? { connectionsPerSecond: rate }
        : { framesPerSecond: rate, payloadBytesPerSecond: rate * load.size },
    frames: { sent: tally.sent, echoed: tally.echoed, measured, due },
    connections: {
      asked: load.connections,
      opened: tally.opened,
      visits: tally.visits,
      cutOff: tally.cutOff,
      proven,
    },
    clients: mode === "mixed" ? tally.kinds : undefined,
    latencyMs: summary(result),
    latencyHistogram: {
      encoding: "HdrHistogram V2, compressed, base64",
      unitMs: 0.0001,
      data: result.latency.encoded(),
    },
    connectLatencyMs: percentiles(result.connectLatency),
    errors: { total: errorTotal(tally), ...tally.errors },
    wrongBytes: tally.wrongBytes,
    samples: tally.samples,
    generators: result.generators,
    generatorLatenessMs: percentiles(result.lateness),
    server,
    countsAgree: server && countsAgree(report),
    steps: report.steps.length > 0 ? report.steps : undefined,
    timeline: report.timeline,
    expected: verdicts.map(({ expectation, held, actual }) => ({ text: expectation.text, held, actual })),
    remarks: [...remarks(report), ...settings.notes],
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Any error fails a run, unless --expect says how many are allowed. */
export function passed({ result, settings, verdicts, steps }: Report): boolean {
  const named = settings.expect.some(({ metric }) => metric === "errors");
  // The last step of a ramp fails on purpose.
  const clean = named || errorTotal(result.tally) === 0;
  return (
    clean && verdicts.every(({ held }) => held) && (steps.length === 0 || steps.some(({ held }) => held))
  );
}

function countsAgree({ server, totals }: Report): boolean {
  if (!server) return false;
  return (
    server.accepted === totals.opened &&
    server.framesReceived === totals.sent &&
    server.framesSent === totals.echoed
  );
}

function summary({ latency }: LoadResult): Record<string, number> {
  return { ...percentiles(latency), mean: latency.meanMs };
}

function percentiles(histogram: LoadResult["latency"]): Record<string, number> {
  const entries = PERCENTILES.map((percent) => [`p${percent}`, histogram.percentile(percent)]);
  return { ...Object.fromEntries(entries), max: histogram.maxMs };
}
