/** Suspension of one listener of several: only it is told, and it holds for workers that start later. */
import { expect, test } from "vitest";
import { Suspension } from "../../../../src/cluster/primary/admission/suspend.js";
import { accepts, isEmpty } from "../../../../src/cluster/primary/workers/worker-slot.js";
import { type FakeWorker, fakeWorkers } from "../fake-worker.js";

function stage() {
  const workers = fakeWorkers(2) as [FakeWorker, FakeWorker];
  const listeners = ["devices", "ops"].map((name, at) => ({ name, at, suspended: false }));
  const [devices, ops] = listeners as [(typeof listeners)[0], (typeof listeners)[0]];
  for (const worker of workers)
    worker.answer = (request) => (request.name === "accept" && request.accept ? "running" : "suspended");
  const suspension = new Suspension(() => workers.map(({ slot }) => slot), listeners);
  return { workers, devices, ops, suspension };
}

test("suspend and resume of one tell every worker about that one, and of all about each", async () => {
  const { workers, suspension, devices, ops } = stage();
  expect(await suspension.suspend("ops")).toEqual([
    { worker: 1, listener: "ops", state: "suspended" },
    { worker: 2, listener: "ops", state: "suspended" },
  ]);
  expect(workers[0].asked).toEqual([{ name: "accept", listener: "ops", accept: false }]);
  expect([suspension.accepts(workers[0].slot, devices), suspension.accepts(workers[0].slot, ops)]).toEqual([
    true,
    false,
  ]);
  expect(suspension.suspended).toBe(false);
  expect(await suspension.suspend()).toHaveLength(4);
  expect(suspension.suspended).toBe(true);
  expect(await suspension.resume("devices")).toMatchObject([
    { listener: "devices", state: "running" },
    { listener: "devices", state: "running" },
  ]);
  expect(suspension.suspended).toBe(false);
});

test("a slot that is being removed accepts on none, and gets that said for each", async () => {
  const { workers, suspension, devices } = stage();
  workers[1].slot.removing = true;
  await suspension.apply(workers[1].slot);
  expect(workers[1].asked).toMatchObject([
    { listener: "devices", accept: false },
    { listener: "ops", accept: false },
  ]);
  expect(suspension.accepts(workers[0].slot, devices)).toBe(true);
});

test("an unknown name is refused with those that exist", () => {
  expect(() => stage().suspension.suspend("main")).toThrow('no listener "main": there are devices, ops');
});

test("a slot is empty when no listener accepts or has connections; one listener when that one has none", () => {
  const [worker] = stage().workers;
  const { slot } = worker;
  expect([accepts(slot, { at: 0 }), isEmpty(slot)]).toEqual([undefined, false]);
  worker.sendSnapshots([
    { active: 2, listenerRunning: 1 },
    { active: 0, listenerRunning: 0 },
  ]);
  expect([accepts(slot, { at: 0 }), accepts(slot, { at: 1 })]).toEqual([true, false]);
  expect([isEmpty(slot, { at: 0 }), isEmpty(slot, { at: 1 }), isEmpty(slot)]).toEqual([false, true, false]);
  worker.sendSnapshots([
    { active: 0, listenerRunning: 0 },
    { active: 0, listenerRunning: 0 },
  ]);
  expect(isEmpty(slot)).toBe(true);
});
