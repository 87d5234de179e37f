// What the command and its generator processes say to each other.
import { Histogram, type HistogramData } from "./histogram.js";
import type { LoadOptions } from "./options.js";
import type { LoadResult, Progress } from "./result.js";

/** The argument that makes the command a generator process. */
export const GENERATOR = "generator";

/** One "open" for each run: a generator that has run once is warm, and can run again. */
export type ToGenerator = { type: "open"; options: LoadOptions } | { type: "load" } | { type: "stop" };

export type FromGenerator =
  | { type: "opening"; opened: number }
  | { type: "opened"; opened: number }
  | { type: "progress"; progress: Packed<Progress> }
  | { type: "result"; result: Packed<LoadResult> };

/** A class does not survive the way between processes, its data does. */
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
