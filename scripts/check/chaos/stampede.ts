// Stampede: clients without pauses, while connections and workers are killed at fixed times.
import { Random } from "../fuzz/random.js";
import type { Plan } from "./arguments.js";
import { Crowd, PATIENCE_MS, routes } from "./crowd.js";
import { finalChecks, steadyDescriptors } from "./final-checks.js";
import { signal } from "./os-processes.js";
import type { Verdict } from "./run.js";
import { pause, Server } from "./server.js";
import { Watch } from "./watch.js";

const CLIENTS = 200;
const AT_FULL_SPEED = { replyMs: 0 };
const CONNECTION_EVERY_MS = 10;
const WORKER_EVERY_MS = 5_000;
/** Lists of connections are of no use for longer: most of theirs have been killed then. */
const LIST_EVERY_MS = 500;
/** Kills that are under way at once: on a machine that is too slow, kills come late and do not pile up. */
const MAX_KILLS = 20;
/** A kill of a connection that is later than this is left out, so that the run ends in time there, too. */
const LATE_MS = 1_000;
/** The last worker that was killed must be replaced by then. */
const WHOLE_MS = 15_000;

export interface Kill {
  readonly atMs: number;
  readonly what: "connection" | "worker";
  /** Which one of those that there are then: the remainder by their number. */
  readonly pick: number;
}

/** The kills of a run in the order of their times; the same seed gives the same ones. */
export function* kills(seed: number, seconds: number): Generator<Kill> {
  const random = new Random(seed);
  for (let atMs = CONNECTION_EVERY_MS; atMs <= seconds * 1_000; atMs += CONNECTION_EVERY_MS) {
    yield { atMs, what: "connection", pick: random.below(2 ** 31) };
    if (atMs % WORKER_EVERY_MS === 0) yield { atMs, what: "worker", pick: random.below(2 ** 31) };
  }
}

export async function stampede(
  root: string,
  plan: Plan,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<Verdict> {
  const server = await Server.open(root);
  try {
    await server.startMeasured();
    return await stampedeAt(server, plan, say, stop);
  } finally {
    await server.remove();
  }
}

/**
 * @param server runs; it is stopped at the end
 * @param stop ends the kills before their time
 */
export async function stampedeAt(
  server: Server,
  plan: Plan,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<Verdict> {
  const options = { ...AT_FULL_SPEED, patienceMs: server.patience(PATIENCE_MS) };
  const [crowd, watch] = [new Crowd(routes(server.ports), options), new Watch(server)];
  await crowd.probe();
  const before = await steadyDescriptors(server);
  watch.start();
  crowd.start(CLIENTS);
  const killed = await killAll(server, plan, say, stop);
  const late = await wholeAgain(server);
  const { opened, echoed } = crowd.tally;
  await crowd.stop();
  await watch.stop();
  const violations = [...late, ...crowd.violations, ...(await finalChecks(server, watch, before))];
  const { accepted = 0, closed = 0 } = watch.last ?? {};
  const report = [
    `killed: ${killed.connection} connections, ${killed.worker} workers`,
    `clients: ${opened} connections, ${crowd.lost} lost, ${echoed} frames verified, ${Math.round(echoed / plan.seconds)} a second`,
    `books: ${accepted} accepted, ${closed} closed; ${watch.scrapes} scrapes`,
    `p99 ${crowd.latency.percentile(99).toFixed(1)} ms`,
  ].join("\n");
  return { violations, report };
}

async function killAll(
  server: Server,
  { seed, seconds }: Plan,
  say: (line: string) => void,
  stop: AbortSignal,
) {
  const done = { connection: 0, worker: 0 };
  const victims = new Victims(server);
  const started = performance.now();
  const underWay = new Set<Promise<void>>();
  for (const { atMs, what, pick } of kills(seed, seconds)) {
    await pause(Math.max(0, started + atMs - performance.now()));
    if (stop.aborted) break;
    if (what === "worker") {
      const workers = await server.someWorkers();
      signal(workers[pick % workers.length]!, "SIGKILL");
      say(
        `${(atMs / 1_000).toFixed(0)} s: worker killed, ${++done.worker} by now; ${done.connection} connections`,
      );
      continue;
    }
    if (performance.now() - started - atMs > LATE_MS) continue;
    while (underWay.size >= MAX_KILLS) await Promise.race(underWay);
    const pid = await victims.take(pick);
    if (pid === undefined) continue;
    const kill = server.kill(pid).then((killed) => {
      underWay.delete(kill);
      if (killed) done.connection++;
    });
    underWay.add(kill);
  }
  await Promise.all(underWay);
  return done;
}

/** The connections that can be killed, listed anew from time to time. */
class Victims {
  readonly #server: Server;
  #pids: string[] = [];
  #listedAt = Number.NEGATIVE_INFINITY;

  constructor(server: Server) {
    this.#server = server;
  }

  async take(pick: number): Promise<string | undefined> {
    if (this.#pids.length === 0 || performance.now() - this.#listedAt > LIST_EVERY_MS) {
      // The primary may be busy with the last kill: whether it answers in time is what Watch asks.
      this.#pids = await this.#server.connections().catch(() => []);
      this.#listedAt = performance.now();
    }
    return this.#pids.splice(pick % Math.max(1, this.#pids.length), 1)[0];
  }
}

async function wholeAgain(server: Server): Promise<string[]> {
  const within = server.patience(WHOLE_MS);
  const end = performance.now() + within;
  while (!(await server.isWhole())) {
    if (performance.now() > end) return [`not all workers accept ${within / 1_000} s after the last kill`];
    await pause(50);
  }
  return [];
}
