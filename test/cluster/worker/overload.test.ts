/** When a worker is overloaded and when it is not: the switch with hysteresis, and what the worker does by it. */
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Hysteresis } from "../../../src/cluster/worker/overload/hysteresis.js";
import { Overload } from "../../../src/cluster/worker/overload/overload.js";
import type { Heartbeat } from "../../../src/cluster/worker/watch/heartbeat.js";
import { ManualClock, useClock } from "../../../src/index.js";

const MIB = 2 ** 20;

test("property: it switches only after readings have stood beyond the mark for its time, so it cannot flap", () => {
  const marks = fc.record({
    enter: fc.integer({ min: 50, max: 100 }),
    leave: fc.integer({ min: 1, max: 50 }),
    enterAfter: fc.integer({ min: 0, max: 500 }),
    leaveAfter: fc.integer({ min: 1, max: 500 }),
  });
  const readings = fc.array(fc.record({ after: fc.nat(300), value: fc.nat(120) }), { maxLength: 200 });
  fc.assert(
    fc.property(marks, readings, (given, all) => {
      const one = new Hysteresis(given);
      const seen: { now: number; value: number }[] = [];
      let now = 0;
      let switchedAt = 0;
      for (const { after, value } of all) {
        now += after;
        seen.push({ now, value });
        const before = one.on;
        const switched = one.read(now, value);
        expect(switched).toBe(one.on !== before);
        if (!switched) continue;
        const stood = before ? given.leaveAfter : given.enterAfter;
        const inner = seen.filter((reading) => reading.now > now - stood);
        const beyond = inner.every((r) => (before ? r.value < given.leave : r.value >= given.enter));
        expect(beyond).toBe(true);
        // Since it last switched, at least that time has passed.
        expect(now - switchedAt).toBeGreaterThanOrEqual(stood);
        switchedAt = now;
      }
    }),
  );
});

test("property: readings between the marks never switch it, and enough beyond one always do", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.8, max: 0.89, noNaN: true })), fc.boolean(), (between, on) => {
      const one = new Hysteresis({ enter: 0.9, leave: 0.8, enterAfter: 100, leaveAfter: 200 });
      const drive = (value: number): void => {
        for (const now of [-1_000, -700]) one.read(now, value);
      };
      if (on) drive(1);
      expect(one.on).toBe(on);
      for (const [at, value] of between.entries()) expect(one.read(at * 1_000, value)).toBe(false);
      const end = between.length * 1_000;
      one.read(end, on ? 0 : 1);
      expect(one.read(end + 200, on ? 0 : 1)).toBe(true);
      expect(one.on).toBe(!on);
    }),
  );
});

/** A worker on a manual clock with a beat every 100 ms. */
function stage(terms: { maxLag?: number; maxMemory?: number }) {
  const clock = new ManualClock(0);
  onTestFinished(useClock(clock));
  const log: string[] = [];
  const seen = { used: 100 * MIB, garbage: 0, heap: 0, lag: 0, collections: 0, changes: 0, shed: 0 };
  const heartbeat: Pick<Heartbeat, "onBeat"> = { onBeat: undefined };
  const overload = new Overload({
    heartbeat,
    log: { warn: (text) => void log.push(`warn ${text}`), info: (text) => void log.push(`info ${text}`) },
    meter: {
      read: () => ({ bytes: seen.used + seen.garbage, heap: seen.heap }),
      collect: () => {
        seen.garbage = 0;
        seen.collections++;
        return true;
      },
    },
    changed: () => void seen.changes++,
    shed: () => {
      seen.shed++;
      return 5;
    },
  });
  overload.terms = { maxLag: terms.maxLag ?? 0, maxMemory: terms.maxMemory };
  const beats = async (ms: number) => {
    for (let at = 0; at < ms; at += 100) {
      await clock.advance(100);
      heartbeat.onBeat?.(seen.lag);
    }
  };
  return { overload, heartbeat, seen, log, beats };
}

test("one long lag is none; lag that lasts stops accepting until it is below a half for two seconds", async () => {
  const { overload, seen, log, beats } = stage({ maxLag: 200 });
  seen.lag = 5_000;
  await beats(100);
  seen.lag = 0;
  await beats(3_000);
  expect([overload.accepting, log]).toEqual([true, []]);
  seen.lag = 250;
  await beats(1_200);
  expect([overload.accepting, overload.lagLevel, seen.changes]).toEqual([false, 1, 1]);
  seen.lag = 120;
  await beats(10_000);
  expect(overload.accepting).toBe(false);
  seen.lag = 20;
  await beats(2_200);
  expect([overload.accepting, overload.lagLevel, seen.changes]).toEqual([true, 0, 2]);
  expect(log).toEqual([
    "warn Overloaded: event loop blocked for 250 ms at a time, --max-lag is 200 ms: not accepting until it is below 100 ms",
    "info No longer overloaded (event loop): accepting again after 12.2 s",
  ]);
  expect(overload.pausedSeconds).toBeCloseTo(12.2);
});

