/** Type of the rows in metric-names.ts, and constructors for rows of the same kind. */
import type { OsProcessNumbers } from "../os-process.js";
import type {
  ListenerGauge,
  ListenerTotal,
  ListenerTotals,
  WorkerGauge,
  WorkerTotal,
  WorkerTotals,
} from "../worker-totals.js";

/** Label values in the order of the row's label names (missing trailing labels are omitted), value, and name suffix such as `_bucket`. */
export type Sample = readonly [labels: readonly (string | number)[], value: number, suffix?: string];

/** Resource usage of the primary. */
export type PrimaryNumbers = OsProcessNumbers & {
  readonly eventLoopLagSeconds: number;
  readonly logLinesDropped: number;
};
export type PrimaryNumber = keyof PrimaryNumbers;

/** One listener, as labels. */
export interface ListenerLabels {
  readonly name: string;
  /** Name of the protocol of its connections. */
  readonly protocol: string;
  /** Address that it listens on, as text. */
  readonly address: string;
  readonly tls?: boolean | undefined;
  /** Whether it expects PROXY headers. */
  readonly proxy?: boolean | undefined;
}

export interface CertificateNumbers {
  readonly listener: string;
  readonly name: string;
  readonly secondsLeft: number;
}

/** Connections that wait in the kernel to be accepted. */
export interface AcceptQueues {
  /** By listener; without those of which it is not known: UNIX sockets, other platforms. */
  readonly waiting: readonly { readonly listener: string; readonly count: number }[];
  /** Dropped by the kernel because a queue was full; `undefined` where that is not known. */
  readonly overflows: number | undefined;
}

/** A count and the values of its labels. */
export interface LabelledCount {
  readonly labels: readonly string[];
  count: number;
}

/** Input of all rows at one scrape. */
export interface MetricsState {
  readonly build: readonly string[];
  /** In the order of the snapshots. */
  readonly listeners: readonly ListenerLabels[];
  /** By slot number. */
  readonly workers: ReadonlyMap<number, WorkerTotals>;
  /** Reports of the primary's supervisors, by context. */
  readonly reports: ReadonlyMap<string, number>;
  readonly restarts: readonly {
    readonly supervisor: string;
    readonly child: string;
    readonly count: number;
  }[];
  /** Certificates that are served. */
  readonly certificates: readonly CertificateNumbers[];
  /** Reloads of certificates, by result. */
  readonly certificateReloads: ReadonlyMap<string, number>;
  readonly acceptQueues: AcceptQueues;
  /** Changes from outside, by their labels. */
  readonly adminChanges: ReadonlyMap<string, LabelledCount>;
  /** Times that the primary had no file descriptor left. */
  readonly descriptorsExhausted: number;
  readonly restartsLeft: ReadonlyMap<string, number>;
  /** Failed starts of workers, by slot number. */
  readonly startFailures: ReadonlyMap<number, number>;
  /** Workers that were replaced for their memory, by slot number. */
  readonly recycles: ReadonlyMap<number, number>;
  /** The primary's own numbers, exported as worker 0. */
  readonly own: PrimaryNumbers;
  /** `undefined` where there is none. */
  readonly exchange: ExchangeSample | undefined;
}

/** The exchange, as its metrics show it. */
export interface ExchangeSample {
  readonly up: boolean;
  /** Workers that are connected to it. */
  readonly links: number;
  /** Deliveries that were dropped because a worker does not read. */
  readonly linkFull: number;
  /** Deliveries that waited for a worker when it ended. */
  readonly workerDown: number;
  /** Records of workers and of other servers that could not be read. */
  readonly malformed: number;
  /** Claims that waited because two clients have the same name. */
  readonly contested: number;
  /** Bytes that wait for each worker. */
  readonly waiting: readonly (readonly [worker: number, bytes: number])[];
  /** The servers of the cluster, where there is one. */
  readonly nodes: NodesSample | undefined;
}

export const NODE_STATES = ["joining", "up", "down"] as const;
/** Why messages between servers were lost. */
export const NODE_DROP_REASONS = ["unreachable", "outbox", "too_large"] as const;

