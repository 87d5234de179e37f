/** The ledger against a model, and its rates and bans on the manual clock. */
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock, useClock } from "../../../src/index.js";
import { AddressLedger } from "../../../src/tcp/admission/address-ledger.js";
import type { AddressLimits } from "../../../src/tcp/admission/terms.js";

function manual(): ManualClock {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  return clock;
}

const ledger = (server: AddressLimits | undefined, main?: AddressLimits) =>
  new AddressLedger((scope) => (scope === "" ? server : main));

test("whatever workers take, give back and lose, an address has at most its limit, and exactly what was not given back", () => {
  const call = fc.record({
    what: fc.constantFrom("take", "take", "give", "drop"),
    worker: fc.integer({ min: 1, max: 3 }),
    address: fc.constantFrom("10.0.0.1", "10.0.0.2"),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (calls, limit) => {
      const tested = ledger({ maxConnections: limit });
      const open = new Map<string, number>();
      const key = (worker: number, address: string) => `${worker} ${address}`;
      const total = (address: string) =>
        [1, 2, 3].reduce((sum, worker) => sum + (open.get(key(worker, address)) ?? 0), 0);
      for (const { what, worker, address } of calls) {
        const has = open.get(key(worker, address)) ?? 0;
        if (what === "take") {
          const refused = tested.take(worker, "main", address);
          expect(refused?.reason).toBe(total(address) < limit ? undefined : "address_connections");
          if (!refused) open.set(key(worker, address), has + 1);
        } else if (what === "give") {
          tested.give(worker, "main", address);
          if (has > 0) open.set(key(worker, address), has - 1);
        } else {
          tested.drop(worker);
          for (const one of ["10.0.0.1", "10.0.0.2"]) open.delete(key(worker, one));
        }
        expect(total(address)).toBeLessThanOrEqual(limit);
      }
    }),
  );
});

test("a rate allows its burst at once, then so many a second, and says when the next is allowed", async () => {
  const clock = manual();
  const tested = ledger({ rate: { perSecond: 2, burst: 3 } });
  const take = () => tested.take(1, "main", "10.0.0.1");
  expect([take(), take(), take()]).toEqual([undefined, undefined, undefined]);
  expect(take()).toEqual({ reason: "address_rate", ms: 500 });
  await clock.advance(500);
  expect(take()).toBeUndefined();
  expect(take()).toEqual({ reason: "address_rate", ms: 500 });
  expect(tested.take(1, "main", "10.0.0.2")).toBeUndefined();
});

test("a refusal for the number of connections holds for 10 ms in the worker that has asked", () => {
  manual();
  const tested = ledger({ maxConnections: 1 });
  expect(tested.take(1, "main", "10.0.0.1")).toBeUndefined();
  expect(tested.take(2, "main", "10.0.0.1")).toEqual({ reason: "address_connections", ms: 10 });
  tested.give(1, "main", "10.0.0.1");
  expect(tested.take(2, "main", "10.0.0.1")).toBeUndefined();
});

test("an address that exceeds a limit is banned for the time of the ban, its open connections go on", async () => {
  const clock = manual();
  const tested = ledger({ maxConnections: 1, ban: 10_000 });
  const take = () => tested.take(1, "main", "10.0.0.1");
  expect(take()).toBeUndefined();
  expect(take()).toEqual({ reason: "address_connections", ms: 0 });
  tested.give(1, "main", "10.0.0.1");
  expect(take()).toEqual({ reason: "banned", ms: 10_000 });
  expect(tested.bans()).toEqual([{ address: "10.0.0.1", ms: 10_000 }]);
  await clock.advance(10_000);
  expect(take()).toBeUndefined();
  expect(tested.bans()).toEqual([]);
});

test("a ban that was lifted no longer holds", () => {
  manual();
  const tested = ledger(undefined);
  tested.ban("10.0.0.1", 60_000);
  expect(tested.take(1, "main", "10.0.0.1")?.reason).toBe("banned");
  expect(tested.unban("10.0.0.1")).toBe(true);
  expect(tested.take(1, "main", "10.0.0.1")).toBeUndefined();
  expect(tested.unban("10.0.0.1")).toBe(false);
});

test("a listener's limit counts its connections, the server's those of all listeners", () => {
  const tested = ledger({ maxConnections: 3 }, { maxConnections: 2 });
  const take = (listener: string) => tested.take(1, listener, "10.0.0.1")?.reason;
  expect([take("main"), take("main"), take("main")]).toEqual([undefined, undefined, "address_connections"]);
  expect([take("other"), take("other")]).toEqual([undefined, "address_connections"]);
});

test("addresses without connections are forgotten before there are more than 100,000", () => {
  manual();
  const tested = ledger({ rate: { perSecond: 1, burst: 2 } });
  for (let n = 0; n < 150_000; n++) {
    const group = `2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::/64`;
    tested.take(1, "main", group);
    tested.give(1, "main", group);
  }
  expect(tested.size).toBeLessThanOrEqual(100_000);
});

test("with 100,000 connected addresses a new one is counted without a search of all; those that leave are forgotten", () => {
  manual();
  const tested = ledger({ maxConnections: 1 });
  for (let n = 0; n < 100_000; n++) tested.take(1, "main", `open ${n}`);
  // A search for each of them would take minutes.
  for (let n = 0; n < 30_000; n++) {
    tested.take(2, "main", `short ${n}`);
    tested.give(2, "main", `short ${n}`);
  }
  expect(tested.size).toBeLessThanOrEqual(120_000);
  expect(tested.take(2, "main", "open 0")?.reason).toBe("address_connections");
});

test("a rate that is set while addresses are known begins with all of its burst for each", async () => {
  const clock = manual();
  let limits: AddressLimits = { maxConnections: 10 };
  const tested = new AddressLedger((scope) => (scope === "" ? limits : undefined));
  const take = () => tested.take(1, "main", "10.0.0.1")?.reason;
  expect([take(), take()]).toEqual([undefined, undefined]);
  const before = limits;
  limits = { maxConnections: 10, rate: { perSecond: 1, burst: 2 } };
  tested.limitsChanged("", before);
  expect([take(), take(), take()]).toEqual([undefined, undefined, "address_rate"]);
  await clock.advance(1_000);
  // Another limit of the scope leaves the tokens as they are.
  const rated = limits;
  limits = { ...limits, maxConnections: 100 };
  tested.limitsChanged("", rated);
  expect([take(), take()]).toEqual([undefined, "address_rate"]);
});

test("limits that are set while there are connections count those that the workers report, and forget them when removed", () => {
  let limits: AddressLimits | undefined;
  const tested = new AddressLedger((scope) => (scope === "" ? limits : undefined));
  const take = (worker: number) => tested.take(worker, "main", "10.0.0.1")?.reason;
  expect([take(1), take(2)]).toEqual([undefined, undefined]);
  limits = { maxConnections: 4 };
  tested.limitsChanged("", undefined);
  tested.recount(1, [
    ["main", "10.0.0.1", 2],
    ["ops", "10.0.0.1", 1],
  ]);
  expect([take(2), take(2)]).toEqual([undefined, "address_connections"]);
  // What was taken meanwhile is among what is reported.
  tested.recount(2, [["main", "10.0.0.1", 1]]);
  expect(take(2)).toBe("address_connections");
  tested.give(1, "ops", "10.0.0.1");
  expect([take(1), take(1)]).toEqual([undefined, "address_connections"]);
  limits = undefined;
  tested.limitsChanged("", { maxConnections: 4 });
  expect([take(1), tested.size]).toEqual([undefined, 0]);
});
