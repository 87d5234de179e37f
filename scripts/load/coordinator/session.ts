// One call of the command, from its settings to all that there is to say about it.
import type { LoadOptions } from "../both-sides/options.js";
import type { LoadResult, Progress, Tally } from "../both-sides/result.js";
import type { Settings } from "../command-line/arguments.js";
import { judge, type Verdict } from "../command-line/expectations.js";
import { type Ramp, ramp, type Step } from "./capacity-ramp.js";
import { Generators } from "./generator-pool.js";
import { type Machine, thisMachine, watchCores } from "./machine.js";
import { type ServerReport, ServerWatch } from "./server-metrics.js";
import { type Point, Timeline } from "./timeline.js";

export interface Report {
  startedAt: Date;
  settings: Settings;
  /** As somebody else would type it. */
  command: string;
  machine: Machine;
  /** The part of all cores that was busy, 0 to 1. */
  coresBusy: number;
  /** In mode ramp, that of the last step that held. */
  result: LoadResult;
  /** All that was sent, in all steps. */
  totals: Tally;
  timeline: Point[];
  server: ServerReport | undefined;
  steps: Step[];
  verdicts: Verdict[];
}

export interface Calls {
  /** The module to fork for generator processes. */
  entry: string;
  command: string;
  signal: AbortSignal;
  /** Once a second while connections are opened, which takes a while when they are many. */
  onOpening(opened: number): void;
  onPoint(point: Point): void;
}

export async function runSession(
  settings: Settings,
  { entry, command, signal, onOpening, onPoint }: Calls,
): Promise<Report> {
  const startedAt = new Date();
  const watch = settings.admin === undefined ? undefined : await ServerWatch.open(settings.admin);
  const timeline = new Timeline();
  let told = Promise.resolve();
  const onProgress = (progress: Progress) => {
    told = told.then(async () => onPoint(timeline.add(progress, await watch?.sample())));
  };
  // Also where one is enough: what this process does once a second (percentiles, lines, the admin server) takes
  // milliseconds, in which a generator would be late.
  const crew = new Generators(entry, settings.processes);
  const once = async (options: LoadOptions) => {
    const result = await crew.run({ ...options, signal, onOpening, onProgress });
    await told;
    timeline.endRun(result.elapsedMs);
    return result;
  };
  const coresBusy = watchCores();
  const { result, steps, totals } =
    settings.mode === "ramp" ? await ramp(settings, once, signal) : await single(settings, once);
  const busy = coresBusy();
  await Promise.all([crew.end(), watch?.settle(totals)]);
  const capacity = steps.findLast((step) => step.held)?.rate;
  return {
    ...{ startedAt, settings, command, machine: thisMachine(), coresBusy: busy, result, totals, steps },
    timeline: timeline.points,
    server: watch?.report(timeline.serverCpu(), Date.now() - startedAt.getTime()),
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
