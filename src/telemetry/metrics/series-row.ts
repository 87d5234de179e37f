/** Type of the rows in metric-names.ts, and constructors for rows of the same kind. */
import type { OsProcessNumbers } from "./os-process.js";
import type { GaugeName, Total, WorkerTotals } from "./worker-totals.js";

/** Label values in the order of the row's label names (missing trailing labels are omitted), value, and name suffix such as `_bucket`. */
export type Sample = readonly [labels: readonly (string | number)[], value: number, suffix?: string];

/** Resource usage of the primary. */
export type PrimaryNumbers = OsProcessNumbers & {
  readonly eventLoopLagSeconds: number;
  readonly logLinesDropped: number;
};
export type PrimaryNumber = keyof PrimaryNumbers;

/** Input of all rows at one scrape. */
export interface MetricsState {
  readonly build: readonly string[];
  readonly listener: string;
  readonly protocol: string;
  /** By slot number. */
  readonly workers: ReadonlyMap<number, WorkerTotals>;
  /** Reports of the primary's supervisors, by context. */
  readonly reports: ReadonlyMap<string, number>;
  readonly restarts: readonly {
    readonly supervisor: string;
    readonly child: string;
    readonly count: number;
  }[];
  readonly restartsLeft: ReadonlyMap<string, number>;
  /** Failed starts of workers, by slot number. */
  readonly startFailures: ReadonlyMap<number, number>;
  /** The primary's own numbers, exported as worker 0. */
  readonly own: PrimaryNumbers;
}

export interface SeriesRow {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  samples(state: MetricsState): Sample[];
}

type SeriesHead = Omit<SeriesRow, "samples">;

export function gauge(name: string, help: string, labels: readonly string[]): SeriesHead {
  return { name, help, labels, kind: "gauge" };
}

export function counter(name: string, help: string, labels: readonly string[]): SeriesHead {
  return { name, help, labels, kind: "counter" };
}

export function totalOf(name: string, help: string, total: Total): SeriesRow {
  return {
    ...counter(name, help, ["worker", "listener"]),
    samples: ({ workers, listener }) =>
      [...workers].map(([worker, totals]) => [[worker, listener], totals.total(total)]),
  };
}

/** A gauge of a listener: 0 while its worker is down. */
export function ofListener(name: string, help: string, number: GaugeName): SeriesRow {
  return {
    ...gauge(name, help, ["worker", "listener"]),
    samples: ({ workers, listener }) =>
      presentWorkers(workers).map(([worker, totals]) => [[worker, listener], totals.gauge(number) ?? 0]),
  };
}

/** Slots that were not removed by `scale`; a removed slot exports only totals. */
export function presentWorkers(
  workers: ReadonlyMap<number, WorkerTotals>,
): (readonly [worker: number, totals: WorkerTotals])[] {
  return [...workers].filter(([, totals]) => totals.state !== "removed");
}

/** A gauge of a worker: no series while its OS process does not exist. */
export function ofWorker(name: string, help: string, number: GaugeName): SeriesRow {
  return { ...gauge(name, help, ["worker"]), samples: ({ workers }) => liveGauges(workers, number) };
}

export function ofProcess(name: string, help: string, number: GaugeName & PrimaryNumber): SeriesRow {
  return {
    ...gauge(name, help, ["worker"]),
    samples: ({ workers, own }) => [[[0], own[number]], ...liveGauges(workers, number)],
  };
}

export function liveGauges(workers: ReadonlyMap<number, WorkerTotals>, number: GaugeName): Sample[] {
  return [...workers].flatMap(([worker, totals]): Sample[] => {
    const value = totals.gauge(number);
    return value === undefined ? [] : [[[worker], value]];
  });
}

/** A counter of the primary and every worker: the sum of `totals`. */
export function totalOfProcess(name: string, help: string, ...totals: (Total & PrimaryNumber)[]): SeriesRow {
  const sum = (value: (total: Total & PrimaryNumber) => number) =>
    totals.reduce((all, total) => all + value(total), 0);
  return {
    ...counter(name, help, ["worker"]),
    samples: ({ workers, own }) => [
      [[0], sum((total) => own[total])],
      ...[...workers].map(([worker, totals]): Sample => [[worker], sum((total) => totals.total(total))]),
    ],
  };
}
