/**
 * Restarts that take their time: beyond OTP, and off unless asked for. What fails at once again and again
 * (a database that is away) would use up its restarts within milliseconds. The wait doubles with every restart
 * that counts within the period, and varies by half, so that many that failed together do not come back
 * together. It is no escape from the intensity: a restart is counted before it waits.
 */
import { type Duration, toMs } from "../time/duration.js";

/** The first wait, and the longest. `"100ms"` alone: at most a hundred times as long. */
export type RestartDelay = Duration | { readonly first: Duration; readonly max: Duration };

/** In milliseconds. */
export interface CheckedDelay {
  readonly first: number;
  readonly max: number;
}

/** @throws TypeError when it is none */
export function checkDelay(delay: RestartDelay | undefined): CheckedDelay | undefined {
  if (delay === undefined) return undefined;
  const { first, max } = typeof delay === "object" ? delay : { first: delay, max: toMs(delay) * 100 };
  const checked = { first: toMs(first), max: toMs(max) };
  if (checked.max < checked.first) throw new TypeError(`restartDelay: max is less than first`);
  return checked;
}

/** How long the n-th restart within the period waits, counted from 1. */
export function delayOf(delay: CheckedDelay | undefined, restarts: number, random = Math.random()): number {
  if (!delay) return 0;
  const whole = Math.min(delay.max, delay.first * 2 ** (restarts - 1));
  return Math.round(whole * (0.5 + random / 2));
}
