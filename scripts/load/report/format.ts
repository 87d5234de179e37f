// Figures as people read them.
import type { LoadResult } from "../both-sides/result.js";

export const PERCENTILES = [50, 90, 99, 99.9, 99.99];
export const MIB = 2 ** 20;

export function perSecond({ measured, elapsedMs }: Pick<LoadResult, "measured" | "elapsedMs">): number {
  return elapsedMs > 0 ? (measured * 1_000) / elapsedMs : 0;
}

export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function duration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  return ms < 1_000 ? `${Number(ms.toPrecision(3))} ms` : `${(ms / 1_000).toFixed(2)} s`;
}
