/**
 * Restart intensity with OTP's arithmetic (`supervisor:add_restart/1`, `in_period/3`): whole seconds of the monotonic
 * clock, inclusive at the far end. So the window is between `period` and `period + 1` seconds long, depending on where
 * in a second it began. Pure functions.
 */

/** Times of past restarts in whole seconds, newest first. */
export type Restarts = readonly number[];

/**
 * Adds a restart at `nowMs` (monotonic milliseconds).
 * @returns the restarts within the period, this one included, and whether the intensity allows them
 */
export function addRestart(
  restarts: Restarts,
  nowMs: number,
  intensity: number,
  periodSeconds: number,
): { readonly allowed: boolean; readonly restarts: Restarts } {
  const now = Math.floor(nowMs / 1000);
  const counted = [now, ...restarts.filter((at) => at >= now - periodSeconds)];
  return { allowed: counted.length <= intensity, restarts: counted };
}

/** Number of further restarts allowed at `nowMs`. */
export function restartsLeft(
  restarts: Restarts,
  nowMs: number,
  intensity: number,
  periodSeconds: number,
): number {
  const now = Math.floor(nowMs / 1000);
  return Math.max(0, intensity - restarts.filter((at) => at >= now - periodSeconds).length);
}
