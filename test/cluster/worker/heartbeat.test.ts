/** Event loop lag: when it is logged, and what snapshots show. */
import { expect, onTestFinished, test } from "vitest";
import { Heartbeat } from "../../../src/cluster/worker/heartbeat.js";
import { useClock } from "../../../src/otp/time/clock.js";
import { JumpingClock } from "../jumping-clock.js";

test("an event loop blocked for 200 ms is logged, at most once in 10 s", async () => {
  const clock = new JumpingClock();
  onTestFinished(useClock(clock));
  const lines: string[] = [];
  const log = { warn: (line: string) => void lines.push(line) };
  const heartbeat = new Heartbeat(log, 200);
  await clock.advance(1_000);
  clock.skip(150);
  await clock.advance(100);
  expect(lines).toEqual([]);
  clock.skip(500);
  await clock.advance(100);
  clock.skip(300);
  await clock.advance(100);
  expect(lines).toEqual([
    "Event loop blocked for 500 ms: a handler ran too long; move long computations to a worker thread",
  ]);
  expect(heartbeat.takeLag()).toBe(500);
  expect(heartbeat.takeLag()).toBe(0);
  await clock.advance(10_000);
  clock.skip(250);
  await clock.advance(100);
  expect(lines[1]).toBe(
    "Event loop blocked for 250 ms, and 1 times more since the last warning: a handler ran too long; move long computations to a worker thread",
  );
});