test("garbage is collected before memory counts as too much; then it stops accepting, and closes above the limit", async () => {
  const { overload, seen, log, beats } = stage({ maxMemory: 1_000 * MIB });
  seen.garbage = 900 * MIB;
  await beats(100);
  expect([overload.accepting, seen.collections]).toEqual([true, 1]);
  seen.used = 920 * MIB;
  await beats(100);
  expect([overload.accepting, overload.memoryLevel, seen.shed]).toEqual([false, 1, 0]);
  seen.used = 1_010 * MIB;
  await beats(2_100);
  expect([overload.memoryLevel, seen.shed]).toEqual([2, 3]);
  seen.used = 850 * MIB;
  await beats(10_000);
  expect([overload.memoryLevel, seen.shed]).toEqual([1, 3]);
  expect(overload.memorySeconds).toBeCloseTo(12.1);
  seen.used = 700 * MIB;
  await beats(3_100);
  expect([overload.accepting, overload.memorySeconds, seen.changes]).toEqual([true, 0, 2]);
  expect(log).toEqual([
    "warn Overloaded: 920 MiB of memory are in use, --max-memory is 1000 MiB: not accepting until it is below 80 %",
    "warn Overloaded: 1010 MiB of memory are in use, --max-memory is 1000 MiB: closing connections until it is below 90 %",
    "info 15 connections closed for want of memory",
    "info No longer overloaded (memory): accepting again after 15.2 s",
  ]);
});

test("a heap near V8's own limit counts as well", async () => {
  const { overload, seen, log, beats } = stage({ maxMemory: 1_000 * MIB });
  seen.heap = 0.95;
  await beats(100);
  expect(overload.memoryLevel).toBe(1);
  expect(log[0]).toMatch(/^warn Overloaded: 95 % of the JavaScript heap is in use: not accepting/);
});

test("terms that allow more begin anew, and without any nothing is read", async () => {
  const { overload, heartbeat, seen, log, beats } = stage({ maxMemory: 1_000 * MIB });
  seen.used = 950 * MIB;
  await beats(100);
  expect([overload.accepting, seen.changes]).toEqual([false, 1]);
  overload.terms = { maxLag: 0, maxMemory: 2_000 * MIB };
  expect([overload.accepting, seen.changes]).toEqual([true, 2]);
  await beats(1_000);
  expect(overload.accepting).toBe(true);
  overload.terms = { maxLag: 0, maxMemory: undefined };
  expect([overload.enabled, heartbeat.onBeat]).toEqual([false, undefined]);
  seen.used = 10_000 * MIB;
  await beats(1_000);
  expect([overload.accepting, seen.changes, seen.shed]).toEqual([true, 2, 0]);
  expect(log.at(-1)).toBe("info No longer overloaded (memory): accepting again after 0.0 s");
});

test("a lowered maximum of memory is in force at the next reading, also where none was read before", async () => {
  const { overload, seen, beats } = stage({});
  seen.used = 500 * MIB;
  await beats(5_000);
  overload.terms = { maxLag: 0, maxMemory: 1_000 * MIB };
  await beats(100);
  expect(overload.memoryLevel).toBe(0);
  overload.terms = { maxLag: 0, maxMemory: 520 * MIB };
  expect([overload.accepting, overload.memorySeconds]).toEqual([true, 0]);
  await beats(100);
  expect([overload.memoryLevel, seen.changes, seen.shed]).toEqual([1, 1, 0]);
  // Lower still: it goes on not to accept, without a moment in which it does.
  overload.terms = { maxLag: 0, maxMemory: 400 * MIB };
  expect([overload.accepting, seen.changes]).toEqual([false, 1]);
  await beats(100);
  expect([overload.memoryLevel, seen.shed]).toEqual([2, 1]);
  overload.terms = { maxLag: 0, maxMemory: undefined };
  expect([overload.memoryLevel, overload.memorySeconds, seen.changes]).toEqual([0, 0, 2]);
});

test("another maximum of lag leaves the overload by memory as it is, and 0 ends that by lag", async () => {
  const { overload, seen, log, beats } = stage({ maxLag: 200, maxMemory: 1_000 * MIB });
  Object.assign(seen, { used: 950 * MIB, lag: 250 });
  await beats(1_200);
  expect([overload.lagLevel, overload.memoryLevel]).toEqual([1, 1]);
  // Below a half of 200, not of 100.
  seen.lag = 60;
  overload.terms = { maxLag: 100, maxMemory: 1_000 * MIB };
  await beats(3_000);
  expect([overload.lagLevel, overload.memoryLevel]).toEqual([1, 1]);
  overload.terms = { maxLag: 0, maxMemory: 1_000 * MIB };
  expect([overload.lagLevel, overload.memoryLevel, seen.changes]).toEqual([0, 1, 1]);
  expect(log.at(-1)).toMatch(/^info No longer overloaded \(event loop\): still not accepting after /);
  seen.lag = 5_000;
  await beats(3_000);
  expect([overload.lagLevel, overload.memorySeconds > 6]).toEqual([0, true]);
});
