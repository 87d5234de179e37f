/** The wheel of deadlines: never early, two slots late at most, and nobody is forgotten or kept. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, ManualClock, useClock } from "../../../src/index.js";
import { NO_SLOT, RESOLUTION, TimerWheel, type TimerWheelEntry } from "../../../src/tcp/loop/timer-wheel.js";
import { turn } from "../../support/until.js";

let clock: ManualClock;
let restore: () => void;

beforeEach(() => {
  clock = new ManualClock();
  restore = useClock(clock);
});
afterEach(() => restore());

/** Something with a deadline that notes when it was looked at. */
class Item implements TimerWheelEntry {
  wheelSlot = NO_SLOT;
  wheelNext: TimerWheelEntry | undefined = undefined;
  wheelPrev: TimerWheelEntry | undefined = undefined;
  readonly looked: number[] = [];
  onDeadline: (now: number) => number;

  constructor(again: (now: number) => number = () => Infinity) {
    this.onDeadline = (now) => {
      this.looked.push(now);
      return again(now);
    };
  }
}

test("a deadline is checked once it has passed, and the wheel then has no timer", async () => {
  const [wheel, item] = [new TimerWheel(), new Item()];
  wheel.schedule(item, 1_050);
  expect(wheel.size).toBe(1);
  await clock.advance(1_049);
  expect(item.looked).toEqual([]);
  await clock.advance(2 * RESOLUTION);
  expect(item.looked).toHaveLength(1);
  expect([wheel.size, item.wheelSlot]).toEqual([0, NO_SLOT]);
  await clock.advance(RESOLUTION);
  expect(clock.pending).toBe(0);
});

test.each([0, 51_300, 123_456_789])(
  "a later deadline does not move an earlier one, an earlier one does: from %i ms on",
  async (start) => {
    await clock.advance(start);
    const [wheel, item] = [new TimerWheel(), new Item()];
    wheel.schedule(item, start + 1_000);
    wheel.schedule(item, start + 5_000);
    await clock.advance(1_200);
    expect(item.looked).toHaveLength(1);
    wheel.schedule(item, start + 9_000);
    wheel.schedule(item, start + 2_000);
    await clock.advance(1_000);
    expect(item.looked).toHaveLength(2);
    expect(wheel.size).toBe(0);
  },
);

test("after the clock was replaced, deadlines run on the new one", async () => {
  const [wheel, first, second] = [new TimerWheel(), new Item(), new Item()];
  wheel.schedule(first, 1_000);
  wheel.remove(first);
  const next = new ManualClock();
  const back = useClock(next);
  wheel.schedule(second, 1_000);
  await next.advance(1_300);
  back();
  expect([first.looked.length, second.looked.length]).toEqual([0, 1]);
});

test("a deadline beyond the ring is looked at on the way and comes true in time", async () => {
  const end = 200_000;
  const wheel = new TimerWheel();
  const item = new Item((now) => (now < end ? end : Infinity));
  wheel.schedule(item, end);
  await clock.advance(end + 2 * RESOLUTION);
  expect(item.looked.length).toBeLessThan(6);
  expect(item.looked.at(-1)).toBeGreaterThanOrEqual(end);
});

test("no deadline at all is no place in the wheel", () => {
  const [wheel, item] = [new TimerWheel(), new Item()];
  wheel.schedule(item, Infinity);
  expect([wheel.size, clock.pending]).toEqual([0, 0]);
});

test("one that is looked at may end others of its slot, and itself come back", async () => {
  const wheel = new TimerWheel();
  const others = [new Item(), new Item()];
  const first = new Item((now) => {
    for (const other of others) wheel.remove(other);
    return now < 1_000 ? now + 300 : Infinity;
  });
  for (const item of [...others, first]) wheel.schedule(item, 500);
  await clock.advance(2_000);
  expect(first.looked.length).toBeGreaterThanOrEqual(2);
  expect(others.map((other) => other.looked)).toEqual([[], []]);
  expect(wheel.size).toBe(0);
});

test("after a long time without entries it begins at the present time", async () => {
  const wheel = new TimerWheel();
  const first = new Item();
  wheel.schedule(first, 100);
  await clock.advance(1_000_050);
  const item = new Item();
  wheel.schedule(item, 1_000_400);
  await clock.advance(349);
  expect(item.looked).toEqual([]);
  await clock.advance(2 * RESOLUTION);
  expect(item.looked).toHaveLength(1);
});

test("after the OS process has slept, sockets are read before any deadline counts as passed", async () => {
  let now = 0;
  let fire = () => {};
  const sleepy: Clock = {
    now: () => now,
    setTimeout: (callback) => {
      fire = callback;
      return callback;
    },
    clearTimeout: () => {},
  };
  const back = useClock(sleepy);
  const [wheel, item] = [new TimerWheel(), new Item()];
  wheel.schedule(item, 500);
  now = 60_000;
  fire();
  expect(item.looked).toEqual([]);
  await turn(2);
  expect(item.looked).toEqual([60_000]);
  back();
});

test("whatever is scheduled, moved and removed: never early, at most two slots late, and none is lost", async () => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant("schedule" as const),
      who: fc.nat(9),
      after: fc.integer({ min: 0, max: 120_000 }),
    }),
    fc.record({ kind: fc.constant("remove" as const), who: fc.nat(9) }),
    fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000_000_000), fc.array(action, { maxLength: 30 }), async (start, actions) => {
      const manual = new QuickClock();
      manual.advance(start);
      const back = useClock(manual);
      const wheel = new TimerWheel();
      const due = new Array<number>(10).fill(Infinity);
      const check = (who: number, now: number) => {
        if (now < (due[who] as number)) return due[who] as number;
        expect(now - (due[who] as number)).toBeLessThanOrEqual(2 * RESOLUTION);
        due[who] = Infinity;
        return Infinity;
      };
      const items = due.map((_, who) => new Item((now) => check(who, now)));
      for (const one of actions) {
        if (one.kind === "advance") manual.advance(one.ms);
        else if (one.kind === "remove") {
          wheel.remove(items[one.who] as Item);
          due[one.who] = Infinity;
        } else {
          due[one.who] = Math.min(due[one.who] as number, manual.now() + one.after);
          wheel.schedule(items[one.who] as Item, due[one.who] as number);
        }
      }
      manual.advance(130_000);
      expect(due).toEqual(new Array(10).fill(Infinity));
      expect(wheel.size).toBe(0);
      back();
    }),
    { numRuns: 200 },
  );
});

/** A manual clock that fires without letting the event loop turn in between. */
class QuickClock implements Clock {
  #now = 0;
  #timer: { at: number; callback: () => void } | undefined;

  now(): number {
    return this.#now;
  }
  setTimeout(callback: () => void, ms: number): unknown {
    this.#timer = { at: this.#now + ms, callback };
    return this.#timer;
  }
  clearTimeout(): void {}

  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#timer && this.#timer.at <= end) {
      const { at, callback } = this.#timer;
      this.#timer = undefined;
      this.#now = at;
      callback();
    }
    this.#now = end;
  }
}
