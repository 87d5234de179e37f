/** Balance, the side of the primary: quotas from the loads that workers report. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Quota } from "../../../../src/cluster/channel/limit-terms.js";
import { Balance, type Member } from "../../../../src/cluster/primary/admission/connections/balance.js";
import { ManualClock, useClock } from "../../../../src/otp/time/clock.js";

let clock: ManualClock;
let restore: () => void;
beforeEach(() => {
  clock = new ManualClock(10_000);
  restore = useClock(clock);
});
afterEach(() => restore());

class FakeMember implements Member {
  readonly slot: number;
  active = 0;
  quota = Infinity;
  reportAt = Infinity;
  asked = 0;
  /** Whether it answers. */
  answers = true;
  limit = Infinity;
  readonly #balance: () => Balance;

  constructor(slot: number, balance: () => Balance) {
    this.slot = slot;
    this.#balance = balance;
  }

  askLoad(): void {
    this.asked++;
    if (this.answers) this.#balance().reported(this.slot, this.active, false);
  }

  setQuota({ quota, reportAt }: Quota): void {
    this.quota = quota;
    this.reportAt = reportAt;
  }
}

/** Workers that have been running for a minute. */
async function members(count: number) {
  const all = Array.from({ length: count }, (_, at) => new FakeMember(at + 1, () => balance));
  const limit = (slot: number) => all[slot - 1]?.limit ?? 0;
  const balance: Balance = new Balance(() => all, limit);
  balance.changed();
  await clock.advance(60_000);
  return { all: all as [FakeMember, FakeMember, ...FakeMember[]], balance };
}

test("sets a quota a little above the lowest load", async () => {
  const { all, balance } = await members(4);
  expect(all.map(({ quota }) => quota)).toEqual([12, 12, 12, 12]);
  for (const [at, member] of all.entries()) member.active = 100 + at;
  balance.reported(4, 103, true);
  expect(all.map(({ quota }) => quota)).toEqual([112, 112, 112, 112]);
  expect(all[0].reportAt).toBe(106);
});

test("a single worker has no quota, and loses it when the other workers have gone", async () => {
  const { all, balance } = await members(1);
  expect(all[0].quota).toBe(Infinity);
  all.push(new FakeMember(2, () => balance));
  balance.changed();
  expect(all[0].quota).toBe(12);
  all.pop();
  balance.changed();
  expect(all[0].quota).toBe(Infinity);
});

test("repeats its rounds while a worker is at its quota, at growing intervals, and stops when none is", async () => {
  const { all, balance } = await members(2);
  [all[0].active, all[1].active] = [12, 0];
  balance.reported(1, 12, true);
  const { asked } = all[1];
  await clock.advance(60_000);
  const looks = all[1].asked - asked;
  expect(looks).toBeGreaterThan(55);
  expect(looks).toBeLessThan(70);
  all[1].active = 12;
  await clock.advance(1_000);
  expect(all[0].quota).toBe(24);
  expect(clock.pending).toBe(0);
});

test("does not wait for a worker that does not answer, and raises the quota of the other workers", async () => {
  const { all, balance } = await members(2);
  all[1].answers = false;
  all[0].active = 12;
  balance.reported(1, 12, true);
  expect(all[0].quota).toBe(12);
  await clock.advance(20);
  expect(all[0].quota).toBe(24);
  await clock.advance(1_000);
  all[0].active = 24;
  balance.reported(1, 24, true);
  await clock.advance(20);
  expect(all[0].quota).toBe(48);
  all[1].answers = true;
  await clock.advance(2_000);
  expect(all[0].quota).toBe(12);
});

test("lowers the quota when many clients have left", async () => {
  const { all, balance } = await members(2);
  [all[0].active, all[1].active] = [5_000, 5_000];
  balance.reported(1, 5_000, true);
  expect(all[0].quota).toBe(5_600);
  [all[0].active, all[1].active] = [100, 4_900];
  balance.seen(2, 4_900);
  expect(all[0].quota).toBe(5_600);
  balance.seen(1, 100);
  expect(all[0].quota).toBe(112);
});

test("leaves out workers at their limit: the other workers must not wait for them", async () => {
  const { all, balance } = await members(3);
  for (const [at, active] of [500, 12, 0].entries()) (all[at] as FakeMember).active = active;
  [all[0].limit, (all[2] as FakeMember).limit] = [500, 0];
  balance.reported(2, 12, true);
  expect(all[1].quota).toBe(24);
});

test("starts another round for a worker that reaches the quota before it receives it", async () => {
  const { all, balance } = await members(2);
  all[0].active = 11;
  balance.reported(1, 11, true);
  all[0].active = 12;
  all[1].answers = false;
  await clock.advance(1_000);
  expect(all[0].quota).toBeGreaterThan(12);
});

test("raises the quota in a burst, so that the backlog does not fill up", async () => {
  const { all, balance } = await members(2);
  [all[0].active, all[1].active] = [40, 40];
  balance.reported(1, 40, true);
  await clock.advance(10);
  [all[0].active, all[1].active] = [500, 300];
  balance.reported(1, 500, true);
  expect(all[1].quota).toBe(396);
});
