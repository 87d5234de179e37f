/** Ring buffer that keeps the last N values; push is O(1). */
export class RingBuffer<T> {
  readonly #slots: T[] = [];
  readonly #most: number;
  #next = 0;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#slots.length;
  }

  /** Number of values ever pushed. */
  get taken(): number {
    return this.#taken;
  }

  push(value: T): void {
    this.#slots[this.#next] = value;
    this.#next = (this.#next + 1) % this.#most;
    this.#taken++;
  }

  /** Oldest first. */
  toArray(): T[] {
    if (this.#slots.length < this.#most) return this.#slots.slice();
    return [...this.#slots.slice(this.#next), ...this.#slots.slice(0, this.#next)];
  }

  /** Up to `limit` values that match, newest first. */
  newest(limit: number, fits: (value: T) => boolean = () => true): T[] {
    const found: T[] = [];
    const { length } = this.#slots;
    for (let back = 1; back <= length && found.length < limit; back++) {
      const value = this.#slots[(this.#next - back + this.#most) % this.#most] as T;
      if (fits(value)) found.push(value);
    }
    return found;
  }
}
