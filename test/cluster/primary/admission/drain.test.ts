import { afterEach, beforeEach, expect, test } from "vitest";
import { Drain } from "../../../../src/cluster/primary/admission/drain.js";
import { Suspension } from "../../../../src/cluster/primary/admission/suspend.js";
import type { ConnectionRow } from "../../../../src/control/connections.js";
import { ManualClock, useClock } from "../../../../src/otp/time/clock.js";
import { type FakeWorker, fakeWorkers } from "../fake-worker.js";

let clock: ManualClock;
let restore: () => void;
beforeEach(() => {
  clock = new ManualClock();
  restore = useClock(clock);
});
afterEach(() => restore());

function stage(active: readonly number[]) {
  const workers = fakeWorkers(active.length);
  workers.forEach((worker, at) => {
    worker.sendSnapshot(active[at] as number, 1);
    worker.answer = (request) => {
      if (request.name === "shutdown-connections") return worker.active;
      worker.sendSnapshot(worker.active, 0);
      return "suspended";
    };
  });
  const slots = () => workers.map(({ slot }) => slot);
  const suspension = new Suspension(slots, [{ name: "main", suspended: false }]);
  const listeners = [{ name: "main", at: 0 }];
  const rows = [{ pid: "<1.17>" }] as ConnectionRow[];
  const cuts: unknown[] = [];
  const onCut = (...cut: unknown[]) => void cuts.push(cut);
  const drain = new Drain({ suspension, listeners, slots, list: async () => rows, onCut });
  return { workers, suspension, cuts, drain };
}

const asked = ({ asked }: FakeWorker) => asked.map(({ name }) => name);

test("a drain suspends every worker and is over when the last connection has ended", async () => {
  const { workers, suspension, drain } = stage([2, 1]);
  expect(drain.begin(25_000)).toMatchObject({
    status: "draining",
    before: 3,
    active: 3,
    remainingMs: 25_000,
  });
  await clock.advance(0);
  expect(suspension.suspended).toBe(true);
  expect(workers.map(asked)).toEqual([["accept"], ["accept"]]);
  workers[0]?.sendSnapshot(0, 0);
  drain.check();
  expect(drain.state()).toMatchObject({ status: "draining", active: 1 });
  workers[1]?.sendSnapshot(0, 0);
  drain.check();
  expect(drain.state()).toMatchObject({
    status: "drained",
    active: 0,
    remainingMs: 0,
    cut: 0,
    unfinished: [],
  });
});

test("without connections a drain is over as soon as every worker reports that it does not accept", async () => {
  const { workers, drain } = stage([0, 0]);
  const silent = workers[1] as FakeWorker;
  silent.answer = () => undefined;
  drain.begin(25_000);
  await clock.advance(0);
  expect(drain.state().status).toBe("draining");
  silent.sendSnapshot(0, 0);
  drain.check();
  expect(drain.state().status).toBe("drained");
});

test("connections left at the deadline are listed and shut down", async () => {
  const { workers, drain, cuts } = stage([1, 0]);
  drain.begin(25_000);
  await clock.advance(24_999);
  expect(cuts).toEqual([]);
  expect(asked(workers[0] as FakeWorker)).toEqual(["accept"]);
  await clock.advance(1);
  expect(asked(workers[0] as FakeWorker)).toEqual(["accept", "shutdown-connections"]);
  expect(drain.state()).toMatchObject({ status: "draining", active: 1, remainingMs: 0, cut: 1 });
  expect(drain.state().unfinished.map(({ pid }) => pid)).toEqual(["<1.17>"]);
  expect(cuts).toEqual([[undefined, [{ pid: "<1.17>" }], 1]]);
  workers[0]?.sendSnapshot(0, 0);
  drain.check();
  expect(drain.state()).toMatchObject({ status: "drained", cut: 1 });
});

test("a second drain can shorten the deadline, but not extend it", async () => {
  const { workers, drain } = stage([1]);
  drain.begin(25_000);
  await clock.advance(1_000);
  expect(drain.begin(60_000).remainingMs).toBe(24_000);
  expect(drain.begin(2_000).remainingMs).toBe(2_000);
  await clock.advance(2_000);
  expect(asked(workers[0] as FakeWorker)).toEqual(["accept", "shutdown-connections"]);
  await clock.advance(60_000);
  expect(asked(workers[0] as FakeWorker)).toEqual(["accept", "shutdown-connections"]);
});

test("a worker that dies counts as empty", async () => {
  const { workers, drain } = stage([3]);
  drain.begin(25_000);
  await clock.advance(0);
  (workers[0] as FakeWorker).alive = false;
  drain.check();
  expect(drain.state()).toMatchObject({ status: "drained", active: 0 });
});

test("after resume no connection is shut down any more", async () => {
  const { workers, suspension, drain } = stage([1]);
  drain.begin(25_000);
  await clock.advance(1_000);
  await suspension.resume();
  drain.end();
  expect(drain.state()).toMatchObject({ status: "idle", cut: 0 });
  await clock.advance(60_000);
  expect(asked(workers[0] as FakeWorker)).toEqual(["accept", "accept"]);
  expect(clock.pending).toBe(0);
});

test("an unknown listener is refused, with the names that exist", () => {
  const { suspension } = stage([0]);
  expect(() => suspension.suspend("amin")).toThrow('no listener "amin": there is main');
  expect(suspension.suspended).toBe(false);
});

test("a listener is drained by its name, and resumed without the drains of others", async () => {
  const workers = fakeWorkers(1);
  const [worker] = workers as [FakeWorker];
  worker.answer = () => "suspended";
  const slots = () => workers.map(({ slot }) => slot);
  const two = [
    { name: "devices", at: 0, suspended: false },
    { name: "ops", at: 1, suspended: false },
  ];
  const suspension = new Suspension(slots, two);
  const listed: (string | undefined)[] = [];
  const list = async (listener: string | undefined) => {
    listed.push(listener);
    return [];
  };
  const drain = new Drain({ suspension, listeners: two, slots, list });
  expect(() => drain.begin(1_000, "opps")).toThrow('no listener "opps": there are devices, ops');
  worker.sendSnapshot(1, 1);
  drain.begin(1_000, "devices");
  await clock.advance(0);
  expect(two.map(({ suspended }) => suspended)).toEqual([true, false]);
  expect([drain.state("devices").status, drain.state("ops").status, drain.state().status]).toEqual([
    "draining",
    "idle",
    "idle",
  ]);
  await clock.advance(1_000);
  expect(listed).toEqual(["devices"]);
  drain.end("ops");
  expect(drain.state("devices").status).toBe("draining");
  drain.end("devices");
  expect(drain.state("devices").status).toBe("idle");
});
