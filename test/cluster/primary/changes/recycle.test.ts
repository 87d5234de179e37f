/** A worker whose memory stays too high is replaced: one at a time, and not too often. */
import { expect, onTestFinished, test } from "vitest";
import { Recycle } from "../../../../src/cluster/primary/changes/recycle.js";
import type { WorkerSlot } from "../../../../src/cluster/primary/workers/worker-slot.js";
import { ManualClock, useClock } from "../../../../src/index.js";

const LIMIT = 1_000;

function stage(count: number) {
  const clock = new ManualClock(0);
  onTestFinished(useClock(clock));
  const memory = Array.from({ length: count }, () => ({ residentBytes: 500, overloadMemorySeconds: 0 }));
  const slots = memory.map((gauges, at) => ({
    slot: at + 1,
    process: { state: "running", osPid: 100 + at },
    last: { gauges },
  })) as unknown as (WorkerSlot & { process: { state: string; osPid: number } })[];
  const limit: { bytes: number | undefined } = { bytes: LIMIT };
  const [asked, replaced, log]: [number[], number[], string[]] = [[], [], []];
  let finish: (error?: Error) => void = () => {};
  const recycle = new Recycle({
    slots: () => slots,
    maxMemory: () => limit.bytes,
    restart: (worker) => {
      asked.push(worker);
      return new Promise<void>((resolve, reject) => {
        finish = (error) => (error ? reject(error) : resolve());
      });
    },
    replaced: (worker) => void replaced.push(worker),
    log: { warn: (text) => void log.push(text) },
  });
  const pass = async (seconds: number) => {
    for (let at = 0; at < seconds; at++) {
      await clock.advance(1_000);
      recycle.check();
      for (const one of memory) if (one.overloadMemorySeconds > 0) one.overloadMemorySeconds++;
    }
  };
  const end = async (error?: Error) => {
    finish(error);
    await clock.advance(0);
  };
  return { memory, slots, limit, asked, replaced, log, pass, end };
}

test("after a minute of too much memory, in its own words or by its resident size, and one at a time", async () => {
  const { memory, asked, replaced, log, pass, end } = stage(3);
  await pass(200);
  expect(asked).toEqual([]);
  Object.assign(memory[0] as object, { overloadMemorySeconds: 1 });
  Object.assign(memory[1] as object, { residentBytes: LIMIT + 1 });
  await pass(58);
  expect(asked).toEqual([]);
  await pass(60);
  expect(asked).toEqual([1]);
  expect(log[0]).toMatch(/^Replacing worker 1: its memory has been too near to or above --max-memory/);
  Object.assign(memory[0] as object, { overloadMemorySeconds: 0 });
  await end();
  expect(replaced).toEqual([1]);
  await pass(31);
  expect(asked).toEqual([1, 2]);
});

test("a slot is replaced every ten minutes at most, and a resident size that falls begins anew", async () => {
  const { memory, asked, pass, end } = stage(1);
  const [one] = memory as [{ residentBytes: number; overloadMemorySeconds: number }];
  one.residentBytes = LIMIT + 1;
  await pass(40);
  one.residentBytes = LIMIT;
  await pass(1);
  one.residentBytes = LIMIT + 1;
  await pass(40);
  expect(asked).toEqual([]);
  await pass(30);
  expect(asked).toEqual([1]);
  await end();
  await pass(590);
  expect(asked).toEqual([1]);
  await pass(30);
  expect(asked).toEqual([1, 1]);
});

test("where it was refused during another change it is tried again, and said", async () => {
  const { memory, asked, replaced, log, pass, end } = stage(2);
  Object.assign(memory[1] as object, { residentBytes: LIMIT + 1 });
  await pass(70);
  expect(asked).toEqual([2]);
  await end(new Error("a change is under way: ask again after it"));
  expect(log.at(-1)).toBe("Worker 2 was not replaced: a change is under way: ask again after it");
  await pass(35);
  expect([asked, replaced]).toEqual([[2, 2], []]);
});

test("a limit that is lowered while it runs counts from then on, and one that was off begins anew", async () => {
  const { limit, asked, pass } = stage(1);
  await pass(100);
  limit.bytes = 400;
  await pass(59);
  limit.bytes = undefined;
  await pass(100);
  limit.bytes = 400;
  await pass(60);
  expect(asked).toEqual([]);
  await pass(2);
  expect(asked).toEqual([1]);
});
