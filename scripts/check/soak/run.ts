// One soak: steady mixed load, samples at equal times, and a verdict on the trends after the warm-up.
import { Crowd, routes } from "../chaos/crowd.js";
import { descriptors } from "../chaos/os-processes.js";
import { pause, Server } from "../chaos/server.js";
import { Watch } from "../chaos/watch.js";
import { type Judgement, judge } from "./judge.js";
import { activeTimers, COUNTED } from "./timers.js";
import type { Figures, Sample } from "./trend.js";

/** About a third of a core for all OS processes together. */
const CLIENTS = 60;
const PACE = { replyMs: 200, visitMs: 500 };
const MIB = 2 ** 20;
/**
 * @param sampled called after each sample, with all of them so far
 * @param stop ends the soak before its time
 */
export async function soak(
  root: string,
  seconds: number,
  say: (line: string) => void,
  sampled: (figures: Figures) => void,
  stop: AbortSignal,
): Promise<Judgement> {
  const server = await Server.open(root, { protocol: COUNTED });
  try {
    await server.start();
    const [crowd, watch] = [new Crowd(routes(server.ports), PACE), new Watch(server)];
    const figures: Figures = new Map();
    watch.start();
    crowd.start(CLIENTS);
    const started = performance.now();
    const every = Math.max(2_000, (seconds * 1_000) / 500);
    for (;;) {
      await pause(every);
      const at = (performance.now() - started) / 1_000;
      await sample(server, crowd, at, figures);
      sampled(figures);
      if (stop.aborted || at >= seconds) break;
    }
    await crowd.stop();
    await watch.stop();
    say(`${crowd.tally.echoed} frames verified, ${crowd.tally.opened} connections, ${crowd.lost} lost`);
    const lost = crowd.lost > 0 ? [`${crowd.lost} connections lost without a fault`] : [];
    const { lines, violations } = judge(figures, (performance.now() - started) / 1_000);
    return { lines, violations: [...crowd.violations, ...watch.violations, ...lost, ...violations] };
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
  for (const [osPid, count] of await activeTimers(server.ports.main, workers.length)) {
    const place = workers.find((one) => one.osPid === osPid);
    if (place) put("active timers", `worker ${place.worker}`, count);
  }
  put("p99, ms", "echo", crowd.latency.take().percentile(99));
}
