// The invariants at the end of a run: connections add up, descriptors are back, no OS process is left.
import { descendants, descriptors, signal, stillRuns } from "./os-processes.js";
import { pause, type Server } from "./server.js";
import type { Watch } from "./watch.js";

/** Descriptors that an OS process may have more than before: a file of the log, a link that is being opened. */
const SPARE_DESCRIPTORS = 3;
/** This many times in a row, 100 ms apart, descriptors are the same. */
const STEADY_LOOKS = 5;
/** Until workers that were replaced have closed their last descriptors. */
const SETTLE_MS = 5_000;
/** The shutdown of connections takes up to 2 s, and the workers' last reports a moment. */
const STOP_MS = 8_000;

export interface Descriptors {
  readonly primary: number;
  readonly worker: number;
}

export async function mostDescriptors(server: Server): Promise<Descriptors> {
  const workers = (await server.workers()).map((osPid) => descriptors(osPid) ?? 0);
  return { primary: descriptors(server.osPid) ?? 0, worker: Math.max(...workers) };
}

/**
 * At rest: threads and links of a worker may come after it has served its first client.
 * @returns once nothing has changed for a while
 */
export async function steadyDescriptors(server: Server): Promise<Descriptors> {
  const end = performance.now() + server.patience(SETTLE_MS);
  let last = await mostDescriptors(server);
  for (let steady = 0; steady < STEADY_LOOKS && performance.now() < end; ) {
    await pause(100);
    const now = await mostDescriptors(server);
    steady = now.primary === last.primary && now.worker === last.worker ? steady + 1 : 0;
    last = now;
  }
  return last;
}

/** Once the load is over. Stops the server. @returns what is wrong */
export async function finalChecks(server: Server, watch: Watch, before: Descriptors): Promise<string[]> {
  const unsettled = [...(await books(server, watch)), ...(await settled(server, before))];
  return [...unsettled, ...watch.violations, ...(await ended(server, watch))];
}

/** All connections are closed, and each was counted. */
async function books(server: Server, watch: Watch): Promise<string[]> {
  const end = performance.now() + server.patience(SETTLE_MS);
  for (;;) {
    const found = await watch.look();
    if (found?.active === 0) return [];
    if (performance.now() > end)
      return [`${found?.active ?? "?"} connections are active after all clients have gone`];
    await pause(100);
  }
}

/** Descriptors are back to the level before, and no child is a zombie. */
async function settled(server: Server, before: Descriptors): Promise<string[]> {
  const end = performance.now() + server.patience(SETTLE_MS);
  for (;;) {
    const now = await mostDescriptors(server);
    const zombies = descendants(server.osPid).filter(({ state }) => state === "Z").length;
    const wrong = (["primary", "worker"] as const)
      .filter((which) => now[which] > before[which] + SPARE_DESCRIPTORS)
      .map((which) => `${now[which]} descriptors of a ${which}, ${before[which]} before`);
    if (zombies > 0) wrong.push(`${zombies} zombies`);
    if (wrong.length === 0 || performance.now() > end) return wrong;
    await pause(100);
  }
}

/** A stop ends with 0, and no OS process of the server is left. */
async function ended(server: Server, watch: Watch): Promise<string[]> {
  const within = server.patience(STOP_MS);
  const end = performance.now() + within;
  signal(server.osPid, "SIGTERM");
  const code = await Promise.race([server.exited(), pause(within).then(() => "late" as const)]);
  const running = () => watch.seen.filter(stillRuns);
  // One that was killed shortly before may still be giving its memory back.
  while (running().length > 0 && performance.now() < end) await pause(20);
  const left = running().map(({ osPid }) => osPid);
  const wrong =
    code === 0 ? [] : [code === "late" ? `no end within ${within / 1000} s` : `exit code ${code}`];
  if (left.length > 0) wrong.push(`OS processes left: ${left.join(", ")}`);
  for (const osPid of left) signal(osPid, "SIGKILL");
  return wrong;
}
