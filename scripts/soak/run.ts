// One soak: steady mixed load, samples at equal times, and a verdict on the trends after the warm-up.
import { Crowd, routes } from "../chaos/crowd.js";
import { descriptors } from "../chaos/os-processes.js";
import { pause, Server } from "../chaos/server.js";
import { Watch } from "../chaos/watch.js";
import { growth, type Sample, slope } from "./trend.js";

const CLIENTS = 100;
const MIB = 2 ** 20;
/** The bars: memory of a worker per hour, and the last quarter beside the first. */
const SLOPE_MIB = 1;
const P99_GROWTH = 1.25;
const SPARE_DESCRIPTORS = 5;
/** Below this one garbage collection, or one busy neighbour, decides slopes and p99: they are shown and not judged. */
const JUDGED_SECONDS = 1_800;

export type Figures = Map<string, Map<string, Sample[]>>;

export interface Outcome {
  readonly figures: Figures;
  readonly lines: readonly string[];
  readonly violations: readonly string[];
}

export async function soak(root: string, seconds: number, say: (line: string) => void): Promise<Outcome> {
  const server = await Server.open(root);
  try {
    await server.start();
    const [crowd, watch] = [new Crowd(routes(server.ports)), new Watch(server)];
    const figures: Figures = new Map();
    watch.start();
    crowd.start(CLIENTS);
    const started = performance.now();
    const every = Math.max(2_000, (seconds * 1_000) / 500);
    for (;;) {
      await pause(every);
      const at = (performance.now() - started) / 1_000;
      await sample(server, crowd, at, figures);
      if (at >= seconds) break;
    }
    await crowd.stop();
    await watch.stop();
    say(`${crowd.tally.echoed} frames verified, ${crowd.tally.opened} connections, ${crowd.lost} lost`);
    const lost = crowd.lost > 0 ? [`${crowd.lost} connections lost without a fault`] : [];
    return verdict(figures, seconds, [...crowd.violations, ...watch.violations, ...lost]);
  } finally {
    await server.remove();
  }
}

async function sample(server: Server, crowd: Crowd, seconds: number, figures: Figures): Promise<void> {
  const put = (figure: string, line: string, value: number) => {
    const lines = figures.get(figure) ?? new Map<string, Sample[]>();
    figures.set(figure, lines.set(line, [...(lines.get(line) ?? []), { seconds, value }]));
  };
  const { workers } = await server.stats();
  for (const { worker, osPid, residentBytes, heapUsedBytes } of workers) {
    put("resident memory, MiB", `worker ${worker}`, residentBytes / MIB);
    put("heap used, MiB", `worker ${worker}`, heapUsedBytes / MIB);
    put("descriptors", `worker ${worker}`, descriptors(osPid) ?? 0);
  }
  put("descriptors", "primary", descriptors(server.osPid) ?? 0);
  put("p99, ms", "echo", crowd.latency.take().percentile(99));
}

function verdict(figures: Figures, seconds: number, found: readonly string[]): Outcome {
  // Compiled code and pools grow at first: a fifth of the time, ten minutes at most.
  const warm = Math.min(seconds / 5, 600);
  const judged = seconds >= JUDGED_SECONDS;
  const [lines, violations] = [[] as string[], [...found]];
  for (const [figure, series] of figures)
    for (const [line, all] of series) {
      const samples = all.filter((one) => one.seconds >= warm);
      const [perHour, times] = [slope(samples), growth(samples)];
      const name = `${figure}: ${line}`;
      lines.push(
        `${name.padEnd(34)} ${perHour.toFixed(2)} an hour, last quarter ${times.toFixed(2)} of the first`,
      );
      if (judged && figure === "p99, ms" && times > P99_GROWTH)
        violations.push(`${name} grew ${times.toFixed(2)} times`);
      if (figure === "descriptors" && rise(samples) > SPARE_DESCRIPTORS)
        violations.push(`${name} rose by ${rise(samples)}`);
      if (judged && figure.includes("MiB") && perHour > SLOPE_MIB)
        violations.push(`${name} grows by ${perHour.toFixed(2)} MiB an hour`);
    }
  if (seconds < JUDGED_SECONDS)
    lines.push(`memory and p99 are judged in runs of ${JUDGED_SECONDS / 60} minutes and more`);
  return { figures, lines, violations };
}

/** Clients come and go, so the lowest of the last quarter stands beside the lowest of the first. */
function rise(samples: readonly Sample[]): number {
  const quarter = Math.max(1, samples.length >> 2);
  const least = (part: readonly Sample[]) => Math.min(...part.map(({ value }) => value));
  return least(samples.slice(-quarter)) - least(samples.slice(0, quarter));
}
