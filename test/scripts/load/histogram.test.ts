// Percentiles are what people decide by: the error that the histogram promises must be kept everywhere.
import { build, decodeFromCompressedBase64 } from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import { Histogram } from "../../../scripts/load/both-sides/histogram.js";

describe("the histogram", () => {
  it("gives the percentiles that hdr-histogram-js gives for the same values", () => {
    const histogram = new Histogram();
    const hdr = build({ lowestDiscernibleValue: 1, highestTrackableValue: 2 ** 31 - 1, bitBucketSize: 64 });
    for (let ms = 0.0001; ms < 200_000; ms *= 1.0007) {
      histogram.record(ms);
      hdr.recordValue(Math.round(ms * 10_000));
    }
    for (const percent of [0, 0.1, 1, 25, 50, 75, 90, 99, 99.9, 99.99]) {
      expect(histogram.percentile(percent)).toBe(hdr.getValueAtPercentile(percent) / 10_000);
    }
    expect(histogram.meanMs).toBeCloseTo(hdr.mean / 10_000, 6);
  });

  it("gives percentiles within 0.1 % of the exact ones, and the exact maximum", () => {
    const histogram = new Histogram();
    const samples = Array.from({ length: 5_000 }, (_, i) => 0.1 * 1.0002 ** i);
    for (const ms of samples) histogram.record(ms);
    for (const percent of [25, 50, 75, 90, 99, 99.9]) {
      const exact = samples[Math.ceil((percent / 100) * samples.length) - 1]!;
      expect(Math.abs(histogram.percentile(percent) / exact - 1)).toBeLessThan(0.0013);
    }
    expect(histogram.percentile(100)).toBe(histogram.maxMs);
    expect(histogram.maxMs).toBeCloseTo(samples.at(-1)!, 3);
  });

  it("can be read by other tools in HdrHistogram's own form", () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 1_000; i++) histogram.record(i, i);
    const read = decodeFromCompressedBase64(histogram.encoded(), 64);
    expect(read.totalCount).toBe(histogram.count);
    expect(read.getValueAtPercentile(90)).toBe(histogram.percentile(90) * 10_000);
  });

  it("is empty at first and again after it was cleared", () => {
    const histogram = new Histogram();
    for (const round of [1, 2]) {
      expect(
        [histogram.count, histogram.percentile(99), histogram.meanMs, histogram.maxMs],
        `${round}`,
      ).toEqual([0, 0, 0, 0]);
      histogram.record(3);
      histogram.clear();
    }
  });

  it("is the sum of its parts after merging", () => {
    const [all, one, other] = [new Histogram(), new Histogram(), new Histogram()];
    for (let i = 1; i < 1_000; i++) {
      all.record(i);
      (i % 3 ? one : other).record(i);
    }
    one.merge(Histogram.from(other.data));
    expect(one.data).toEqual(all.data);
  });

  it("gives out what it holds and goes on empty", () => {
    const histogram = new Histogram();
    for (const ms of [0.1, 3, 70]) histogram.record(ms);
    const taken = histogram.take();
    expect([taken.count, taken.maxMs]).toEqual([3, 70]);
    expect(taken.percentile(50)).toBeCloseTo(3, 2);
    expect([histogram.count, histogram.maxMs, histogram.percentile(99)]).toEqual([0, 0, 0]);
    histogram.record(5);
    expect([histogram.count, histogram.maxMs, taken.count]).toEqual([1, 5, 3]);
    histogram.merge(taken);
    expect([histogram.count, histogram.maxMs]).toEqual([4, 70]);
  });
});
