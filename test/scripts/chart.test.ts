// The scales and drawings that the load page and the benchmark share.
import { describe, expect, it } from "vitest";
import { lineChart } from "../../scripts/chart/line-chart.js";
import { linear, logarithmic, nines, span } from "../../scripts/chart/scale.js";

describe("scales", () => {
  it("end at a round number above the greatest value", () => {
    expect(linear(87_000).ticks).toEqual([0, 25_000, 50_000, 75_000, 100_000]);
    expect(linear(0).ticks.length).toBeGreaterThan(1);
    expect(linear(100).at(100)).toBe(1);
  });

  it("end at the last second, where time is drawn", () => {
    expect(span(9).at(9)).toBe(1);
    expect(span(9).ticks).toEqual([0, 2, 4, 6, 8]);
  });

  it("hold all values between powers of ten", () => {
    const { at, ticks } = logarithmic(0.3, 45);
    expect(ticks).toEqual([0.1, 1, 10, 100]);
    expect(at(0.3)).toBeGreaterThan(0);
    expect(at(45)).toBeLessThan(1);
    expect(logarithmic(2, 30).ticks).toEqual([1, 2, 5, 10, 20, 50, 100]);
  });

  it("set the nines at equal distances", () => {
    const { at } = nines(99.99);
    expect([0, 90, 99, 99.9, 99.99].map((percent) => Number(at(percent).toFixed(6)))).toEqual([
      0, 0.25, 0.5, 0.75, 1,
    ]);
  });
});

describe("a line chart", () => {
  const chart = {
    label: 'a "label" <here>',
    x: span(4),
    y: linear(10),
    formatX: String,
    formatY: String,
  };

  it("breaks its line where there is no value, and draws a lonely one as a dot", () => {
    const points = [
      [0, 1],
      [1, 2],
      [2, undefined],
      [3, 4],
      [4, undefined],
    ] as const;
    const drawing = lineChart({ ...chart, series: [{ name: "it", color: "red", points: [...points] }] });
    expect(drawing).toMatch(/d="M[\d.]+,[\d.]+L[\d.]+,[\d.]+M[\d.]+,[\d.]+h0\.01"/);
  });

  it("escapes what it is told", () => {
    const drawing = lineChart({ ...chart, series: [{ name: "a<b", color: "red", points: [] }] });
    expect(drawing).toContain('aria-label="a &quot;label&quot; &lt;here>"');
    expect(drawing).toContain("a&lt;b");
  });
});
