/** Which kills of workers are put down to the memory of the cgroup. Real cgroups: `system/faults/memory.test.ts`. */
import { expect, test } from "vitest";
import { OutOfMemory } from "../../../../src/cluster/primary/workers/out-of-memory.js";
import { manualClock } from "../../../support/serving.js";

const OUT = "killed by the kernel: the cgroup is out of memory";

function stage(known: "counter" | "none" = "counter") {
  const counter = { kills: 7 };
  const memory = new OutOfMemory("/nowhere", () => (known === "none" ? undefined : counter.kills));
  return { counter, killed: () => memory.reason(1, "SIGKILL"), noticed: () => memory.look() };
}

test("a kill beside which the counter of the cgroup has grown is for want of memory, once for each", () => {
  const { counter, killed } = stage();
  expect(killed()).toBeUndefined();
  counter.kills = 9;
  expect([killed(), killed(), killed()]).toEqual([OUT, OUT, undefined]);
});

test("a kill of the kernel that hit another OS process does not explain a later kill of a worker", async () => {
  const time = manualClock();
  const { counter, killed, noticed } = stage();
  counter.kills = 8;
  await time.advance(1_000);
  noticed();
  await time.advance(2_000);
  expect(killed()).toBeUndefined();
});

test("one that was noticed before the worker's exit was does", async () => {
  const time = manualClock();
  const { counter, killed, noticed } = stage();
  counter.kills = 8;
  await time.advance(1_000);
  noticed();
  await time.advance(1_999);
  expect(killed()).toBe(OUT);
});

test("where there is no counter, nothing is said", () => {
  const { killed, noticed } = stage("none");
  noticed();
  expect(killed()).toBeUndefined();
});
