// Result of a run of load, in one process or summed over several. Each way in which a connection can fail has its
// own count, because "errors: 17" does not say where to look.
import { KIND_NAMES, type Kind } from "./client-mix.js";
import { Histogram } from "./histogram.js";

export const ERRORS = {
  connectRefused: "connect refused",
  connectTimedOut: "connect timed out",
  connectFailed: "connect failed",
  reset: "reset",
  closedEarly: "closed early by the server",
  shortReply: "short reply (closed inside a frame)",
  mismatch: "wrong bytes in the echo",
  hung: "hung (no reply in time)",
  generator: "generator process lost",
} as const;

export type ErrorKind = keyof typeof ERRORS;
export const ERROR_KINDS = Object.keys(ERRORS) as ErrorKind[];

export interface KindTally {
  /** Number of connects, failed ones included. */
  connections: number;
  echoed: number;
  errors: number;
}

export interface Tally {
  opened: number;
  /** Connections open now. */
  open: number;
  sent: number;
  echoed: number;
  /** Clients that connected, had their echo and closed. */
  visits: number;
  /** Slow readers closed by the server, which is not an error. */
  cutOff: number;
  /** Bytes that differ from what was sent, and surplus bytes. */
  wrongBytes: number;
  /** At most one error per connection: the first one closes it. */
  errors: Record<ErrorKind, number>;
  /** The first few distinct errors, as text. */
  samples: Sample[];
  kinds: Record<Kind, KindTally>;
}

export interface Sample {
  /** Which connection or process. */
  who: string;
  what: string;
}

export interface Progress {
  elapsedMs: number;
  /** Since the last progress. */
  intervalMs: number;
  /** Frames echoed, or visits. */
  completed: number;
  latency: Histogram;
  /** Since the beginning. */
  tally: Tally;
}

export interface ConnectionOutcome {
  id: number;
  localPort: number | undefined;
  sent: number;
  echoed: number;
  error: ErrorKind | undefined;
}

/** Resource use of one generator process, which shows whether it limited the result. */
export interface GeneratorReport {
  osPid: number;
  /** CPU time used, 1 = one core. */
  cpu: number;
  /** Event-loop utilization, 0 to 1. Near 1, the generator limited the result. */
  busy: number;
}

export interface LoadResult {
  /** How long the load ran, and how many frames (mode connect: visits) were completed in that time. */
  elapsedMs: number;
  measured: number;
  /** Totals with warm-up and last replies. Without errors and without an abort, `sent` and `echoed` are equal. */
  tally: Tally;
  latency: Histogram;
  /** From the start of a connect until frames can be sent. */
  connectLatency: Histogram;
  /** How late the generator itself sent frames that were due. */
  lateness: Histogram;
  /** Open loop: number of frames due. More than `sent` if connections have ended. */
  due: number;
  /** Connections open at the end of the load with at least one echoed frame. */
  proven: number;
  generators: GeneratorReport[];
  /** By connection number. Empty with several processes: sending it would cost more than the load. */
  connections: ConnectionOutcome[];
}

const MAX_SAMPLES = 5;

export function emptyTally(): Tally {
  const errors = record(ERROR_KINDS, () => 0);
  const kinds = record(KIND_NAMES, () => ({ connections: 0, echoed: 0, errors: 0 }));
  const counts = { opened: 0, open: 0, sent: 0, echoed: 0, visits: 0, cutOff: 0, wrongBytes: 0 };
  return { ...counts, errors, samples: [], kinds };
}

function record<K extends string, V>(keys: readonly K[], value: () => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value()])) as Record<K, V>;
}

export function addSample({ samples }: Tally, sample: Sample): void {
  const known = samples.some(({ what }) => what === sample.what);
  if (!known && samples.length < MAX_SAMPLES) samples.push(sample);
}

export function errorTotal(tally: Tally): number {
  return ERROR_KINDS.reduce((sum, kind) => sum + tally.errors[kind], 0);
}

const COUNTS = ["opened", "open", "sent", "echoed", "visits", "cutOff", "wrongBytes"] as const;

export function addTallies(tallies: Tally[]): Tally {
  const sum = emptyTally();
  for (const tally of tallies) {
    for (const key of COUNTS) sum[key] += tally[key];
    for (const kind of ERROR_KINDS) sum.errors[kind] += tally.errors[kind];
    for (const sample of tally.samples) addSample(sum, sample);
    for (const kind of KIND_NAMES) {
      for (const key of ["connections", "echoed", "errors"] as const)
        sum.kinds[kind][key] += tally.kinds[kind][key];
    }
  }
  return sum;
}

export function addProgress(parts: Progress[]): Progress {
  return {
    elapsedMs: longest(parts.map((part) => part.elapsedMs)),
    intervalMs: longest(parts.map((part) => part.intervalMs)),
    completed: total(parts.map((part) => part.completed)),
    latency: addHistograms(parts.map((part) => part.latency)),
    tally: addTallies(parts.map((part) => part.tally)),
  };
}

export function addResults(parts: LoadResult[]): LoadResult {
  return {
    elapsedMs: longest(parts.map((part) => part.elapsedMs)),
    measured: total(parts.map((part) => part.measured)),
    tally: addTallies(parts.map((part) => part.tally)),
    latency: addHistograms(parts.map((part) => part.latency)),
    connectLatency: addHistograms(parts.map((part) => part.connectLatency)),
    lateness: addHistograms(parts.map((part) => part.lateness)),
    due: total(parts.map((part) => part.due)),
    proven: total(parts.map((part) => part.proven)),
    generators: parts.flatMap((part) => part.generators),
    connections: [],
  };
}

function addHistograms(parts: Histogram[]): Histogram {
  const sum = new Histogram();
  for (const part of parts) sum.merge(part);
  return sum;
}

function longest(values: number[]): number {
  return Math.max(0, ...values);
}

function total(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Frames, or connections in mode connect, per second. */
export function perSecond({ measured, elapsedMs }: Pick<LoadResult, "measured" | "elapsedMs">): number {
  return elapsedMs > 0 ? (measured * 1_000) / elapsedMs : 0;
}
