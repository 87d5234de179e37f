// Every server is loaded in turn, round after round, so that a busy moment of the machine hits all of them; what
// counts are medians, and above all the ratios between them.
import type { LoadOptions } from "../load/both-sides/options.js";
import { errorTotal } from "../load/both-sides/result.js";
import type { Generators } from "../load/coordinator/generator-pool.js";
import { perSecond } from "../load/report/format.js";
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

/** Of one server under one load, over all rounds. */
export interface Row {
  load: string;
  server: string;
  /** Microseconds of the server's CPU time for each frame, or connection. */
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
  crew: Generators,
  { rounds, durationMs }: { rounds: number; durationMs: number },
  tell: (what: string) => void,
): Promise<Row[]> {
  for (const { port } of servers) await crew.run({ ...WARM_UP, port });
  const rows: Row[] = [];
  for (const load of loads) {
    const samples = new Map<Server, Sample[]>(servers.map((server) => [server, []]));
    for (let round = 1; round <= rounds; round++) {
      tell(`${load.name}, round ${round} of ${rounds}`);
      for (const server of servers) samples.get(server)!.push(await measure(server, load, crew, durationMs));
    }
    for (const [server, all] of samples) rows.push(rowOf(load.name, server.contestant.name, all));
  }
  return rows;
}

async function measure(
  { port, osPid }: Server,
  { options }: Load,
  crew: Generators,
  durationMs: number,
): Promise<Sample> {
  const before = cpuSeconds(osPid);
  const result = await crew.run({ ...options, port, durationMs });
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

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const FIRST_CONNECTIONS = 1_000;
const HOLD_MS = 2_500;

/**
 * Bytes that the server holds for each silent connection: the slope from 1,000 of them to `count`, because what a
 * server has allocated beforehand would hide the first ones. Only of a server that has served nothing yet.
 */
export async function bytesPerConnection(server: Server, count: number, crew: Generators): Promise<number> {
  const few = await memoryHolding(server, FIRST_CONNECTIONS, crew);
  const many = await memoryHolding(server, count, crew);
  return (many - few) / (count - FIRST_CONNECTIONS);
}

async function memoryHolding(
  { port, osPid, contestant }: Server,
  count: number,
  crew: Generators,
): Promise<number> {
  let memory = 0;
  const result = await crew.run({
    ...{ mode: "idle", port, connections: count, rate: 1, durationMs: HOLD_MS, reset: true },
    onProgress: () => {
      memory = memoryBytes(osPid);
    },
  });
  if (result.proven === count) return memory;
  throw new Error(`${contestant.name} held only ${result.proven} of ${count} idle connections`);
}
