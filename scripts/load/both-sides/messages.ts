// Messages between the coordinator and its generator processes.
import { Histogram, type HistogramData } from "./histogram.js";
import type { LoadOptions } from "./options.js";
import type { LoadResult, Progress } from "./result.js";

/** The argument with which the script runs as a generator process. */
export const GENERATOR = "generator";

/** One "open" per run: a generator process is reused, because its code is warmed up then. */
export type ToGenerator = { type: "open"; options: LoadOptions } | { type: "load" } | { type: "stop" };

export type FromGenerator =
  | { type: "opening"; opened: number }
  | { type: "opened"; opened: number }
  | { type: "progress"; progress: Packed<Progress> }
  | { type: "result"; result: Packed<LoadResult> };

/** Histograms as plain data: class instances cannot be sent between processes. */
export type Packed<T> = { [K in keyof T]: T[K] extends Histogram ? HistogramData : T[K] };

export function pack<T extends object>(value: T): Packed<T> {
  const entries = Object.entries(value).map(([key, of]) => [key, of instanceof Histogram ? of.data : of]);
  return Object.fromEntries(entries) as Packed<T>;
}

export function unpack<T extends object>(packed: Packed<T>): T {
  const isData = (of: unknown) => typeof of === "object" && of !== null && "counts" in of && "first" in of;
  const entries = Object.entries(packed).map(([key, of]) => [
    key,
    isData(of) ? Histogram.from(of as HistogramData) : of,
  ]);
  return Object.fromEntries(entries) as T;
}
