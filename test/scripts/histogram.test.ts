// Percentiles are what people decide by: the error that the histogram promises must be kept everywhere.
import { describe, expect, it } from "vitest";
import { Histogram } from "../../scripts/load/histogram.js";

describe("the histogram", () => {
  it("gives percentiles at most 1.6 % too high and never too low", () => {
    const histogram = new Histogram();
    const samples = Array.from({ length: 5_000 }, (_, i) => 0.0001 * 1.004 ** i);
    for (const ms of samples) histogram.record(ms);
    for (const percent of [0.1, 1, 25, 50, 75, 90, 99, 99.9]) {
      const exact = Math.round(samples[Math.ceil((percent / 100) * samples.length) - 1]! * 10_000) / 10_000;
      expect(histogram.percentile(percent)).toBeGreaterThanOrEqual(exact - 1e-9);
      expect(histogram.percentile(percent)).toBeLessThanOrEqual(exact * 1.016);
    }
    expect(histogram.percentile(100)).toBe(histogram.maxMs);
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
});
