/** Event loop lag: when it is logged, and what snapshots show. */
import { expect, onTestFinished, test } from "vitest";
import { Heartbeat } from "../../../src/cluster/worker/watch/heartbeat.js";
import { useClock } from "../../../src/otp/time/clock.js";
import { JumpingClock } from "../jumping-clock.js";

const HANDLER = "a handler ran too long; move long computations to a worker thread";

/** The lines that a heartbeat logs, and its clock; `ran.ms` is the CPU time so far. */
function started() {
  const clock = new JumpingClock();
  onTestFinished(useClock(clock));
  const lines: string[] = [];
  const ran = { ms: 0 };
  const log = { warn: (line: string) => void lines.push(line) };
  const heartbeat = new Heartbeat(log, 200, () => ran.ms);
  /** The loop stands still this long, of which the worker computes `cpu`. */
  const block = async (ms: number, cpu: number) => {
    clock.skip(ms);
    ran.ms += cpu;
    await clock.advance(100);
  };
  return { clock, lines, heartbeat, block };
}

test("an event loop blocked for 200 ms is logged, at most once in 10 s", async () => {
  const { clock, lines, heartbeat, block } = started();
  await clock.advance(1_000);
  await block(150, 150);
  expect(lines).toEqual([]);
  await block(500, 500);
  await block(300, 300);
  expect(lines).toEqual([`Event loop blocked for 500 ms: ${HANDLER}`]);
  expect(heartbeat.takeLag()).toBe(500);
  expect(heartbeat.takeLag()).toBe(0);
  await clock.advance(10_000);
  await block(250, 250);
  expect(lines[1]).toBe(`Event loop blocked for 250 ms, and 1 times more since the last warning: ${HANDLER}`);
});

test("a worker that had no CPU time meanwhile does not blame a handler", async () => {
  const { clock, lines, block } = started();
  await clock.advance(1_000);
  await block(216, 4);
  await clock.advance(10_000);
  await block(300, 150);
  expect(lines).toEqual([
    "Event loop blocked for 216 ms: this worker had only 4 ms of CPU time in it: the machine is busy, or a handler made a synchronous call that waits",
    `Event loop blocked for 300 ms: ${HANDLER}`,
  ]);
});
