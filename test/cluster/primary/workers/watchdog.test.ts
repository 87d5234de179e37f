import { afterEach, beforeEach, expect, test } from "vitest";
import { Watchdog } from "../../../../src/cluster/primary/workers/watchdog.js";
import { useClock } from "../../../../src/otp/time/clock.js";
import { JumpingClock } from "../../jumping-clock.js";
import { type FakeWorker, fakeWorkers } from "../fake-worker.js";

let clock: JumpingClock;
let restore: () => void;
let lines: string[];
const log = {
  warn: (line: string) => void lines.push(`warn ${line}`),
  error: (line: string) => void lines.push(`error ${line}`),
};
beforeEach(() => {
  clock = new JumpingClock();
  restore = useClock(clock);
  lines = [];
});
afterEach(() => restore());

function watched(): FakeWorker {
  const [worker] = fakeWorkers(1) as [FakeWorker];
  new Watchdog(() => [worker.slot], log, 10_000).start();
  return worker;
}

test("a silent worker is shown as unresponsive after 3 s and killed after 10 s", async () => {
  const worker = watched();
  await clock.advance(2_500);
  expect(worker.unresponsive).toBe(false);
  await clock.advance(500);
  expect(worker.unresponsive).toBe(true);
  await clock.advance(6_500);
  expect(worker.killedAfter).toBeUndefined();
  await clock.advance(500);
  expect(worker.killedAfter).toBe(10_000);
  expect(lines).toEqual([
    "warn Unresponsive worker 1: no message for 3.0 s; it will be killed after 10 s",
    "error Killed worker 1 (watchdog): no message for 10.0 s",
  ]);
});

test("a worker that sends snapshots is never killed", async () => {
  const worker = watched();
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000);
    worker.sendSnapshot(0, 1);
  }
  expect(worker.killedAfter).toBeUndefined();
  expect(lines).toEqual([]);
});

test("time in which the primary itself was stopped does not count", async () => {
  const worker = watched();
  await clock.advance(2_000);
  clock.skip(60_000);
  await clock.advance(500);
  expect(worker.killedAfter).toBeUndefined();
  expect(worker.unresponsive).toBe(false);
  await clock.advance(7_000);
  expect(worker.killedAfter).toBeUndefined();
  await clock.advance(1_000);
  expect(worker.killedAfter).toBeGreaterThanOrEqual(10_000);
});

test("only a running worker is watched", async () => {
  const worker = watched();
  worker.state = "stopping";
  await clock.advance(60_000);
  expect(worker.killedAfter).toBeUndefined();
});
