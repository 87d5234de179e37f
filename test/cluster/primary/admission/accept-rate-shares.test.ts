/** Accept rates over all workers: the sum of all parts is the rate, whichever workers there are. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import {
  AcceptRateShares,
  divideRate,
} from "../../../../src/cluster/primary/admission/accept-rate-shares.js";
import type { PrimaryOptions } from "../../../../src/cluster/primary/options.js";
import { newSlot } from "../../../../src/cluster/primary/workers/worker-slot.js";
import type { Rate } from "../../../../src/tcp/admission/terms.js";
import type { Snapshot } from "../../../../src/telemetry/metrics/snapshot.js";
import { FakeWorker } from "../fake-worker.js";

function stage(acceptRate: string | undefined, own: string | undefined, workers = 2) {
  const slots = Array.from({ length: workers }, (_, at) => newSlot(at + 1));
  const options = { config: { acceptRate }, listeners: [{ config: { name: "main", acceptRate: own } }] };
  const changed = vi.fn();
  const shares = new AcceptRateShares(() => slots, options as unknown as PrimaryOptions, changed);
  /** What the worker in each slot has been told. */
  const parts = new Map<string, Rate | undefined>();
  const start = (slot: number) => {
    const fake = new FakeWorker(slots[slot - 1]!);
    fake.answer = (request) => {
      if (request.name === "accept-rate") parts.set(`${slot} ${request.listener ?? ""}`, request.rate);
    };
    fake.state = "starting";
    const { server, of } = shares.boot(slot);
    parts.set(`${slot} `, server.rate);
    parts.set(`${slot} main`, of("main").rate);
    fake.state = "running";
    shares.settle();
    return { fake, tokens: server.tokens };
  };
  const sum = (listener = "") => {
    const all = slots.flatMap(({ slot, process }) =>
      process?.alive ? (parts.get(`${slot} ${listener}`) ?? []) : [],
    );
    return {
      perSecond: all.reduce((total, one) => total + one.perSecond, 0),
      burst: all.reduce((total, one) => total + one.burst, 0),
    };
  };
  return { shares, start, parts, sum, slots, changed };
}

test("the parts of a rate add up to it, and a part without a connection has no rate", () => {
  fc.assert(
    fc.property(
      fc.record({ perSecond: fc.integer({ min: 1, max: 10_000 }), burst: fc.integer({ min: 1, max: 500 }) }),
      fc.integer({ min: 1, max: 32 }),
      (rate, workers) => {
        const parts = divideRate(rate, workers);
        expect(parts).toHaveLength(workers);
        expect(parts.reduce((sum, { perSecond }) => sum + perSecond, 0)).toBeCloseTo(rate.perSecond, 6);
        expect(parts.reduce((sum, { burst }) => sum + burst, 0)).toBe(rate.burst);
        for (const { perSecond, burst } of parts) expect(perSecond > 0).toBe(burst > 0);
      },
    ),
  );
});

test("workers share the rate of all listeners, and that of each; the first ones begin with a full burst", () => {
  const { start, parts } = stage("100:11", "20");
  expect([start(1).tokens, start(2).tokens]).toEqual([6, 5]);
  expect(Object.fromEntries(parts)).toEqual({
    "1 ": { perSecond: 50, burst: 6 },
    "1 main": { perSecond: 10, burst: 10 },
    "2 ": { perSecond: 50, burst: 5 },
    "2 main": { perSecond: 10, burst: 10 },
  });
});

test("the part of a worker that has ended goes to the others; its successor begins without tokens", () => {
  const { shares, start, parts, sum } = stage("100:10", undefined);
  start(1);
  const { fake } = start(2);
  Object.assign(fake, { alive: false, state: "down" });
  shares.settle();
  expect(parts.get("1 ")).toEqual({ perSecond: 100, burst: 10 });
  expect(start(2).tokens).toBe(0);
  expect(parts.get("1 ")).toEqual({ perSecond: 50, burst: 5 });
  expect(sum()).toEqual({ perSecond: 100, burst: 10 });
});

