// What the command and its generator processes say to each other.
import type { HistogramData } from "./histogram.js";
import { Histogram } from "./histogram.js";
import type { LoadOptions } from "./options.js";
import type { LoadResult, Progress } from "./result.js";

/** The argument that makes the command a generator process. */
export const GENERATOR = "generator";

export type ToGenerator = { type: "open"; options: LoadOptions } | { type: "load" } | { type: "stop" };

export type FromGenerator =
  | { type: "opened" }
  | { type: "progress"; progress: Packed<Progress> }
  | { type: "result"; result: Packed<LoadResult> };

/** A class does not survive the way between processes, its data does. */
export type Packed<T> = Omit<T, "latency"> & { latency: HistogramData };

export function pack<T extends { latency: Histogram }>(value: T): Packed<T> {
  return { ...value, latency: value.latency.data };
}

export function unpack<T extends { latency: Histogram }>(packed: Packed<T>): T {
  return { ...packed, latency: Histogram.from(packed.latency) } as unknown as T;
}
