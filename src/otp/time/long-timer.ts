/** Timer of any length, in steps: Node.js fires a timeout above 2^31 - 1 ms (24.8 days) at once. */

/** Milliseconds of a step: 12.4 days. A step is a few milliseconds late at most, so the sum is as well. */
export const LONGEST_STEP = 2 ** 30;

export class LongTimer {
  readonly #callback: () => void;
  readonly #background: boolean;
  #left: number;
  #step: NodeJS.Timeout | undefined = undefined;

  constructor(callback: () => void, ms: number, background: boolean) {
    this.#callback = callback;
    this.#background = background;
    this.#left = ms;
    this.#next();
  }

  clear(): void {
    clearTimeout(this.#step);
  }

  #next(): void {
    const step = Math.min(this.#left, LONGEST_STEP);
    this.#left -= step;
    this.#step = setTimeout(() => (this.#left > 0 ? this.#next() : this.#callback()), step);
    if (this.#background) this.#step.unref();
  }
}
