import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Balance, type Member } from "../../../src/cluster/primary/admission/balance.js";
import { AcceptBalance } from "../../../src/cluster/worker/accept-balance.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";
import { Counters } from "../../../src/tcp/observe/counters.js";

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
  ceiling = Infinity;
  mark = Infinity;
  asked = 0;
  /** Whether it answers. */
  turns = true;
  limit = Infinity;
  readonly #balance: () => Balance;

  constructor(slot: number, balance: () => Balance) {
    this.slot = slot;
    this.#balance = balance;
  }

  askLoad(): void {
    this.asked++;
    if (this.turns) this.#balance().told(this.slot, this.active, false);
  }

  setQuota(ceiling: number, mark: number): void {
    this.ceiling = ceiling;
    this.mark = mark;
  }
}

/** Workers that have been there for a while. */
async function members(count: number) {
  const all = Array.from({ length: count }, (_, at) => new FakeMember(at + 1, () => balance));
  const limit = (slot: number) => all[slot - 1]?.limit ?? 0;
  const balance: Balance = new Balance(() => all, limit);
  balance.changed();
  await clock.advance(60_000);
  return { all: all as [FakeMember, FakeMember, ...FakeMember[]], balance };
}

describe("the primary", () => {
  test("lets every worker be a little ahead of the one with the fewest connections", async () => {
    const { all, balance } = await members(4);
    expect(all.map(({ ceiling }) => ceiling)).toEqual([12, 12, 12, 12]);
    for (const [at, member] of all.entries()) member.active = 100 + at;
    balance.told(4, 103, true);
    expect(all.map(({ ceiling }) => ceiling)).toEqual([112, 112, 112, 112]);
    expect(all[0].mark).toBe(106);
  });

  test("alone, a worker has no ceiling, and gets none back when the others have gone", async () => {
    const { all, balance } = await members(1);
    expect(all[0].ceiling).toBe(Infinity);
    all.push(new FakeMember(2, () => balance));
    balance.changed();
    expect(all[0].ceiling).toBe(12);
    all.pop();
    balance.changed();
    expect(all[0].ceiling).toBe(Infinity);
  });

  test("looks again while a worker stands back, ever more seldom, and not at all when none does", async () => {
    const { all, balance } = await members(2);
    [all[0].active, all[1].active] = [12, 0];
    balance.told(1, 12, true);
    const { asked } = all[1];
    await clock.advance(60_000);
    const looks = all[1].asked - asked;
    expect(looks).toBeGreaterThan(55);
    expect(looks).toBeLessThan(70);
    all[1].active = 12;
    await clock.advance(1_000);
    expect(all[0].ceiling).toBe(24);
    expect(clock.pending).toBe(0);
  });

  test("does not wait for a worker that does not answer, and lets the others go on", async () => {
    const { all, balance } = await members(2);
    all[1].turns = false;
    all[0].active = 12;
    balance.told(1, 12, true);
    expect(all[0].ceiling).toBe(12);
    await clock.advance(20);
    expect(all[0].ceiling).toBe(24);
    await clock.advance(1_000);
    all[0].active = 24;
    balance.told(1, 24, true);
    await clock.advance(20);
    expect(all[0].ceiling).toBe(48);
    all[1].turns = true;
    await clock.advance(2_000);
    expect(all[0].ceiling).toBe(12);
  });

  test("lowers the ceiling when many have left", async () => {
    const { all, balance } = await members(2);
    [all[0].active, all[1].active] = [5_000, 5_000];
    balance.told(1, 5_000, true);
    expect(all[0].ceiling).toBe(5_600);
    [all[0].active, all[1].active] = [100, 4_900];
    balance.seen(2, 4_900);
    expect(all[0].ceiling).toBe(5_600);
    balance.seen(1, 100);
    expect(all[0].ceiling).toBe(112);
  });

  test("counts on no worker that is at its limit: the others need not wait for it to catch up", async () => {
    const { all, balance } = await members(3);
    for (const [at, active] of [500, 12, 0].entries()) (all[at] as FakeMember).active = active;
    [all[0].limit, (all[2] as FakeMember).limit] = [500, 0];
    balance.told(2, 12, true);
    expect(all[1].ceiling).toBe(24);
  });

  test("looks again also after a worker that will reach the ceiling before it hears of it", async () => {
    const { all, balance } = await members(2);
    all[0].active = 11;
    balance.told(1, 11, true);
    all[0].active = 12;
    all[1].turns = false;
    await clock.advance(1_000);
    expect(all[0].ceiling).toBeGreaterThan(12);
  });

  test("in a burst lets them run further ahead, so that the kernel's queue does not fill up", async () => {
    const { all, balance } = await members(2);
    [all[0].active, all[1].active] = [40, 40];
    balance.told(1, 40, true);
    await clock.advance(10);
    [all[0].active, all[1].active] = [500, 300];
    balance.told(1, 500, true);
    expect(all[1].ceiling).toBe(396);
  });
});

describe("a worker", () => {
  function standing(ceiling = 10, mark = 5) {
    const counters = new Counters();
    const seen: string[] = [];
    const back = new AcceptBalance({
      ceiling,
      mark,
      counters: () => counters,
      mayClose: () => reserve.ready,
      tell: () => seen.push(`tell ${counters.active}`),
      changed: () => seen.push(`changed ${back.value}`),
    });
    const reserve = { ready: true };
    const come = () => {
      counters.accepted++;
      counters.active++;
      return counters.active >= back.mark && back.reached(counters.active);
    };
    const go = () => {
      counters.active--;
      back.released(counters.active);
    };
    return { back, seen, reserve, come, go };
  }

  test("tells once at the mark, and stands back at the ceiling", () => {
    const { seen, come } = standing();
    const back = Array.from({ length: 10 }, come);
    expect(back.indexOf(true)).toBe(9);
    expect(seen).toEqual(["tell 5"]);
  });

  test("goes on by itself when nobody answers", async () => {
    const { back, seen, come } = standing();
    for (let n = 0; n < 10; n++) come();
    await clock.advance(100);
    expect(back.value).toBe(Infinity);
    expect(seen).toEqual(["tell 5", "changed Infinity"]);
    back.set(20, 15);
    expect(back.value).toBe(20);
  });

  test("goes on by itself also when the primary falls silent later", async () => {
    const { back, come } = standing();
    for (let n = 0; n < 10; n++) come();
    back.set(10, 5);
    await clock.advance(5_000);
    expect(back.value).toBe(Infinity);
  });

  test("takes a new mark also when the ceiling stays", () => {
    const { back } = standing();
    back.set(10, Infinity);
    expect(back.mark).toBe(Infinity);
  });

  test("does not stand back without a copy of the listening socket in reserve", () => {
    const { reserve, come } = standing();
    reserve.ready = false;
    expect(Array.from({ length: 30 }, come)).not.toContain(true);
  });

  test("does not stand back for clients that come and go", async () => {
    const { come, go } = standing();
    const round = () => {
      const back = Array.from({ length: 12 }, come);
      for (let n = 0; n < 12; n++) go();
      return back.includes(true);
    };
    expect(round()).toBe(true);
    for (let n = 0; n < 20; n++) {
      await clock.advance(20);
      if (n > 10) expect(round()).toBe(false);
      else round();
    }
  });

  test("stands back for clients that stay, whatever comes and goes beside them", async () => {
    const { back, come, go } = standing();
    for (let n = 0; n < 10; n++) come();
    let last = false;
    for (let n = 0; n < 50; n++) {
      await clock.advance(10);
      back.set(10, 5);
      last = come();
      go();
    }
    expect(last).toBe(true);
  });
});
