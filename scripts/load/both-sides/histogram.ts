// Latency histogram in constant memory, in the layout of HdrHistogram with three significant digits: percentiles are
// exact to 0.1 %, up to 214 s. Recording is our own code, 25 ns instead of the 125 ns of hdr-histogram-js, which would
// be a tenth of a generator that verifies 700,000 frames a second. Reading (percentiles, mean, encoding) is
// hdr-histogram-js.
import { build, encodeIntoCompressedBase64, type Histogram as Hdr } from "hdr-histogram-js";

const UNITS_PER_MS = 10_000;
const DIGITS = 3;
const STEP_BITS = 10;
const STEPS = 2 ** STEP_BITS;
/** Largest value of the 32-bit arithmetic below, 214 s. */
const HIGHEST = 0x7fff_ffff;
const BUCKETS = bucketOf(HIGHEST) + 1;

function bucketOf(units: number): number {
  if (units < STEPS) return units;
  const shift = 31 - Math.clz32(units) - STEP_BITS;
  return shift * STEPS + (units >>> shift);
}

function lowestIn(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (bucket - shift * STEPS) * 2 ** shift;
}

/** A histogram as plain data, to be sent to another OS process: its non-empty range of buckets. */
export interface HistogramData {
  /** The bucket that `counts` begins with. */
  first: number;
  counts: Float64Array;
  max: number;
}

export class Histogram {
  #counts = new Float64Array(BUCKETS);
  /** All buckets below `#first` and from `#end` on are empty. */
  #first = BUCKETS;
  #end = 0;
  #max = 0;
  /** Cached for reading until the next value is recorded. */
  #read: Hdr | undefined;

  static from(data: HistogramData): Histogram {
    const histogram = new Histogram();
    histogram.#add(data);
    return histogram;
  }

  get data(): HistogramData {
    const first = Math.min(this.#first, this.#end);
    return { first, counts: this.#counts.slice(first, this.#end), max: this.#max };
  }

  /** Returns the recorded values as a new histogram and clears this one, without copying. */
  take(): Histogram {
    const taken = new Histogram();
    [taken.#counts, this.#counts] = [this.#counts, taken.#counts];
    [taken.#first, taken.#end, taken.#max] = [this.#first, this.#end, this.#max];
    this.clear();
    return taken;
  }

  get count(): number {
    return this.#counts.reduce((sum, n) => sum + n, 0);
  }

  /** Exact, unlike the percentiles. */
  get maxMs(): number {
    return this.#max / UNITS_PER_MS;
  }

  get meanMs(): number {
    return this.count === 0 ? 0 : this.#hdr().mean / UNITS_PER_MS;
  }

  record(ms: number, times = 1): void {
    const units = Math.min(HIGHEST, Math.max(0, Math.round(ms * UNITS_PER_MS)));
    const bucket = bucketOf(units);
    this.#counts[bucket] = this.#counts[bucket]! + times;
    if (bucket < this.#first) this.#first = bucket;
    if (bucket >= this.#end) this.#end = bucket + 1;
    if (units > this.#max) this.#max = units;
    this.#read = undefined;
  }

  merge(other: Histogram): void {
    this.#add(other.data);
  }

  clear(): void {
    this.#counts.fill(0, this.#first, this.#end);
    this.#first = BUCKETS;
    this.#end = this.#max = 0;
    this.#read = undefined;
  }

  /** The latency in milliseconds that `percent` of the samples did not exceed; 0 without samples. */
  percentile(percent: number): number {
    return Math.min(this.#hdr().getValueAtPercentile(percent), this.#max) / UNITS_PER_MS;
  }

  /** HdrHistogram's compressed V2 encoding in base64, in units of 100 ns, for external tools. */
  encoded(): string {
    return encodeIntoCompressedBase64(this.#hdr());
  }

  #add({ first, counts, max }: HistogramData): void {
    for (let i = 0; i < counts.length; i++) this.#counts[first + i]! += counts[i]!;
    if (counts.length > 0) this.#first = Math.min(this.#first, first);
    this.#end = Math.max(this.#end, first + counts.length);
    this.#max = Math.max(this.#max, max);
    this.#read = undefined;
  }

  #hdr(): Hdr {
    if (this.#read) return this.#read;
    const range = { lowestDiscernibleValue: 1, highestTrackableValue: HIGHEST };
    const hdr = build({ ...range, numberOfSignificantValueDigits: DIGITS, bitBucketSize: 64 });
    for (let i = this.#first; i < this.#end; i++) {
      if (this.#counts[i] !== 0) hdr.recordValueWithCount(lowestIn(i), this.#counts[i]!);
    }
    this.#read = hdr;
    return hdr;
  }
}
