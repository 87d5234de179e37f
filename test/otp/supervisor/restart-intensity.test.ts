import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addRestart, type Restarts, restartsLeft } from "../../../src/otp/supervisor/restart-intensity.js";

/** How many restarts, at these milliseconds, are allowed before one is not; all of them: their number. */
function survived(intensity: number, period: number, times: readonly number[]): number {
  let restarts: Restarts = [];
  for (const [n, at] of times.entries()) {
    const next = addRestart(restarts, at, intensity, period);
    if (!next.allowed) return n;
    restarts = next.restarts;
  }
  return times.length;
}

describe("addRestart", () => {
  it("lets no restart happen with an intensity of 0", () => {
    expect(survived(0, 5, [0])).toBe(0);
  });

  // Observed on OTP 25 with intensity 1 and period 1: the window is between 1 and 2 seconds long, by phase.
  it.each([
    ["1.90 s apart from .05 of a second: too soon", 50, 1950, false],
    ["1.10 s apart from .95: far enough", 950, 2050, true],
    ["1.02 s apart from .95: too soon", 950, 1970, false],
    ["2.00 s apart from .05: far enough", 50, 2050, true],
    ["1.999 s apart from .000: too soon", 0, 1999, false],
    ["2.000 s apart from .000: far enough", 0, 2000, true],
    ["1.001 s apart from .999: far enough", 999, 2000, true],
    ["1.000 s apart from .999: too soon", 999, 1999, false],
  ])("counts whole seconds of the clock: %s", (_, first, second, fine) => {
    expect(survived(1, 1, [first, second])).toBe(fine ? 2 : 1);
  });

  it("survives five restarts in a minute and not the sixth", () => {
    expect(survived(5, 60, [0, 1, 2, 3, 4, 5])).toBe(5);
    expect(survived(5, 60, [0, 10_000, 20_000, 30_000, 40_000, 60_999])).toBe(5);
    expect(survived(5, 60, [0, 10_000, 20_000, 30_000, 40_000, 61_000])).toBe(6);
  });

  it("counts restarts of one moment one by one", () => {
    expect(survived(3, 1, [7000, 7000, 7000, 7000])).toBe(3);
  });

  it("forgets what lies before the window, so that the list stays short", () => {
    let restarts: Restarts = [];
    for (let at = 0; at < 1_000_000; at += 1000) restarts = addRestart(restarts, at, 10, 5).restarts;
    expect(restarts).toEqual([999, 998, 997, 996, 995, 994]);
  });

  it("agrees with a naive count of the restarts in the last seconds", () => {
    const times = fc.array(fc.nat(3000), { maxLength: 40 }).map((gaps) => {
      let at = 0;
      return gaps.map((gap) => (at += gap));
    });
    fc.assert(
      fc.property(fc.nat(6), fc.integer({ min: 1, max: 6 }), times, (intensity, period, all) => {
        const naive = all.findIndex((at, n) => {
          const now = Math.floor(at / 1000);
          return (
            all.slice(0, n + 1).filter((one) => now - Math.floor(one / 1000) <= period).length > intensity
          );
        });
        expect(survived(intensity, period, all)).toBe(naive === -1 ? all.length : naive);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("restartsLeft", () => {
  it("says how many more would be allowed now", () => {
    const restarts = [12, 11, 10];
    expect(restartsLeft(restarts, 12_500, 5, 60)).toBe(2);
    expect(restartsLeft(restarts, 12_500, 3, 60)).toBe(0);
    expect(restartsLeft(restarts, 12_500, 2, 60)).toBe(0);
    expect(restartsLeft(restarts, 15_999, 5, 5)).toBe(2);
    expect(restartsLeft(restarts, 16_000, 5, 5)).toBe(3);
  });

  it("is what addRestart then allows, at any time", () => {
    const past = fc.array(fc.nat(20), { maxLength: 8 }).map((all) => all.sort((a, b) => b - a));
    fc.assert(
      fc.property(
        past,
        fc.integer({ min: 20_000, max: 40_000 }),
        fc.nat(8),
        fc.integer({ min: 1, max: 9 }),
        (restarts, now, intensity, period) => {
          const left = restartsLeft(restarts, now, intensity, period);
          expect(addRestart(restarts, now, intensity, period).allowed).toBe(left > 0);
        },
      ),
    );
  });
});
