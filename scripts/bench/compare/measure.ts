// Measures every server in turn, round after round, so that a busy moment of the machine affects all of them. The
// results are medians; the ratios between servers are more stable than the figures themselves.
import type { LoadOptions } from "../../load/both-sides/options.js";
import { errorTotal, perSecond } from "../../load/both-sides/result.js";
import type { GeneratorPool } from "../../load/coordinator/generator-pool.js";
import { median } from "./median.js";
import { cpuSeconds, memoryBytes } from "./process-usage.js";
import type { Server } from "./servers.js";

export interface Load {
  name: string;
  about: string;
  options: Omit<LoadOptions, "port">;
}

export const LOADS: readonly Load[] = [
  {
    name: "pingpong",
    about: "64 bytes, 1 in flight on 100 connections",
    options: { connections: 100, window: 1, size: 64 },
  },
  {
    name: "pipeline",
    about: "64 bytes, 16 in flight on 100 connections",
    options: { connections: 100, window: 16, size: 64 },
  },
  {
    name: "bulk",
    about: "4,096 bytes, 4 in flight on 100 connections",
    options: { connections: 100, window: 4, size: 4_096 },
  },
  {
    name: "large",
    about: "60,000 bytes, 2 in flight on 20 connections",
    options: { connections: 20, window: 2, size: 60_000 },
  },
  {
    name: "connect",
    about: "connect, one echo, close; 50 at once",
    options: { mode: "connect", connections: 50, reset: true },
  },
];

/** Result of one server under one load: medians over all rounds. */
export interface Row {
  load: string;
  server: string;
  /** CPU time of the server in µs per frame, in mode connect per connection. */
  cpuUs: { median: number; least: number; most: number };
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  errors: number;
}

interface Sample {
  cpuUs: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  errors: number;
}

const WARM_UP = { connections: 50, window: 4, durationMs: 1_000 };

export async function compare(
  servers: readonly Server[],
  loads: readonly Load[],
  generators: GeneratorPool,
  { rounds, durationMs, warmUp = true }: { rounds: number; durationMs: number; warmUp?: boolean },
  log: (what: string) => void,
): Promise<Row[]> {
  if (warmUp) for (const { port } of servers) await generators.run({ ...WARM_UP, port });
  const rows: Row[] = [];
  for (const load of loads) {
    const samples = new Map<Server, Sample[]>(servers.map((server) => [server, []]));
    for (let round = 1; round <= rounds; round++) {
      log(`${load.name}, round ${round} of ${rounds}`);
      for (const server of servers)
        samples.get(server)!.push(await measure(server, load, generators, durationMs));
    }
    for (const [server, all] of samples) rows.push(rowOf(load.name, server.contestant.name, all));
  }
  return rows;
}

async function measure(
  { port, osPid }: Server,
  { options }: Load,
  generators: GeneratorPool,
  durationMs: number,
): Promise<Sample> {
  const before = cpuSeconds(osPid);
  const result = await generators.run({ ...options, port, durationMs });
  const used = cpuSeconds(osPid) - before;
  const { tally, latency } = result;
  const count = options.mode === "connect" ? tally.visits : tally.echoed;
  return {
    cpuUs: (used * 1e6) / Math.max(1, count),
    perSecond: perSecond(result),
    p50Ms: latency.percentile(50),
    p99Ms: latency.percentile(99),
    errors: errorTotal(tally),
  };
}

function rowOf(load: string, server: string, samples: readonly Sample[]): Row {
  const of = (key: keyof Sample) => samples.map((sample) => sample[key]);
  const cpu = of("cpuUs");
  return {
    load,
    server,
    cpuUs: { median: median(cpu), least: Math.min(...cpu), most: Math.max(...cpu) },
    perSecond: median(of("perSecond")),
    p50Ms: median(of("p50Ms")),
    p99Ms: median(of("p99Ms")),
    errors: of("errors").reduce((sum, count) => sum + count, 0),
  };
}

const FIRST_CONNECTIONS = 1_000;
const HOLD_MS = 2_500;

/**
 * Memory of the server per idle connection: the slope from 1,000 connections to `count`, because memory that the server
 * has allocated in advance would hide the first ones. The server must not have served anything before.
 */
export async function bytesPerConnection(
  server: Server,
  count: number,
  generators: GeneratorPool,
): Promise<number> {
  const few = await memoryHolding(server, FIRST_CONNECTIONS, generators);
  const many = await memoryHolding(server, count, generators);
  return (many - few) / (count - FIRST_CONNECTIONS);
}

async function memoryHolding(
  { port, osPid, contestant }: Server,
  count: number,
  generators: GeneratorPool,
): Promise<number> {
  let memory = 0;
  const result = await generators.run({
    ...{ mode: "idle", port, connections: count, rate: 1, durationMs: HOLD_MS, reset: true },
    onProgress: () => {
      memory = memoryBytes(osPid);
    },
  });
  if (result.proven === count) return memory;
  throw new Error(`${contestant.name} held only ${result.proven} of ${count} idle connections`);
}
