import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clock, ManualClock, settle, systemClock, useClock, wallTime } from "../../../src/otp/time/clock.js";
import { toMs } from "../../../src/otp/time/duration.js";
import { Listener } from "../support.js";

describe("ManualClock", () => {
  it("does not move until it is advanced", async () => {
    const manual = new ManualClock(100);
    let fired = 0;
    manual.setTimeout(() => fired++, 10);
    await settle();
    expect([manual.now(), fired, manual.pending]).toEqual([100, 0, 1]);
    await manual.advance(9.5);
    expect([manual.now(), fired]).toEqual([109.5, 0]);
    await manual.advance(0.5);
    expect([manual.now(), fired, manual.pending]).toEqual([110, 1, 0]);
  });

  it("fires in the order of time, and equal times in the order in which they were set", async () => {
    const manual = new ManualClock();
    const fired: string[] = [];
    manual.setTimeout(() => fired.push("b"), 20);
    manual.setTimeout(() => fired.push("a"), 10);
    manual.setTimeout(() => fired.push("c"), 20);
    manual.setTimeout(() => fired.push("now"), 0);
    manual.setTimeout(() => fired.push("past"), -5);
    await manual.advance(20);
    expect(fired).toEqual(["now", "past", "a", "b", "c"]);
  });

  it("shows a timer the time for which it was set, and fires those that it sets in turn", async () => {
    const manual = new ManualClock();
    const at: number[] = [];
    const tick = () => {
      at.push(manual.now());
      if (at.length < 5) manual.setTimeout(tick, 7);
    };
    manual.setTimeout(tick, 7);
    await manual.advance(1000);
    expect(at).toEqual([7, 14, 21, 28, 35]);
    expect(manual.now()).toBe(1000);
  });

  it("forgets a timer that is cleared, also twice, also from another timer", async () => {
    const manual = new ManualClock();
    let fired = 0;
    const timer = manual.setTimeout(() => fired++, 10);
    manual.setTimeout(() => manual.clearTimeout(timer), 10 - 1);
    await manual.advance(20);
    manual.clearTimeout(timer);
    manual.clearTimeout(undefined);
    expect(fired).toBe(0);
  });

  it("lets processes react to one timer before the next", async () => {
    const manual = new ManualClock();
    const seen: string[] = [];
    const process = new Listener({ on: (_, message) => void seen.push(String(message)) });
    manual.setTimeout(() => process.deliver("one"), 1);
    manual.setTimeout(() => seen.push("two"), 2);
    await manual.advance(2);
    expect(seen).toEqual(["one", "two"]);
  });
});

describe("useClock", () => {
  afterEach(() => expect(clock).toBe(systemClock));

  it("puts a clock in the place of the other, and back", () => {
    const manual = new ManualClock();
    const restore = useClock(manual);
    expect(clock).toBe(manual);
    const inner = useClock(new ManualClock());
    inner();
    expect(clock).toBe(manual);
    restore();
  });
});

describe("settle", () => {
  it("outlasts a mailbox that needs many turns of the event loop", async () => {
    const process = new Listener();
    for (let n = 0; n < 100_000; n++) process.deliver(n);
    await settle();
    expect(process.got).toHaveLength(100_000);
  });

  it("comes back though two processes never stop talking", async () => {
    const [a, b] = pair();
    a.deliver("ping");
    await settle();
    a.quit("normal");
    b.quit("normal");
    expect(a.got.length).toBeGreaterThan(1000);
  });
});

function pair(): [Listener, Listener] {
  const a: Listener = new Listener({ on: () => b.deliver("ping") });
  const b: Listener = new Listener({ on: () => a.deliver("pong") });
  return [a, b];
}

describe("the real clock", () => {
  it("is monotonic, and the wall's is not for arithmetic", () => {
    const before = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(wallTime()).toBeGreaterThan(1_600_000_000_000);
  });

  describe("with a timer that is longer than the 24.8 days of Node.js", () => {
    const DAY = 86_400_000;
    beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
    afterEach(() => void vi.useRealTimers());

    it.each([24.8, 25, 30, 365, 3650])("fires once after %d days, and not before", (days) => {
      let fired = 0;
      systemClock.setTimeout(() => fired++, days * DAY);
      vi.advanceTimersByTime(days * DAY - 1);
      expect(fired).toBe(0);
      vi.advanceTimersByTime(1);
      expect([fired, vi.getTimerCount()]).toEqual([1, 0]);
    });

    it.each([0, 13, 29])("can clear it after %d of 30 days", (days) => {
      let fired = 0;
      const timer = systemClock.setTimeout(() => fired++, 30 * DAY);
      vi.advanceTimersByTime(days * DAY);
      systemClock.clearTimeout(timer);
      expect(vi.getTimerCount()).toBe(0);
      vi.advanceTimersByTime(60 * DAY);
      expect(fired).toBe(0);
    });

    it("never fires one of Infinity", () => {
      let fired = 0;
      const timer = systemClock.setTimeout(() => fired++, Infinity);
      vi.advanceTimersByTime(1000 * DAY);
      systemClock.clearTimeout(timer);
      expect([fired, vi.getTimerCount()]).toEqual([0, 0]);
    });

    it("keeps the OS process alive in every step, unless it is a background timer", () => {
      const kept: boolean[] = [];
      const set = globalThis.setTimeout;
      vi.spyOn(globalThis, "setTimeout").mockImplementation(((callback: () => void, ms: number) => {
        const timer = set(() => {
          kept.push(timer.hasRef());
          callback();
        }, ms);
        return timer;
      }) as typeof setTimeout);
      systemClock.setTimeout(() => {}, 30 * DAY);
      vi.advanceTimersByTime(30 * DAY);
      systemClock.setTimeout(() => {}, 30 * DAY, true);
      vi.advanceTimersByTime(30 * DAY);
      vi.restoreAllMocks();
      expect(kept).toEqual([true, true, true, false, false, false]);
    });
  });
});

describe("toMs", () => {
  it.each([
    [500, 500],
    ["500ms", 500],
    ["2s", 2000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    [0.4, 0],
    ["0s", 0],
  ])("reads %j as %d ms", (duration, ms) => {
    expect(toMs(duration)).toBe(ms);
  });

  it.each([-1, Number.NaN, Infinity, "2", "2 s", "s", "", "-1s", "1d"])("refuses %j", (duration) => {
    expect(() => toMs(duration)).toThrow(/Expected a duration: .* such as "2m", got/);
  });
});