test("a worker that hangs leaves its part to the others for as long", () => {
  const { shares, start, parts } = stage("100:10", undefined);
  const { fake } = start(1);
  start(2);
  fake.unresponsive = true;
  shares.settle();
  expect(parts.get("2 ")).toEqual({ perSecond: 100, burst: 10 });
  fake.unresponsive = false;
  shares.settle();
  expect(parts.get("2 ")).toEqual({ perSecond: 50, burst: 5 });
});

test("a rate of one a second is that of one worker, and of another one when it has ended", () => {
  const { shares, start, parts } = stage("1", undefined);
  const { fake } = start(1);
  start(2);
  expect(parts.get("2 ")).toEqual({ perSecond: 0, burst: 0 });
  Object.assign(fake, { alive: false, state: "down" });
  shares.settle();
  expect(parts.get("2 ")).toEqual({ perSecond: 1, burst: 1 });
});

test("an overloaded worker leaves its part to the others for as long, unless all are", () => {
  const { shares, start, parts, slots } = stage("1", undefined);
  start(1);
  start(2);
  const overload = (slot: number, overloadLag: number) => {
    slots[slot - 1]!.last = { gauges: { overloadLag, overloadMemory: 0 } } as Snapshot;
    shares.settle();
  };
  const perSecond = () => [1, 2].map((slot) => parts.get(`${slot} `)?.perSecond);
  overload(1, 1);
  expect(perSecond()).toEqual([0, 1]);
  overload(2, 1);
  expect(perSecond()).toEqual([1, 0]);
  overload(1, 0);
  expect(perSecond()).toEqual([1, 0]);
  overload(2, 0);
  expect(perSecond()).toEqual([1, 0]);
});

test("with a burst below the number of workers some may not accept, until they have a part", () => {
  const { shares, start, changed } = stage("20:2", undefined, 3);
  const admitted = () => [1, 2, 3].map((slot) => shares.admits(slot));
  const { fake } = start(1);
  start(2);
  start(3);
  expect(admitted()).toEqual([true, true, false]);
  changed.mockClear();
  fake.unresponsive = true;
  shares.settle();
  expect(changed).toHaveBeenCalledTimes(1);
  // It may go on at any moment.
  expect(admitted()).toEqual([true, true, true]);
  fake.unresponsive = false;
  shares.settle();
  shares.set("main", { perSecond: 1, burst: 1 });
  expect([1, 2, 3].map((slot) => shares.admits(slot, "main"))).toEqual([true, false, false]);
  changed.mockClear();
  shares.set(undefined, { perSecond: 20, burst: 3 });
  expect(changed).toHaveBeenCalledTimes(1);
  expect(admitted()).toEqual([true, true, true]);
});

test("a rate may be set, changed and removed while the program runs", () => {
  const { shares, start, parts } = stage(undefined, undefined);
  start(1);
  start(2);
  shares.set("main", { perSecond: 10, burst: 4 });
  expect(shares.rate("main")).toEqual({ perSecond: 10, burst: 4 });
  expect(parts.get("1 main")).toEqual({ perSecond: 5, burst: 2 });
  shares.set("main", undefined);
  expect([parts.get("1 main"), parts.get("2 main")]).toEqual([undefined, undefined]);
  shares.set(undefined, { perSecond: 2, burst: 2 });
  expect(parts.get("2 ")).toEqual({ perSecond: 1, burst: 1 });
});

test("whatever workers start, hang and end, the parts that workers have received never exceed the rate", () => {
  const step = fc.record({
    what: fc.constantFrom("start", "end", "hang", "wake"),
    slot: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 40 }), (rate, steps) => {
      const { shares, start, parts, slots } = stage(`${rate}`, undefined, 4);
      for (let slot = 1; slot <= 4; slot++) start(slot);
      for (const { what, slot } of steps) {
        const fake = slots[slot - 1]?.process as unknown as FakeWorker;
        if (what === "start" && !fake.alive) start(slot);
        else if (what === "end") Object.assign(fake, { alive: false, state: "down", unresponsive: false });
        else if (fake.alive) fake.unresponsive = what === "hang";
        shares.settle();
        const counts = slots.filter(({ process }) => process?.condition === "running");
        const burst = counts.reduce((sum, one) => sum + (parts.get(`${one.slot} `)?.burst ?? 0), 0);
        expect(burst).toBe(counts.length === 0 ? 0 : rate);
      }
    }),
  );
});
