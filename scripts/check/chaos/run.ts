// One run: load, faults one after the other, and the final checks.
import { Random } from "../fuzz/random.js";
import type { Plan } from "./arguments.js";
import { Crowd, PATIENCE_MS, routes } from "./crowd.js";
import type { Fault } from "./faults/fault.js";
import { sequence } from "./faults/faults.js";
import { finalChecks, steadyDescriptors } from "./final-checks.js";
import { Recovery } from "./recovery.js";
import { pause, Server } from "./server.js";
import { Watch } from "./watch.js";

const CLIENTS = 100;
/** Small, so that a heap is exhausted in a moment and not in gigabytes. */
const HEAP_MIB = 192;

export interface Verdict {
  readonly violations: readonly string[];
  /** What was done and seen, as text. */
  readonly report: string;
}

interface Run {
  readonly server: Server;
  readonly crowd: Crowd;
  readonly watch: Watch;
  readonly recovery: Recovery;
}

/** @param stop ends the run before its time */
export async function chaos(
  root: string,
  plan: Plan,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<Verdict> {
  const server = await Server.open(root, { heapMiB: HEAP_MIB });
  try {
    await server.startMeasured();
    if (server.slowness > 1)
      say(`a slow machine: every time is ${server.slowness.toFixed(1)} times as long as usual`);
    return await underLoad(server, plan, say, stop);
  } finally {
    await server.remove();
  }
}

async function underLoad(
  server: Server,
  { seed, seconds, only }: Plan,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<Verdict> {
  const crowd = new Crowd(routes(server.ports), { patienceMs: server.patience(PATIENCE_MS) });
  const [watch, recovery] = [new Watch(server), new Recovery(server, crowd)];
  await crowd.probe();
  const before = await steadyDescriptors(server);
  watch.start();
  crowd.start(CLIENTS);
  const violations: string[] = [];
  const end = performance.now() + seconds * 1000;
  let count = 0;
  for (const fault of sequence(new Random(seed), only)) {
    const seen = [...violations, ...crowd.violations, ...watch.violations];
    if (stop.aborted || performance.now() >= end || seen.length > 0) break;
    const random = new Random(seed + ++count);
    if (fault.isPossible?.(server) === false) {
      say(`${count} ${fault.name}: not possible here`);
      continue;
    }
    await pause(200 + random.below(500));
    const result = await once({ server, crowd, watch, recovery }, fault, random);
    say(
      `${count} ${fault.name}: ${[result.wrong, ...crowd.violations, ...watch.violations].find(Boolean) ?? `recovered in ${result.seconds.toFixed(2)} s`}`,
    );
    if (result.wrong) violations.push(`${count} ${fault.name}: ${result.wrong}`);
  }
  await crowd.stop();
  await watch.stop();
  const unchecked = (error: Error) => [`the final checks could not be made: ${error.message}`];
  violations.push(...crowd.violations, ...(await finalChecks(server, watch, before).catch(unchecked)));
  const { opened, echoed } = crowd.tally;
  const summary = `${opened} connections, ${echoed} frames verified, ${crowd.lost} connections lost, ${watch.scrapes} scrapes`;
  return { violations, report: `${recovery.table()}\n\n${count} faults, ${summary}` };
}

/** Causes the fault and waits until it is over. */
async function once(run: Run, fault: Fault, random: Random) {
  const from = performance.now();
  try {
    return await causedAndOver(run, fault, random);
  } catch (error) {
    const wrong = `a request that is part of the fault failed: ${(error as Error).message}`;
    return { wrong, seconds: (performance.now() - from) / 1000 };
  }
}

async function causedAndOver({ server, crowd, watch, recovery }: Run, fault: Fault, random: Random) {
  const before = { lost: crowd.lost, workers: fault.endsWorker ? await server.someWorkers() : undefined };
  watch.primaryAway = fault.primaryAway ?? fault.endsPrimary ?? false;
  watch.primaryRefuses = fault.primaryRefuses ?? false;
  // While no program listens, a refusal is the answer that clients must get.
  crowd.refusalsExcused = fault.endsPrimary ?? false;
  try {
    const caused = await fault.cause(server, random);
    const since = performance.now();
    if (fault.endsPrimary) watch.startAgain();
    const wrong = caused ?? (await recovery.measure(fault, since, before));
    return { wrong, seconds: (performance.now() - since) / 1000 };
  } finally {
    watch.primaryAway = false;
    watch.primaryRefuses = false;
    crowd.refusalsExcused = false;
  }
}
