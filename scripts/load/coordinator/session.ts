// One call of the command, from its settings to the report.
import { DEFAULTS, type LoadOptions } from "../both-sides/options.js";
import type { LoadResult, Progress, Tally } from "../both-sides/result.js";
import type { Settings } from "../command-line/arguments.js";
import { judge, type Verdict } from "../command-line/expectations.js";
import { type Ramp, ramp, type Step } from "./capacity-ramp.js";
import { GeneratorPool } from "./generator-pool.js";
import { LoadCpu } from "./load-cpu.js";
import { type Machine, thisMachine, watchCores } from "./machine.js";
import { ServerMetrics, type ServerReport } from "./server-metrics.js";
import { type Point, Timeline } from "./timeline.js";

export interface Report {
  startedAt: Date;
  settings: Settings;
  /** The command line that repeats the run. */
  command: string;
  machine: Machine;
  /** Busy share of all cores, 0 to 1. */
  coresBusy: number;
  /** Mode ramp: the result of the last step that passed. */
  result: LoadResult;
  /** Totals of all steps. */
  totals: Tally;
  timeline: Point[];
  server: ServerReport | undefined;
  steps: Step[];
  verdicts: Verdict[];
}

export interface SessionOptions {
  /** The module to fork for generator processes. */
  entry: string;
  command: string;
  signal: AbortSignal;
  /** Called once a second while connections are opened. */
  onOpening(opened: number): void;
  onPoint(point: Point): void;
}

export async function runSession(
  settings: Settings,
  { entry, command, signal, onOpening, onPoint }: SessionOptions,
): Promise<Report> {
  const startedAt = new Date();
  const watch = settings.admin === undefined ? undefined : await ServerMetrics.open(settings.admin);
  const cpu = watch && new LoadCpu(() => watch.sample());
  const timeline = new Timeline();
  let reported = Promise.resolve();
  const onProgress = (progress: Progress) => {
    reported = reported.then(async () => onPoint(timeline.add(progress, await watch?.sample())));
  };
  // Never in this process: its work once a second (percentiles, output, admin requests) takes milliseconds, which
  // would make a generator late.
  const generators = new GeneratorPool(entry, settings.processes);
  const once = async (options: LoadOptions) => {
    const { warmupMs = DEFAULTS.warmupMs, durationMs } = options;
    const onLoad = () => cpu?.begin(warmupMs, durationMs);
    const result = await generators.run({ ...options, signal, onOpening, onLoad, onProgress });
    await Promise.all([cpu?.end(), reported]);
    timeline.endRun(result.elapsedMs);
    return result;
  };
  const coresBusy = watchCores();
  const { result, steps, totals } =
    settings.mode === "ramp" ? await ramp(settings, once, signal) : await single(settings, once);
  const busy = coresBusy();
  await Promise.all([generators.end(), watch?.settle(totals)]);
  const capacity = steps.findLast((step) => step.held)?.rate;
  return {
    ...{ startedAt, settings, command, machine: thisMachine(), coresBusy: busy, result, totals, steps },
    timeline: timeline.points,
    server: watch?.report(cpu?.mean, Date.now() - startedAt.getTime()),
    verdicts: judge(settings.expect, result, capacity),
  };
}

async function single(
  { load }: Settings,
  once: (options: LoadOptions) => Promise<LoadResult>,
): Promise<Ramp> {
  const result = await once(load);
  return { result, steps: [], totals: result.tally };
}
