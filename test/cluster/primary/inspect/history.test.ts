/** History: one row per second, also after the primary was stopped. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { History } from "../../../../src/cluster/primary/inspect/history.js";
import type { Stats, WorkerStats } from "../../../../src/control/stats.js";
import { useClock } from "../../../../src/otp/time/clock.js";
import { JumpingClock } from "../../jumping-clock.js";

let clock: JumpingClock;
let restore: () => void;
let history: History;
beforeEach(() => {
  clock = new JumpingClock(7_000_000);
  restore = useClock(clock);
});
afterEach(() => {
  history.stop();
  restore();
});

/** Every row has one more accepted connection than the one before. */
function begun(workers: readonly Partial<WorkerStats>[] = []): History {
  let looks = 0;
  history = new History(() => {
    const none = { active: 0, closed: 0, framesReceived: 0, framesSent: 0, bytesReceived: 0, bytesSent: 0 };
    const totals = { ...none, crashes: 0, restarts: 0, accepted: ++looks };
    const stats = { at: 0, workers, listeners: [], totals, restartsLeft: 5, status: "running" };
    return stats as unknown as Stats;
  });
  history.start();
  return history;
}

const accepted = ({ rows: { rows, columns } }: History) =>
  rows.map((row) => row?.[columns.indexOf("accepted")] ?? null);

test("takes a row at the start, then one every second", async () => {
  begun();
  expect(accepted(history)).toEqual([1]);
  await clock.advance(999);
  expect(accepted(history)).toEqual([1]);
  await clock.advance(2_001);
  expect(accepted(history)).toEqual([1, 2, 3, 4]);
});

test("a row holds sums, and the longest loop lag", () => {
  const { rows } = begun([
    { loopLagMs: 1.26, residentBytes: 60e6 },
    { loopLagMs: 40.04, residentBytes: 70e6 },
  ]);
  const [row] = rows.rows;
  const of = Object.fromEntries(rows.columns.map((name, at) => [name, row?.[at]]));
  expect(of).toMatchObject({ accepted: 1, active: 0, loopLagMs: 40, residentBytes: 130e6 });
});

test("keeps the last 15 minutes, and reports the time of the first row", async () => {
  begun();
  await clock.advance(10_000);
  const before = Date.now();
  const { from, everyMs, rows } = history.rows;
  expect([rows.length, everyMs]).toEqual([11, 1_000]);
  expect(from).toBeGreaterThanOrEqual(before - 10_000);
  expect(from).toBeLessThanOrEqual(Date.now() - 10_000 + 1);
  await clock.advance(1_000_000);
  expect(accepted(history)).toEqual(Array.from({ length: 900 }, (_, at) => 1_011 - 899 + at));
});

test("seconds in which the primary was stopped are null, and later rows stay at their times", async () => {
  begun();
  await clock.advance(2_000);
  clock.skip(3_300);
  await clock.advance(1_000);
  expect(accepted(history)).toEqual([1, 2, 3, null, null, null, 4]);
  await clock.advance(700);
  expect(accepted(history)).toEqual([1, 2, 3, null, null, null, 4, 5]);
  clock.skip(3_600_000);
  await clock.advance(1_000);
  const rows = accepted(history);
  expect([rows.length, rows.filter((row) => row !== null)]).toEqual([900, [6]]);
});

test("small delays of the timer do not add up", async () => {
  begun();
  for (let second = 0; second < 100; second++) {
    clock.skip(20);
    await clock.advance(980);
  }
  expect(accepted(history)).toHaveLength(101);
  expect(accepted(history)).not.toContain(null);
});

test("has one timer, and none after stop", async () => {
  begun();
  await clock.advance(5_000);
  expect(clock.pending).toBe(1);
  history.stop();
  expect(clock.pending).toBe(0);
});
