// What a run of load has found, in one process or added up over several. Every way in which a connection can
// go wrong has a count of its own, because "errors: 17" tells nobody where to look.
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

export interface Tally {
  opened: number;
  /** Connections open now. */
  open: number;
  sent: number;
  echoed: number;
  /** Bytes that differ from what was sent, or that nobody asked for. */
  wrongBytes: number;
  /** At most one error per connection: it ends with the first. */
  errors: Record<ErrorKind, number>;
  /** The first few that differ, in words. */
  samples: Sample[];
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
  frames: number;
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

export interface LoadResult {
  /** How long frames were sent, and how many were echoed in that time. */
  elapsedMs: number;
  measured: number;
  /** Everything, the last replies included: without errors and without an abort, `sent` and `echoed` are equal. */
  tally: Tally;
  latency: Histogram;
  /** The part of the time in which the generator was busy, 0 to 1: near 1, it was the generator that was measured. */
  busy: number;
  /** By number. Left out where several processes ran: there it would cost more than the load. */
  connections: ConnectionOutcome[];
}

const MAX_SAMPLES = 5;

export function emptyTally(): Tally {
  const errors = Object.fromEntries(ERROR_KINDS.map((kind) => [kind, 0])) as Record<ErrorKind, number>;
  return { opened: 0, open: 0, sent: 0, echoed: 0, wrongBytes: 0, errors, samples: [] };
}

export function addSample({ samples }: Tally, sample: Sample): void {
  const known = samples.some(({ what }) => what === sample.what);
  if (!known && samples.length < MAX_SAMPLES) samples.push(sample);
}

export function errorTotal(tally: Tally): number {
  return ERROR_KINDS.reduce((sum, kind) => sum + tally.errors[kind], 0);
}

export function addTallies(tallies: Tally[]): Tally {
  const sum = emptyTally();
  for (const tally of tallies) {
    for (const key of ["opened", "open", "sent", "echoed", "wrongBytes"] as const) sum[key] += tally[key];
    for (const kind of ERROR_KINDS) sum.errors[kind] += tally.errors[kind];
    for (const sample of tally.samples) addSample(sum, sample);
  }
  return sum;
}

export function addProgress(parts: Progress[]): Progress {
  return {
    elapsedMs: longest(parts.map((part) => part.elapsedMs)),
    intervalMs: longest(parts.map((part) => part.intervalMs)),
    frames: parts.reduce((sum, part) => sum + part.frames, 0),
    latency: addHistograms(parts.map((part) => part.latency)),
    tally: addTallies(parts.map((part) => part.tally)),
  };
}

export function addResults(parts: LoadResult[]): LoadResult {
  return {
    elapsedMs: longest(parts.map((part) => part.elapsedMs)),
    measured: parts.reduce((sum, part) => sum + part.measured, 0),
    tally: addTallies(parts.map((part) => part.tally)),
    latency: addHistograms(parts.map((part) => part.latency)),
    busy: longest(parts.map((part) => part.busy)),
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
