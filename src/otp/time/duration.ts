/**
 * Durations as written in code and configuration. OTP mixes seconds (`period`) with milliseconds (`shutdown`); here a
 * number is always milliseconds, and a string has a unit.
 */

/** Milliseconds, or a number with its unit: `500`, `"500ms"`, `"2s"`, `"1.5m"`, `"1h"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h"}`;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/**
 * Converts a duration to whole milliseconds, rounded.
 * @throws TypeError when it is neither a finite number from 0 up nor a number with a unit.
 */
export function toMs(duration: Duration | string): number {
  const ms = typeof duration === "number" ? duration : parse(duration);
  if (typeof ms === "number" && Number.isFinite(ms) && ms >= 0) return Math.round(ms);
  throw new TypeError(
    `Expected a duration: milliseconds, or a number with ms, s, m or h such as "2m", got ${JSON.stringify(duration)}`,
  );
}

function parse(text: unknown): number | undefined {
  const parts = typeof text === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) : null;
  return parts === null ? undefined : Number(parts[1]) * UNITS[parts[2] as keyof typeof UNITS];
}
