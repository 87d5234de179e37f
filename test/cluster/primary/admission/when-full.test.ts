/** Turning clients away: only when the listener is full in all workers that accept. */
import { expect, test } from "vitest";
import type { WorkerRequest } from "../../../../src/cluster/channel/requests.js";
import { FullListeners } from "../../../../src/cluster/primary/admission/connections/when-full.js";
import type { WhenFull } from "../../../../src/tcp/admission/full-policy.js";
import { fakeWorkers } from "../fake-worker.js";

function stage(whenFull: WhenFull) {
  const workers = fakeWorkers(2);
  const slots = workers.map(({ slot }) => slot);
  const accepting = () => workers.filter(({ alive }) => alive).map(({ slot }) => slot);
  const full = new FullListeners(() => slots, accepting, new Map([["main", whenFull]]));
  const told = () =>
    workers.map(({ asked }) =>
      asked.splice(0).map((request: WorkerRequest) => "everywhere" in request && request.everywhere),
    );
  return { workers, full, told };
}

test("clients are turned away when the listener is full in all workers, and no longer when one has room", () => {
  const { full, told } = stage("refuse");
  full.reported(1, "main", true);
  expect(told()).toEqual([[], []]);
  full.reported(2, "main", true);
  expect(told()).toEqual([[true], [true]]);
  full.reported(1, "main", false);
  expect(told()).toEqual([[false], [false]]);
});

test("a worker that hangs, or has ended, has no room for any client", () => {
  const { workers, full, told } = stage("shed");
  full.reported(1, "main", true);
  const [, second] = workers;
  second!.unresponsive = true;
  full.settle();
  expect(told()).toEqual([[true], [true]]);
  second!.unresponsive = false;
  full.settle();
  expect(told()).toEqual([[false], [false]]);
  second!.alive = false;
  full.ended(2);
  full.settle();
  expect(told()).toEqual([[true], [true]]);
});

test("where clients wait nothing is told, until that is changed", () => {
  const { full, told } = stage("queue");
  full.reported(1, "main", true);
  full.reported(2, "main", true);
  expect(told()).toEqual([[], []]);
  full.set("main", "shed");
  expect([told(), full.mode("main")]).toEqual([[[true], [true]], "shed"]);
});
