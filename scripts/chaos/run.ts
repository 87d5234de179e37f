// One run: load, faults one after the other, and at the end the books, the descriptors and what is left.
import { Random } from "../fuzz/random.js";
import { Crowd, routes } from "./crowd.js";
import { sequence } from "./faults.js";
import { descendants, descriptors, signal, stillRuns } from "./os-processes.js";
import { Recovery } from "./recovery.js";
import { pause, Server } from "./server.js";
import { Watch } from "./watch.js";

const CLIENTS = 100;
/** Descriptors that an OS process may have more than before: a file of the log, a link that is being opened. */
const SPARE_DESCRIPTORS = 3;
/** Until workers that were replaced have closed their last descriptors. */
const SETTLE_MS = 5_000;
/** The shutdown of connections takes up to 2 s, and the workers' last reports a moment. */
const STOP_MS = 8_000;

export interface Verdict {
  readonly violations: readonly string[];
  readonly faults: number;
  readonly recoveries: string;
  readonly summary: string;
}

export interface Plan {
  readonly seconds: number;
  readonly seed: number;
  /** Only faults with this in their name. */
  readonly only: string;
}

export async function chaos(root: string, plan: Plan, say: (line: string) => void): Promise<Verdict> {
  const server = await Server.open(root);
  try {
    await server.start();
    return await underLoad(server, plan, say);
  } finally {
    await server.remove();
  }
}

async function underLoad(
  server: Server,
  { seed, seconds, only }: Plan,
  say: (line: string) => void,
): Promise<Verdict> {
  const [crowd, watch, recovery] = [new Crowd(routes(server.ports)), new Watch(server), new Recovery()];
  await crowd.probe();
  const before = await mostDescriptors(server);
  watch.start();
  crowd.start(CLIENTS);
  const violations: string[] = [];
  const end = performance.now() + seconds * 1000;
  let count = 0;
  for (const fault of sequence(new Random(seed), only)) {
    if (performance.now() >= end || violations.length > 0 || crowd.violations.length > 0) break;
    const random = new Random(seed + ++count);
    await pause(200 + random.below(500));
    const at = { lost: crowd.lost, workers: fault.endsWorker ? await server.workers() : undefined };
    watch.primaryAway = fault.primaryAway ?? false;
    const caused = await fault.cause(server, random);
    const since = performance.now();
    const wrong = caused ?? (await recovery.measure(fault.name, server, crowd, since, at));
    watch.primaryAway = false;
    const seen = [...(wrong ? [wrong] : []), ...crowd.violations, ...watch.violations];
    say(
      `${count} ${fault.name}: ${seen[0] ?? `recovered in ${((performance.now() - since) / 1000).toFixed(2)} s`}`,
    );
    if (wrong) violations.push(`${count} ${fault.name}: ${wrong}`);
    if (watch.violations.length > 0) break;
  }
  await crowd.stop();
  await watch.stop();
  violations.push(...crowd.violations, ...(await books(watch)), ...(await settled(server, before)));
  violations.push(...watch.violations, ...(await ended(server, watch)));
  const { opened, echoed } = crowd.tally;
  const summary = `${opened} connections, ${echoed} frames verified, ${crowd.lost} connections lost, ${watch.scrapes} scrapes`;
  return { violations, faults: count, recoveries: recovery.table(), summary };
}

async function mostDescriptors(server: Server): Promise<{ primary: number; worker: number }> {
  const workers = (await server.workers()).map((osPid) => descriptors(osPid) ?? 0);
  return { primary: descriptors(server.osPid) ?? 0, worker: Math.max(...workers) };
}

/** All connections are closed, and each was counted. */
async function books(watch: Watch): Promise<string[]> {
  const end = performance.now() + SETTLE_MS;
  for (;;) {
    const found = await watch.look();
    if (found?.active === 0) return [];
    if (performance.now() > end)
      return [`${found?.active ?? "?"} connections are active after all clients have gone`];
    await pause(100);
  }
}

/** Descriptors are back to the level before, and no child is a zombie. */
async function settled(server: Server, before: { primary: number; worker: number }): Promise<string[]> {
  const end = performance.now() + SETTLE_MS;
  for (;;) {
    const now = await mostDescriptors(server);
    const zombies = descendants(server.osPid).filter(({ state }) => state === "Z").length;
    const wrong = (["primary", "worker"] as const)
      .filter((who) => now[who] > before[who] + SPARE_DESCRIPTORS)
      .map((who) => `${now[who]} descriptors of a ${who}, ${before[who]} before`);
    if (zombies > 0) wrong.push(`${zombies} zombies`);
    if (wrong.length === 0 || performance.now() > end) return wrong;
    await pause(100);
  }
}

/** A stop ends with 0, and no OS process of the server is left. */
async function ended(server: Server, watch: Watch): Promise<string[]> {
  signal(server.osPid, "SIGTERM");
  const code = await Promise.race([server.exited(), pause(STOP_MS).then(() => "late" as const)]);
  const left = watch.seen.filter(stillRuns).map(({ osPid }) => osPid);
  const wrong =
    code === 0 ? [] : [code === "late" ? `no end within ${STOP_MS / 1000} s` : `exit code ${code}`];
  if (left.length > 0) wrong.push(`OS processes left: ${left.join(", ")}`);
  for (const osPid of left) signal(osPid, "SIGKILL");
  return wrong;
}
