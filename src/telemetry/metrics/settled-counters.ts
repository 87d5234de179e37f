/**
 * A group of counters over all OS processes that ran in a worker slot, so that none ever decreases: the counts of
 * exited OS processes are settled, those of the current one are live.
 */

/** The kernel may correct these downwards; that does not mean a restart. */
const INEXACT: readonly string[] = ["cpuUserSeconds", "cpuSystemSeconds"];

type Numbers<Name extends string> = Readonly<Partial<Record<Name, number>>>;

export class SettledCounters<Name extends string> {
  readonly #names: readonly Name[];
  readonly #settled: Record<Name, number>;
  #live: Record<Name, number> | undefined = undefined;

  constructor(names: readonly Name[]) {
    this.#names = names;
    this.#settled = pick<Name>(names, {} as Numbers<Name>);
  }

  value(name: Name): number {
    return this.#settled[name] + (this.#live?.[name] ?? 0);
  }

  /** Count of the current OS process. */
  live(name: Name): number {
    return this.#live?.[name] ?? 0;
  }

  /** Whether a counter has decreased: then the numbers are of a new OS process, which began at 0. */
  decreased(now: Numbers<Name>): boolean {
    const live = this.#live;
    if (!live) return false;
    return this.#names.some((name) => !INEXACT.includes(name) && countOf(now[name]) < live[name]);
  }

  /** Copies the numbers: the caller may go on counting in the same object. */
  update(now: Numbers<Name>): void {
    const next = pick(this.#names, now);
    const live = this.#live;
    if (live)
      for (const name of INEXACT as Name[]) if (name in live) next[name] = Math.max(next[name], live[name]);
    this.#live = next;
  }

  settle(): void {
    const live = this.#live;
    if (live) for (const name of this.#names) this.#settled[name] += live[name];
    this.#live = undefined;
  }

  /** Adds to a settled count. */
  add(name: Name, count: number): void {
    this.#settled[name] += count;
  }
}

function pick<Name extends string>(names: readonly Name[], from: Numbers<Name>): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, countOf(from[name])])) as Record<Name, number>;
}

function countOf(number: number | undefined = 0): number {
  return Number.isFinite(number) && number > 0 ? number : 0;
}
