/** Accept rate: what may be accepted in a second, and who is told when. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AcceptRate, type RatedListener } from "../../../src/tcp/admission/accept-rate.js";
import { AcceptRates } from "../../../src/tcp/admission/accept-rates.js";
import { manualClock } from "../../support/serving.js";

/** A listener at which clients wait without end. */
class Busy implements RatedListener {
  accepted = 0;
  accepts = true;
  readonly #rates: AcceptRates;

  constructor(...rates: AcceptRate[]) {
    this.#rates = new AcceptRates(...rates);
    this.#rates.join(this);
  }

  heedRate(): void {
    if (!this.accepts || !this.#rates.spent) return;
    this.accepts = false;
    this.#rates.wait();
  }

  heedTokens(): void {
    if (this.accepts) return;
    if (this.#rates.spent) return this.#rates.wait();
    this.accepts = true;
    this.heedRate();
  }

  /** @returns whether a client was accepted */
  accept(): boolean {
    if (!this.accepts) return false;
    this.#rates.take(this);
    this.accepted++;
    this.heedRate();
    return true;
  }

  leave(): void {
    this.#rates.leave(this);
  }
}

function drain(...listeners: Busy[]): void {
  while (listeners.map((listener) => listener.accept()).includes(true));
}

test("a listener that found no token is told of the next one, also if that comes before it begins to wait", async () => {
  const clock = manualClock();
  const rate = new AcceptRate({ perSecond: 500, burst: 1 });
  const rates = new AcceptRates(rate, new AcceptRate(undefined));
  let told = 0;
  const listener = { heedRate: () => {}, heedTokens: () => void told++ };
  rates.join(listener);
  rates.take(listener);
  expect(rates.spent).toBe(true);
  await clock.advance(2);
  rates.wait();
  await clock.advance(10);
  expect(told).toBe(1);
});

test("a burst is accepted at once, and then so many a second", async () => {
  const clock = manualClock();
  const busy = new Busy(new AcceptRate({ perSecond: 100, burst: 20 }));
  drain(busy);
  expect(busy.accepted).toBe(20);
  for (let ms = 0; ms < 1_000; ms += 10) {
    await clock.advance(10);
    drain(busy);
  }
  expect(busy.accepted).toBe(120);
});

test("a rate below one a second accepts one after each of its pauses", async () => {
  const clock = manualClock();
  const busy = new Busy(new AcceptRate({ perSecond: 0.5, burst: 1 }));
  drain(busy);
  await clock.advance(1_999);
  drain(busy);
  expect(busy.accepted).toBe(1);
  await clock.advance(1);
  drain(busy);
  expect(busy.accepted).toBe(2);
});

test("a rate of nothing accepts nothing, until there is one", async () => {
  const clock = manualClock();
  const rate = new AcceptRate({ perSecond: 0, burst: 0 });
  const busy = new Busy(rate);
  busy.heedRate();
  await clock.advance(60_000);
  drain(busy);
  expect(busy.accepted).toBe(0);
  rate.set({ perSecond: 10, burst: 1 });
  await clock.advance(100);
  drain(busy);
  expect(busy.accepted).toBe(1);
});

test("without a rate any more, all is accepted; a new rate begins without tokens", async () => {
  const clock = manualClock();
  const rate = new AcceptRate({ perSecond: 1, burst: 1 });
  const busy = new Busy(rate);
  drain(busy);
  expect(busy.accepts).toBe(false);
  rate.set(undefined);
  for (let n = 0; n < 100; n++) expect(busy.accept()).toBe(true);
  rate.set({ perSecond: 10, burst: 5 });
  drain(busy);
  expect(busy.accepted).toBe(101);
  await clock.advance(1_000);
  drain(busy);
  expect(busy.accepted).toBe(106);
});

test("of listeners with one rate, each has its turn when there are tokens again", async () => {
  const clock = manualClock();
  const rate = new AcceptRate({ perSecond: 1, burst: 1 });
  const [one, other] = [new Busy(rate), new Busy(rate)];
  for (let n = 0; n < 10; n++) {
    // In the order in which they were told.
    (one.accepts && one.accept()) || other.accept();
    await clock.advance(500);
    one.accepts && one.accept();
    await clock.advance(500);
    other.accepts && other.accept();
  }
  expect(one.accepted + other.accepted).toBeGreaterThanOrEqual(10);
  expect(Math.min(one.accepted, other.accepted)).toBeGreaterThan(0);
});

test("in no time is more accepted than its seconds and one burst, by all listeners and by each", async () => {
  const rate = fc.record({
    perSecond: fc.integer({ min: 1, max: 500 }),
    burst: fc.integer({ min: 1, max: 50 }),
  });
  await fc.assert(
    fc.asyncProperty(
      rate,
      rate,
      fc.array(fc.record({ ms: fc.nat(300), at: fc.nat(1), clients: fc.nat(20) }), { maxLength: 40 }),
      async (shared, own, steps) => {
        const clock = manualClock();
        const all = new AcceptRate(shared);
        const listeners = [new Busy(new AcceptRate(own), all), new Busy(all)] as const;
        const [limited] = listeners;
        const within = (count: number, { perSecond, burst }: typeof shared) =>
          expect(count).toBeLessThanOrEqual(burst + (clock.now() / 1_000) * perSecond + 1e-6);
        for (const { ms, at, clients } of steps) {
          await clock.advance(ms);
          for (let n = 0; n < clients; n++) listeners[at]?.accept();
          within(listeners[0].accepted + listeners[1].accepted, shared);
          within(limited.accepted, own);
        }
        // None waits for ever: with time and clients the whole rate is used.
        await clock.advance(60_000);
        drain(...listeners);
        await clock.advance(2_000);
        expect(listeners.some(({ accepts }) => accepts)).toBe(true);
        for (const listener of listeners) listener.leave();
      },
    ),
    { numRuns: 100 },
  );
});