/** Other servers, as their metrics show them. */
export interface NodesSample {
  readonly states: Readonly<Record<(typeof NODE_STATES)[number], number>>;
  readonly lost: number;
  readonly resyncs: number;
  /** Names that were held here and on another server at once, and whose holder here was replaced. */
  readonly conflicts: number;
  /** Largest difference of our wall clock to that of another server, in milliseconds. */
  readonly clockDifference: number;
  readonly dropped: Readonly<Record<(typeof NODE_DROP_REASONS)[number], number>>;
  readonly carrier: {
    readonly up: boolean;
    readonly roundTrip: number | undefined;
    readonly reconnects: number;
  };
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

export function totalOf(name: string, help: string, total: ListenerTotal): SeriesRow {
  return {
    ...counter(name, help, ["worker", "listener"]),
    samples: (state) =>
      ofListeners(state).map(([worker, listener, totals]) => [[worker, listener.name], totals.total(total)]),
  };
}

/** A counter of a listener with a label `reason`. */
export function reasonsOf<Reason extends string>(
  name: string,
  help: string,
  reasons: readonly Reason[],
  count: (totals: ListenerTotals, reason: Reason) => number,
): SeriesRow {
  return {
    ...counter(name, help, ["worker", "listener", "reason"]),
    samples: (state) =>
      ofListeners(state).flatMap(([worker, listener, totals]) =>
        reasons.map((reason): Sample => [[worker, listener.name, reason], count(totals, reason)]),
      ),
  };
}

/** A gauge of a listener: 0 while its worker is down. */
export function ofListener(name: string, help: string, number: ListenerGauge): SeriesRow {
  return {
    ...gauge(name, help, ["worker", "listener"]),
    samples: ({ workers, listeners }) =>
      ofListeners({ workers: new Map(presentWorkers(workers)), listeners }).map(
        ([worker, listener, totals]) => [[worker, listener.name], totals.gauge(number) ?? 0],
      ),
  };
}

/** Each listener in each worker slot. */
export function ofListeners({
  workers,
  listeners,
}: Pick<MetricsState, "workers" | "listeners">): (readonly [
  worker: number,
  listener: ListenerLabels,
  totals: ListenerTotals,
])[] {
  return [...workers].flatMap(([worker, totals]) =>
    listeners.map((listener, at) => [worker, listener, totals.listeners[at] as ListenerTotals] as const),
  );
}

/** Slots that were not removed by `scale`; a removed slot exports only totals. */
export function presentWorkers(
  workers: ReadonlyMap<number, WorkerTotals>,
): (readonly [worker: number, totals: WorkerTotals])[] {
  return [...workers].filter(([, totals]) => totals.state !== "removed");
}

/** A gauge of a worker: no series while its OS process does not exist. */
export function ofWorker(name: string, help: string, number: WorkerGauge): SeriesRow {
  return { ...gauge(name, help, ["worker"]), samples: ({ workers }) => liveGauges(workers, number) };
}

export function ofProcess(name: string, help: string, number: WorkerGauge & PrimaryNumber): SeriesRow {
  return {
    ...gauge(name, help, ["worker"]),
    samples: ({ workers, own }) => [[[0], own[number]], ...liveGauges(workers, number)],
  };
}

export function liveGauges(workers: ReadonlyMap<number, WorkerTotals>, number: WorkerGauge): Sample[] {
  return [...workers].flatMap(([worker, totals]): Sample[] => {
    const value = totals.gauge(number);
    return value === undefined ? [] : [[[worker], value]];
  });
}

/** A counter of the primary and every worker: the sum of `totals`. */
export function totalOfProcess(
  name: string,
  help: string,
  ...totals: (WorkerTotal & PrimaryNumber)[]
): SeriesRow {
  const sum = (value: (total: WorkerTotal & PrimaryNumber) => number) =>
    totals.reduce((all, total) => all + value(total), 0);
  return {
    ...counter(name, help, ["worker"]),
    samples: ({ workers, own }) => [
      [[0], sum((total) => own[total])],
      ...[...workers].map(([worker, totals]): Sample => [[worker], sum((total) => totals.total(total))]),
    ],
  };
}
