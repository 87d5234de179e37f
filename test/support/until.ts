/** Waiting for a condition instead of for a time: as quick as the machine, and a failure says what never came. */

/** Polls once per turn of the event loop. @throws Error when it is not true within `within` milliseconds */
export async function until<T>(
  what: () => T | undefined | false | null | 0 | "",
  within = 10_000,
): Promise<T> {
  const end = performance.now() + within;
  for (;;) {
    const found = what();
    if (found) return found;
    if (performance.now() > end) throw new Error(`never true: ${what}`);
    await turn();
  }
}

/** Lets the event loop turn, so that what is ready happens. */
export async function turn(times = 1): Promise<void> {
  for (let n = 0; n < times; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** Asks again and again until the answer fits. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  within = 20_000,
): Promise<T> {
  const signal = AbortSignal.timeout(within);
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found as T;
    if (signal.aborted) throw new Error(`not within ${within} ms: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
