/** How the benchmark measures: interleaved rounds, so that a busy moment of the machine hits everybody, and medians. */

export const MEASURES = ["casts", "calls", "spawns", "bytes"] as const;
export type Measure = (typeof MEASURES)[number];

/** One of those that are compared. Each measurement starts anew and leaves nothing behind. */
export interface Contestant {
  readonly name: string;
  /** Sends that many casts to one process and resolves when the last has been handled. */
  casts(count: number): Promise<void>;
  /** Asks one process that often, one after the other, and waits for every answer. */
  calls(count: number): Promise<void>;
  /** Starts and stops that many processes, one after the other. */
  spawns(count: number): Promise<void>;
  /** Starts that many processes that then do nothing; returns what ends them. */
  idle(count: number): Promise<() => Promise<void> | void>;
}

export type Counts = Readonly<Record<Measure, number>>;
export type Results = Readonly<Record<string, Readonly<Record<Measure, number>>>>;

async function perSecond(count: number, work: (count: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  await work(count);
  return count / ((performance.now() - start) / 1000);
}

/** What is in use after everything that can be collected has been. */
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function measure(contestant: Contestant, what: Measure, count: number): Promise<number> {
  if (what === "bytes") return bytesEach(contestant, count);
  return perSecond(count, (many) => contestant[what](many));
}

/** The medians of `rounds` rounds, after one that does not count. */
export async function race(
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
