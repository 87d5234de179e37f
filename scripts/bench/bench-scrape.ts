// node scripts/run.mjs bench-scrape [--workers N] [--rounds N]: how long a scrape blocks the primary's event loop.
// Exit code 1 when the median misses the target.
import { parseArgs } from "node:util";
import { CLOSE_REASONS, REFUSE_REASONS } from "../../src/tcp/observe/events.js";
import { Metrics } from "../../src/telemetry/metrics/metrics.js";
import {
  LISTENER_GAUGES,
  LISTENER_TOTALS,
  type Snapshot,
  WORKER_GAUGES,
  WORKER_TOTALS,
} from "../../src/telemetry/metrics/snapshot.js";

/** Target for the median in milliseconds, with 16 workers. */
const TARGET = 5;

const { values } = parseArgs({
  options: { workers: { type: "string", default: "16" }, rounds: { type: "string", default: "500" } },
});
const workers = Number(values.workers);

const metrics = new Metrics({
  version: "0",
  listeners: [{ name: "main", protocol: "echo", address: "[::]:2222" }],
  transport: "handle",
});
metrics.restartsLeft("drover", 5);

/** Numbers with as many digits as those of a server that has run for weeks. */
function snapshot(worker: number): Snapshot {
  const numbers = (names: readonly string[]) =>
    Object.fromEntries(names.map((name, at) => [name, 123_456_789_012 + worker * 1_000 + at]));
  return {
    totals: numbers(WORKER_TOTALS),
    gauges: numbers(WORKER_GAUGES),
    listeners: [
      {
        totals: numbers(LISTENER_TOTALS),
        gauges: numbers(LISTENER_GAUGES),
        closed: numbers(CLOSE_REASONS),
        refused: numbers(REFUSE_REASONS),
      },
    ],
  } as unknown as Snapshot;
}

for (let worker = 1; worker <= workers; worker++) {
  metrics.workerState(worker, "running");
  metrics.restarted("drover", `worker ${worker}`, 0);
  metrics.update(worker, snapshot(worker));
}

const times: number[] = [];
let text = "";
for (let round = 0; round < Number(values.rounds); round++) {
  const before = performance.now();
  // Never waits: it completes before the event loop handles the next timer or socket.
  text = await metrics.render();
  times.push(performance.now() - before);
}

const sorted = times.toSorted((a, b) => a - b);
const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number;
const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
console.log(`${workers} workers, ${lines} series, ${text.length} bytes`);
console.log(
  `first ${times[0]?.toFixed(2)} ms, median ${at(0.5).toFixed(2)} ms, 99% ${at(0.99).toFixed(2)} ms`,
);
if (at(0.5) > TARGET) process.exitCode = 1;
