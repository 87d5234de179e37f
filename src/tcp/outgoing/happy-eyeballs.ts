/**
 * Connects to one of several addresses (RFC 8305, Happy Eyeballs): families alternate, the next attempt begins 250 ms
 * after the last one or as soon as that has failed, and the first that is open wins.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";

/** Milliseconds between the beginnings of two attempts. */
export const ATTEMPT_DELAY = 250;

/** Alternates families, beginning with the first: an address family that leads nowhere costs one attempt. */
export function interleave(addresses: readonly string[]): string[] {
  const isV6 = (one: string | undefined) => one?.includes(":");
  const first = addresses.filter((one) => isV6(one) === isV6(addresses[0]));
  const second = addresses.filter((one) => !first.includes(one));
  const mixed: string[] = [];
  for (let at = 0; at < Math.max(first.length, second.length); at++)
    mixed.push(...first.slice(at, at + 1), ...second.slice(at, at + 1));
  return mixed;
}

/**
 * @param attempt begins one attempt; aborting its signal ends it
 * @param signal ends all of them
 * @throws the error of the last attempt that failed, with the messages of all; the reason of the signal
 */
export function firstOpen<T>(
  addresses: readonly string[],
  attempt: (address: string, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const race = new AbortController();
    const messages: string[] = [];
    let [next, running] = [0, 0];
    let timer: TimerRef;
    const end = (): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      race.abort();
    };
    const aborted = (): void => {
      end();
      reject(signal.reason);
    };
    const begin = (): void => {
      clock.clearTimeout(timer);
      const address = addresses[next++] as string;
      running++;
      if (next < addresses.length) timer = clock.setTimeout(begin, ATTEMPT_DELAY);
      attempt(address, race.signal).then(
        (open) => {
          if (race.signal.aborted) return;
          end();
          resolve(open);
        },
        (error: Error) => failed(error),
      );
    };
    const failed = (error: Error): void => {
      if (race.signal.aborted) return;
      running--;
      messages.push(error.message);
      if (next < addresses.length) return begin();
      if (running > 0) return;
      end();
      reject(Object.assign(error, { message: messages.join("; ") }));
    };
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
    else begin();
  });
}
