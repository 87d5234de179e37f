/** Waiting for a condition instead of a time; a failure names the condition. */

/** Milliseconds in which `until` polls once per turn; then once a millisecond, for what it waits for needs the processor. */
const EAGER = 20;

/** Polls once per turn of the event loop at first. @throws Error when it is not true within `within` milliseconds */
export async function until<T>(
  what: () => T | undefined | false | null | 0 | "",
  within = 45_000,
): Promise<T> {
  const start = performance.now();
  for (;;) {
    const found = what();
    if (found) return found;
    const waited = performance.now() - start;
    if (waited > within) throw new Error(`never true: ${what}`);
    if (waited < EAGER) await turn();
    else await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Runs this many iterations of the event loop. */
export async function turn(times = 1): Promise<void> {
  for (let n = 0; n < times; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** Polls every 20 ms until the result is neither `undefined` nor `false`; for conditions outside of this OS process. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  within = 45_000,
): Promise<T> {
  const signal = AbortSignal.timeout(within);
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found as T;
    if (signal.aborted) throw new Error(`not within ${within} ms: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
