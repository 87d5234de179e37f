// Latencies in constant memory: a log-linear histogram, 64 steps per power of two, so that a percentile is
// at most 1.6 % too high and never too low. A plain list of samples would cost more memory than the load itself.

const UNITS_PER_MS = 10_000;
const STEPS = 64;
const STEP_BITS = 6;
// Some 200 seconds, the most that fits the 32-bit arithmetic below; nothing waits that long for an echo.
const HIGHEST = 0x7fff_ffff;
const BUCKETS = bucketOf(HIGHEST) + 1;

function bucketOf(units: number): number {
  if (units < STEPS) return units;
  const shift = 31 - Math.clz32(units) - STEP_BITS;
  return shift * STEPS + (units >>> shift);
}

function highestIn(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (bucket - shift * STEPS + 1) * 2 ** shift - 1;
}

/** What a histogram becomes when it travels to another OS process. */
export interface HistogramData {
  counts: Float64Array;
  max: number;
}

export class Histogram {
  #counts = new Float64Array(BUCKETS);
  #max = 0;

  static from(data: HistogramData): Histogram {
    const histogram = new Histogram();
    histogram.#counts.set(data.counts);
    histogram.#max = data.max;
    return histogram;
  }

  get data(): HistogramData {
    return { counts: this.#counts, max: this.#max };
  }

  get count(): number {
    return this.#counts.reduce((sum, n) => sum + n, 0);
  }

  /** Exact, unlike the percentiles. */
  get maxMs(): number {
    return this.#max / UNITS_PER_MS;
  }

  record(ms: number, times = 1): void {
    const units = Math.min(HIGHEST, Math.max(0, Math.round(ms * UNITS_PER_MS)));
    const bucket = bucketOf(units);
    this.#counts[bucket] = this.#counts[bucket]! + times;
    if (units > this.#max) this.#max = units;
  }

  merge(other: Histogram): void {
    const theirs = other.#counts;
    for (let i = 0; i < BUCKETS; i++) this.#counts[i] = this.#counts[i]! + theirs[i]!;
    this.#max = Math.max(this.#max, other.#max);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#max = 0;
  }

  /** The latency in milliseconds that `percent` of the samples did not exceed; 0 without samples. */
  percentile(percent: number): number {
    const wanted = (this.count * percent) / 100;
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i]!;
      if (seen > 0 && seen >= wanted) return Math.min(highestIn(i), this.#max) / UNITS_PER_MS;
    }
    return 0;
  }
}
