import { afterEach, beforeEach, expect, test } from "vitest";
import { History } from "../../../src/cluster/primary/inspect/history.js";
import type { Stats, WorkerStats } from "../../../src/control/stats.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";

/** A clock whose OS process can be stopped for a while: what was due then comes late. */
class Stopping extends ManualClock {
  #skipped = 0;
  override now(): number {
    return super.now() + this.#skipped;
  }
  stopFor(ms: number): void {
    this.#skipped += ms;
  }
}

let clock: Stopping;
let restore: () => void;
let history: History;
beforeEach(() => {
  clock = new Stopping(7_000_000);
  restore = useClock(clock);
});
afterEach(() => {
  history.stop();
  restore();
});

/** Every look accepts one more. */
function begun(workers: readonly Partial<WorkerStats>[] = []): History {
  let looks = 0;
  history = new History(() => {
    const none = { active: 0, closed: 0, framesReceived: 0, framesSent: 0, bytesReceived: 0, bytesSent: 0 };
    const totals = { ...none, crashes: 0, restarts: 0, accepted: ++looks };
    return { at: 0, workers: workers as WorkerStats[], totals, restartsLeft: 5, status: "running" } as Stats;
  });
  history.start();
  return history;
}

const accepted = ({ rows: { rows, columns } }: History) =>
  rows.map((row) => row?.[columns.indexOf("accepted")] ?? null);

test("a row is taken at the start, and then one each second", async () => {
  begun();
  expect(accepted(history)).toEqual([1]);
  await clock.advance(999);
  expect(accepted(history)).toEqual([1]);
  await clock.advance(2_001);
  expect(accepted(history)).toEqual([1, 2, 3, 4]);
});

test("a row has the sums, and of the loops the latest", () => {
  const { rows } = begun([
    { loopLagMs: 1.26, residentBytes: 60e6 },
    { loopLagMs: 40.04, residentBytes: 70e6 },
  ]);
  const [row] = rows.rows;
  const of = Object.fromEntries(rows.columns.map((name, at) => [name, row?.[at]]));
  expect(of).toMatchObject({ accepted: 1, active: 0, loopLagMs: 40, residentBytes: 130e6 });
});

test("the first row is as old as it says, and only the last quarter of an hour is kept", async () => {
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

test("seconds in which the primary was stopped are empty, and those after it are in their places", async () => {
  begun();
  await clock.advance(2_000);
  clock.stopFor(3_300);
  await clock.advance(1_000);
  expect(accepted(history)).toEqual([1, 2, 3, null, null, null, 4]);
  await clock.advance(700);
  expect(accepted(history)).toEqual([1, 2, 3, null, null, null, 4, 5]);
  clock.stopFor(3_600_000);
  await clock.advance(1_000);
  const rows = accepted(history);
  expect([rows.length, rows.filter((row) => row !== null)]).toEqual([900, [6]]);
});

test("a little late every time, it does not run behind", async () => {
  begun();
  for (let second = 0; second < 100; second++) {
    clock.stopFor(20);
    await clock.advance(980);
  }
  expect(accepted(history)).toHaveLength(101);
  expect(accepted(history)).not.toContain(null);
});

test("it has one timer, and none once it is stopped", async () => {
  begun();
  await clock.advance(5_000);
  expect(clock.pending).toBe(1);
  history.stop();
  expect(clock.pending).toBe(0);
});
