import { afterEach, beforeEach, expect, test } from "vitest";
import { Watchdog } from "../../../src/cluster/primary/watchdog.js";
import { Heartbeat } from "../../../src/cluster/worker/heartbeat.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";
import { type FakeWorker, fakeWorkers } from "./fake-worker.js";

/** A clock that can jump: the whole OS process was stopped, or did something else for long. */
class Jumping extends ManualClock {
  #skipped = 0;
  override now(): number {
    return super.now() + this.#skipped;
  }
  skip(ms: number): void {
    this.#skipped += ms;
  }
}

let clock: Jumping;
let restore: () => void;
let lines: string[];
const log = {
  warn: (line: string) => void lines.push(`warn ${line}`),
  error: (line: string) => void lines.push(`error ${line}`),
};
beforeEach(() => {
  clock = new Jumping();
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
    "warn worker 1 does not respond; silent for 10 s, it will be killed",
    "error worker 1 was silent for 10.0 s: killed",
  ]);
});

test("a worker that tells its numbers is left alone, however long it runs", async () => {
  const worker = watched();
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000);
    worker.tell(0, 1);
  }
  expect(worker.killedAfter).toBeUndefined();
  expect(lines).toEqual([]);
});

test("a primary that was stopped itself does not hold that against its workers", async () => {
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

test("only a worker that runs is watched", async () => {
  const worker = watched();
  worker.state = "stopping";
  await clock.advance(60_000);
  expect(worker.killedAfter).toBeUndefined();
});

test("a loop that stands still for 200 ms is worth one line, and one more after 10 s", async () => {
  const pulse = new Heartbeat(log, 200);
  await clock.advance(1_000);
  clock.skip(150);
  await clock.advance(100);
  expect(lines).toEqual([]);
  clock.skip(500);
  await clock.advance(100);
  clock.skip(300);
  await clock.advance(100);
  expect(lines).toEqual(["warn the event loop stood still for 500 ms: a handler computes for too long"]);
  expect(pulse.takeLag()).toBe(500);
  expect(pulse.takeLag()).toBe(0);
  await clock.advance(10_000);
  clock.skip(250);
  await clock.advance(100);
  expect(lines[1]).toBe(
    "warn the event loop stood still for 250 ms, and 1 times more since it was last said: a handler computes for too long",
  );
});
