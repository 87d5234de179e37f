/** Balance, the side of a worker: reports, quota, and what it does without an answer. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { AcceptBalance } from "../../../src/cluster/worker/listeners/accept-balance.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";
import { Counters } from "../../../src/tcp/observe/counters.js";

let clock: ManualClock;
let restore: () => void;
beforeEach(() => {
  clock = new ManualClock(10_000);
  restore = useClock(clock);
});
afterEach(() => restore());

function atQuota(quota = 10, reportAt = 5) {
  const counters = new Counters();
  const seen: string[] = [];
  const balance = new AcceptBalance({
    quota,
    reportAt,
    counters: () => counters,
    taken: () => counters.active + waiting.count,
    mayStop: () => reserve.ready,
    report: () => seen.push(`report ${counters.active}`),
    changed: () => seen.push(`changed ${balance.value}`),
  });
  const reserve = { ready: true };
  /** Clients on which the gate has not decided. */
  const waiting = { count: 0 };
  const come = () => {
    counters.accepted++;
    counters.active++;
    return counters.active >= balance.reportAt && balance.reached(counters.active);
  };
  const go = () => {
    counters.active--;
    balance.released(counters.active);
  };
  return { balance, seen, reserve, waiting, come, go };
}

test("reports its load once at `reportAt`, and stops accepting at the quota", () => {
  const { seen, come } = atQuota();
  const stopped = Array.from({ length: 10 }, come);
  expect(stopped.indexOf(true)).toBe(9);
  expect(seen).toEqual(["report 5"]);
});

test("lifts the quota itself when the primary does not answer", async () => {
  const { balance, seen, come } = atQuota();
  for (let n = 0; n < 10; n++) come();
  await clock.advance(100);
  expect(balance.value).toBe(Infinity);
  expect(seen).toEqual(["report 5", "changed Infinity"]);
  balance.set({ quota: 20, reportAt: 15 });
  expect(balance.value).toBe(20);
});

test("lifts the quota itself while clients that have places wait for the primary to admit them", async () => {
  const { balance, waiting } = atQuota();
  waiting.count = 10;
  expect(balance.reached(10)).toBe(true);
  await clock.advance(100);
  expect(balance.value).toBe(Infinity);
});

test("lifts the quota itself when the primary stops answering later", async () => {
  const { balance, come } = atQuota();
  for (let n = 0; n < 10; n++) come();
  balance.set({ quota: 10, reportAt: 5 });
  await clock.advance(5_000);
  expect(balance.value).toBe(Infinity);
});

test("takes a new `reportAt` also when the quota stays", () => {
  const { balance } = atQuota();
  balance.set({ quota: 10, reportAt: Infinity });
  expect(balance.reportAt).toBe(Infinity);
});

test("keeps accepting without a copy of the listening socket in reserve", () => {
  const { reserve, come } = atQuota();
  reserve.ready = false;
  expect(Array.from({ length: 30 }, come)).not.toContain(true);
});

test("keeps accepting short-lived connections", async () => {
  const { come, go } = atQuota();
  const round = () => {
    const stopped = Array.from({ length: 12 }, come);
    for (let n = 0; n < 12; n++) go();
    return stopped.includes(true);
  };
  expect(round()).toBe(true);
  for (let n = 0; n < 20; n++) {
    await clock.advance(20);
    if (n > 10) expect(round()).toBe(false);
    else round();
  }
});

test("stops accepting at the quota for connections that stay, whatever short-lived ones come beside them", async () => {
  const { balance, come, go } = atQuota();
  for (let n = 0; n < 10; n++) come();
  let last = false;
  for (let n = 0; n < 50; n++) {
    await clock.advance(10);
    balance.set({ quota: 10, reportAt: 5 });
    last = come();
    go();
  }
  expect(last).toBe(true);
});
