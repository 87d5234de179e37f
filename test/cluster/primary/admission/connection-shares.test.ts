import fc from "fast-check";
import { expect, test } from "vitest";
import { ConnectionShares } from "../../../../src/cluster/primary/admission/connections/connection-shares.js";

test("at the start the shares add up to the limit exactly", () => {
  const shares = new ConnectionShares(10, 3);
  expect([1, 2, 3].map((slot) => shares.granted(slot))).toEqual([4, 3, 3]);
  expect(shares.settled).toBe(true);
});

test("a new worker is granted only what other workers have really given up", () => {
  const shares = new ConnectionShares(10, 2);
  shares.aim(10, 3);
  expect([1, 2, 3].map((slot) => shares.allowed(slot))).toEqual([4, 3, 0]);
  shares.reduce(1, 5);
  expect(shares.grow()).toEqual([]);
  shares.reduce(2, 1);
  expect(shares.grow()).toEqual([3]);
  expect(shares.allowed(3)).toBe(2);
  shares.reduce(1, 4);
  expect(shares.grow()).toEqual([3]);
  expect([1, 2, 3].map((slot) => shares.allowed(slot))).toEqual([4, 3, 3]);
  expect(shares.settled).toBe(true);
});

test("the share of a removed worker is granted to the remaining workers once it is gone", () => {
  const shares = new ConnectionShares(9, 3);
  shares.aim(9, 2);
  expect(shares.shrinking()).toEqual([3]);
  expect(shares.grow()).toEqual([]);
  shares.reduce(3, 0);
  expect(shares.grow()).toEqual([1, 2]);
  expect([1, 2].map((slot) => shares.allowed(slot))).toEqual([5, 4]);
});

test("the sum of all shares never exceeds the limit, in whatever order workers start, end and report", () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant("aim" as const), workers: fc.integer({ min: 1, max: 6 }) }),
    fc.record({
      what: fc.constant("away" as const),
      workers: fc.integer({ min: 1, max: 6 }),
      away: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
    }),
    fc.record({ what: fc.constant("hear" as const), slot: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ what: fc.constant("open" as const), slot: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ what: fc.constant("close" as const), slot: fc.integer({ min: 1, max: 6 }) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
      const shares = new ConnectionShares(limit, 3);
      // What workers heed: they learn of a smaller share only when they are heard of.
      const heeded = new Map<number, number>([1, 2, 3].map((slot) => [slot, shares.allowed(slot)]));
      const active = new Map<number, number>();
      const of = (map: Map<number, number>, slot: number) => map.get(slot) ?? 0;
      const grow = () => {
        for (const slot of shares.grow()) heeded.set(slot, shares.allowed(slot));
      };
      for (const one of steps) {
        if (one.what === "aim") shares.aim(limit, one.workers);
        else if (one.what === "away")
          shares.aim(limit, one.workers, 0, { slots: new Set(one.away), most: limit });
        else if (one.what === "hear") {
          heeded.set(one.slot, shares.allowed(one.slot));
          shares.reduce(one.slot, of(active, one.slot));
          grow();
        } else if (one.what === "open" && of(active, one.slot) < of(heeded, one.slot))
          active.set(one.slot, of(active, one.slot) + 1);
        else if (one.what === "close" && of(active, one.slot) > 0)
          active.set(one.slot, of(active, one.slot) - 1);
        const open = [...active.values()].reduce((sum, n) => sum + n, 0);
        expect(open).toBeLessThanOrEqual(limit);
      }
      shares.aim(limit, 3);
      for (let round = 0; round < 2; round++) {
        for (let slot = 1; slot <= 6; slot++) shares.reduce(slot, 0);
        shares.grow();
      }
      expect(shares.settled).toBe(true);
      expect([1, 2, 3, 4, 5, 6].reduce((sum, slot) => sum + shares.granted(slot), 0)).toBe(limit);
    }),
  );
});

test("the places of a worker that is away are those of the others meanwhile, as far as each may have them", () => {
  const shares = new ConnectionShares(10, 2);
  shares.aim(10, 2, 0, { slots: new Set([2]), most: 100 });
  expect(shares.grow()).toEqual([]);
  shares.reduce(2, 0);
  expect(shares.grow()).toEqual([1]);
  expect(shares.allowed(1)).toBe(10);
  shares.aim(10, 2, 0, { slots: new Set([2]), most: 7 });
  expect(shares.allowed(1)).toBe(7);
  // It is back: it gets what the other one gives back.
  shares.aim(10, 2);
  shares.reduce(1, 8);
  expect(shares.grow()).toEqual([2]);
  expect([1, 2].map((slot) => shares.allowed(slot))).toEqual([5, 2]);
  shares.reduce(1, 5);
  shares.grow();
  expect([1, 2].map((slot) => shares.granted(slot))).toEqual([5, 5]);
});

test("without a limit each worker may have any number, also while another one is away", () => {
  const shares = new ConnectionShares(Infinity, 2);
  shares.aim(Infinity, 2, 0, { slots: new Set([2]), most: Infinity });
  shares.reduce(2, 0);
  shares.grow();
  shares.aim(Infinity, 2);
  shares.grow();
  expect([1, 2].map((slot) => shares.allowed(slot))).toEqual([Infinity, Infinity]);
});
