/** Measures the process libraries in interleaved rounds, so that a busy moment of the machine affects all; medians. */
import { median } from "../compare/median.js";

export const MEASURES = ["casts", "calls", "spawns", "bytes"] as const;
export type Measure = (typeof MEASURES)[number];

/** A library under comparison. Each measurement starts from nothing and cleans up. */
export interface Contestant {
  readonly name: string;
  /** Sends `count` casts to one process; resolves when the last is handled. */
  casts(count: number): Promise<void>;
  /** Makes `count` calls to one process, each after the reply to the one before. */
  calls(count: number): Promise<void>;
  /** Starts and stops `count` processes, one after the other. */
  spawns(count: number): Promise<void>;
  /** Starts `count` idle processes; returns the function that stops them. */
  idle(count: number): Promise<() => Promise<void> | void>;
}

export type Counts = Readonly<Record<Measure, number>>;
export type Results = Readonly<Record<string, Readonly<Record<Measure, number>>>>;

async function perSecond(count: number, work: (count: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  await work(count);
  return count / ((performance.now() - start) / 1000);
}

/** Heap in use after garbage collection. */
async function heap(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

async function bytesEach(contestant: Contestant, count: number): Promise<number> {
  const before = await heap();
  const end = await contestant.idle(count);
  const after = await heap();
  await end();
  return (after - before) / count;
}

function measure(contestant: Contestant, what: Measure, count: number): Promise<number> {
  if (what === "bytes") return bytesEach(contestant, count);
  return perSecond(count, (many) => contestant[what](many));
}

/** Medians of `rounds` rounds, after one warm-up round. */
export async function measureAll(
  contestants: readonly Contestant[],
  counts: Counts,
  rounds: number,
): Promise<Results> {
  const samples = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const what of MEASURES) {
      for (const contestant of contestants) {
        const value = await measure(contestant, what, counts[what]);
        const key = `${contestant.name} ${what}`;
        if (round > 0) samples.set(key, [...(samples.get(key) ?? []), value]);
        globalThis.gc?.();
      }
    }
  }
  const of = (name: string, what: Measure) => median(samples.get(`${name} ${what}`) ?? []);
  return Object.fromEntries(
    contestants.map(({ name }) => [
      name,
      Object.fromEntries(MEASURES.map((what) => [what, of(name, what)])) as Record<Measure, number>,
    ]),
  );
}
