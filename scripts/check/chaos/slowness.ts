// How many times slower than usual this machine is: so many times longer are all times of a run.

/** A start of the server with two workers takes up to this on a usual machine. */
const USUAL_START_MS = 3_000;

/** @param startMs how long the start took. At least 1: on a fast machine the times are as documented */
export function slownessOf(startMs: number): number {
  return Math.max(1, startMs / USUAL_START_MS);
}
