/**
 * Restart delay: exponential backoff with jitter between restarts. Not in OTP, off by default. Without it a child that
 * fails at once (its database is down) uses up the restart intensity within milliseconds. The delay doubles with every
 * restart in the period and varies by half, so that children that failed together do not restart together. A restart
 * is counted before its delay, so that the delay does not evade the intensity.
 */
import { type Duration, toMs } from "../time/duration.js";

/** The first and the longest delay. `"100ms"` alone: the longest is 100 times that. */
export type RestartDelay = Duration | { readonly first: Duration; readonly max: Duration };

/** In milliseconds. */
export interface CheckedDelay {
  readonly first: number;
  readonly max: number;
}

/** @throws TypeError when it is not a valid delay */
export function checkDelay(delay: RestartDelay | undefined): CheckedDelay | undefined {
  if (delay === undefined) return undefined;
  const { first, max } = typeof delay === "object" ? delay : { first: delay, max: toMs(delay) * 100 };
  const checked = { first: toMs(first), max: toMs(max) };
  if (checked.max < checked.first) throw new TypeError(`restartDelay: max must not be less than first`);
  return checked;
}

/** The delay in milliseconds of the n-th restart within the period, counted from 1. */
export function delayOf(delay: CheckedDelay | undefined, restarts: number, random = Math.random()): number {
  if (!delay) return 0;
  const longest = Math.min(delay.max, delay.first * 2 ** (restarts - 1));
  return Math.round(longest * (0.5 + random / 2));
}
