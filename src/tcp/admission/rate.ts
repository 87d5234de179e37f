/** A rate as it is configured: events a second, and how many at once. */
import type { Rate } from "./terms.js";

/** Tokens of a bucket that had so many at a time in clock milliseconds, with what was earned since. */
export function tokensAt(tokens: number, filledAt: number, { perSecond, burst }: Rate, now: number): number {
  return Math.min(burst, tokens + ((now - filledAt) / 1_000) * perSecond);
}

/** `10`, or `"10:50"` for ten a second and 50 at once. Without a burst one second's worth. @throws TypeError */
export function parseRate(value: number | string): Rate {
  const [, perSecond, burst] = /^(\d{1,7}(?:\.\d{1,3})?)(?::(\d{1,7}))?$/.exec(String(value)) ?? [];
  const rate = { perSecond: Number(perSecond), burst: Number(burst ?? Math.ceil(Number(perSecond))) };
  if (perSecond === undefined || rate.perSecond === 0 || rate.burst === 0)
    throw new TypeError('expected a number a second such as 10, or "10:50" for 50 at once');
  return rate;
}

export function isRate(value: unknown): value is number | string {
  if (typeof value !== "number" && typeof value !== "string") return false;
  try {
    return parseRate(value).burst > 0;
  } catch {
    return false;
  }
}

export function showRate({ perSecond, burst }: Rate): string {
  return burst === Math.ceil(perSecond) ? `${perSecond}` : `${perSecond}:${burst}`;
}
