/** How many threads of this machine want a processor, read again and again: the load average lags by a minute. */
import { readFileSync } from "node:fs";

/** Milliseconds between two readings. */
const EVERY = 20;

export class CpuQueue {
  readonly #readings: { readonly at: number; readonly runnable: number }[] = [];
  readonly #timer = setInterval(() => this.#read(), EVERY).unref();

  #read(): void {
    // "0.20 0.18 0.12 2/646 12045": of the threads that run or are ready, one is this one.
    const threads = readFileSync("/proc/loadavg", "utf8").split(" ")[3] as string;
    this.#readings.push({ at: performance.now(), runnable: Number.parseInt(threads, 10) - 1 });
  }

  /**
   * Since `start`, of `performance.now()`.
   * @returns mean number of threads, and the longest time in ms in which this OS process could not read it
   */
  since(start: number): { readonly mean: number; readonly gap: number } {
    this.#read();
    const found = this.#readings.filter(({ at }) => at >= start);
    const gaps = found.map(({ at }, n) => at - (found[n - 1]?.at ?? start));
    const sum = found.reduce((total, { runnable }) => total + runnable, 0);
    return { mean: sum / found.length, gap: Math.max(...gaps) };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
