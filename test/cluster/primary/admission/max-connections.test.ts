/** The maximum of all listeners and of each one, over all workers: exact in both, whatever happens in whatever order. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WorkerRequest } from "../../../../src/cluster/channel/requests.js";
import type { LimitedListener } from "../../../../src/cluster/primary/admission/connections/lent-places.js";
import { loansFor } from "../../../../src/cluster/primary/admission/connections/loans.js";
import { MaxConnections } from "../../../../src/cluster/primary/admission/connections/max-connections.js";
import { newSlot, type WorkerSlot } from "../../../../src/cluster/primary/workers/worker-slot.js";
import { FakeWorker } from "../fake-worker.js";

/** A worker that keeps to the shares it has read, and reads them when it is its turn. */
class ModelWorker {
  readonly slot: WorkerSlot;
  readonly active: number[];
  share: number;
  readonly shares: number[];
  #unread: Extract<WorkerRequest, { name: "limit" }>[] = [];
  /** It serves, and accepts nothing: overloaded, or draining. */
  closed = false;
  #applied = 0;
  readonly #fake: FakeWorker;

  constructor(slot: WorkerSlot, limits: MaxConnections, listeners: readonly LimitedListener[]) {
    this.slot = slot;
    this.#fake = new FakeWorker(slot);
    this.#fake.answer = (request) => {
      if (request.name === "limit") this.#unread.push(request);
    };
    const { maxConnections, own } = limits.boot(slot.slot);
    this.share = maxConnections;
    this.shares = [...own];
    this.active = listeners.map(() => 0);
    slot.last = undefined;
  }

  get total(): number {
    return this.active.reduce((sum, count) => sum + count, 0);
  }

  accept(listener: number): boolean {
    if (!this.alive || this.closed || this.isFull(listener)) return false;
    this.active[listener] = (this.active[listener] as number) + 1;
    return true;
  }

  isFull(listener: number): boolean {
    const has = (this.active[listener] as number) < (this.shares[listener] as number);
    return !has || this.total >= this.share;
  }

  end(listener: number): void {
    this.active[listener] = Math.max(0, (this.active[listener] as number) - 1);
  }

  read(listeners: readonly LimitedListener[]): void {
    for (const { listener, maxConnections } of this.#unread.splice(0)) {
      this.#applied++;
      if (listener === undefined) this.share = maxConnections;
      else this.shares[listeners.findIndex(({ name }) => name === listener)] = maxConnections;
    }
  }

  send(): void {
    if (!this.alive) return;
    this.#fake.sendSnapshots(
      this.active.map((active) => ({ active })),
      this.#applied,
    );
  }

  get alive(): boolean {
    return this.#fake.alive;
  }

  die(): void {
    this.#fake.alive = false;
    this.active.fill(0);
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

class Model {
  readonly listeners: readonly Mutable<LimitedListener>[];
  /** Limit of all listeners. */
  limit: number;
  readonly limits: MaxConnections;
  /** Slots without a part of the accept rate. */
  readonly unrated = new Set<number>();
  workers: ModelWorker[] = [];
  readonly #slots: WorkerSlot[];

  constructor(total: number, own: readonly (number | undefined)[], workers: number) {
    this.limit = total;
    this.listeners = own.map((maxConnections, at) => ({ name: `listener${at}`, at, maxConnections }));
    this.#slots = Array.from({ length: workers }, (_, at) => newSlot(at + 1));
    this.limits = new MaxConnections(
      () => this.#slots,
      () => this.limit,
      this.listeners,
      {
        open: ({ slot }) => this.workers[slot - 1]?.closed === false,
        full: (slot, name) => this.#isFull(slot, name),
        rated: (slot) => !this.unrated.has(slot),
      },
    );
    this.workers = this.#slots.map((slot) => this.#start(slot));
  }

  #isFull(slot: number, name: string): boolean {
    const worker = this.workers[slot - 1];
    const listener = this.listeners.findIndex((one) => one.name === name);
    return worker?.alive === true && !worker.closed && worker.isFull(listener);
  }

  /** `unrate`: it has no part of the accept rate, and so accepts nothing. */
  open({ slot: { slot } }: ModelWorker, what: "open" | "close" | "unrate"): void {
    const worker = this.workers[slot - 1] as ModelWorker;
    worker.closed = what !== "open";
    if (what === "unrate") this.unrated.add(slot);
    else this.unrated.delete(slot);
    this.limits.settle();
  }

  /** Whether a client of the listener waits although its limit and the one of all have room. */
  waitsInVain(listener: number): boolean {
    const { maxConnections: own = Infinity } = this.listeners[listener] as LimitedListener;
    if (this.total >= this.limit || this.of(listener) >= own) return false;
    const open = this.workers.filter(({ alive, closed }) => alive && !closed);
    return open.length > 0 && open.every((worker) => worker.isFull(listener));
  }

  /** Loans are made until no more are needed. @returns how many rounds that took */
  lend(): number {
    for (let round = 0; ; round++) {
      this.settle();
      if (round === 40 || !this.listeners.some((_, listener) => this.waitsInVain(listener))) return round;
      this.limits.lend();
    }
  }

  /** As `Scale`: new slots get a worker; removed ones accept no more, and are gone when they are drained. */
  scale(workers: number): void {
    const { length } = this.#slots;
    for (let slot = length + 1; slot <= workers; slot++) this.#slots.push(newSlot(slot));
    if (workers < length) {
      for (const worker of this.workers.splice(workers)) worker.die();
      this.#slots.length = workers;
    }
    this.limits.redivide();
    for (const slot of this.#slots.slice(length)) this.workers.push(this.#start(slot));
  }

  #start(slot: WorkerSlot): ModelWorker {
    const worker = new ModelWorker(slot, this.limits, this.listeners);
    worker.closed = this.unrated.has(slot.slot);
    return worker;
  }

  read(at: number): void {
    this.workers[at]?.read(this.listeners);
  }

  hear(at: number): void {
    this.workers[at]?.send();
    this.limits.settle();
  }

  restart(at: number): void {
    const worker = this.workers[at];
    if (!worker) return;
    worker.die();
    this.limits.settle();
    this.workers[at] = this.#start(worker.slot);
  }

  /** Its worker ends, and no other one starts for now. */
  end(at: number): void {
    this.workers[at]?.die();
    this.limits.settle();
  }

  settle(): void {
    for (let round = 0; round < 5; round++) {
      for (const at of this.workers.keys()) this.read(at);
      for (const at of this.workers.keys()) this.hear(at);
    }
  }

  /** Changes the limit of one listener, or of all. */
  change(limit: number | undefined, listener?: number): void {
    if (listener === undefined) this.limit = limit ?? Infinity;
    else (this.listeners[listener] as Mutable<LimitedListener>).maxConnections = limit;
    this.limits.redivide();
  }

  of(listener: number): number {
    return this.workers.reduce((sum, { active }) => sum + (active[listener] as number), 0);
  }

  get total(): number {
    return this.workers.reduce((sum, worker) => sum + worker.total, 0);
  }

  /** Clients come to all listeners, in turn, until none is accepted. */
  fill(): void {
    for (let accepted = true; accepted; ) {
      accepted = false;
      for (const worker of this.workers)
        for (const listener of this.listeners.keys()) accepted = worker.accept(listener) || accepted;
    }
  }
}

test("a worker that was told a smaller share, and then gets its old one again, is told that as well", () => {
  const model = new Model(4, [undefined], 2);
  model.fill();
  model.scale(4);
  model.scale(2);
  model.settle();
  model.fill();
  expect(model.total).toBe(4);
});

test("a snapshot from before a larger share was applied says nothing about what a smaller one leaves", () => {
  const model = new Model(4, [undefined], 2);
  const [first] = model.workers;
  first?.accept(0);
  model.scale(4);
  model.settle();
  model.scale(2);
  // It reads of its larger share and uses it; its next snapshot has not been sent.
  model.read(0);
  first?.accept(0);
  expect(first?.active).toEqual([2]);
  model.scale(4);
  for (const at of [1, 2, 3]) model.read(at);
  model.fill();
  expect(model.total).toBeLessThanOrEqual(4);
  model.settle();
  model.fill();
  expect(model.total).toBe(4);
});

describe("with several listeners", () => {
  test("the remainders of their limits go to different workers, so that the sum of all fits", () => {
    const model = new Model(102, [51, 51], 2);
    expect(model.workers.map(({ share, shares }) => [share, ...shares])).toEqual([
      [51, 26, 25],
      [51, 25, 26],
    ]);
    model.fill();
    expect([model.of(0), model.of(1)]).toEqual([51, 51]);
  });

  test("a listener without a limit has the rest of all", () => {
    const model = new Model(10, [3, undefined], 2);
    model.fill();
    expect(model.total).toBe(10);
    expect(model.of(0)).toBe(3);
  });
});

describe("lent places", () => {
  const closing = (total: number, own: readonly (number | undefined)[], workers: number) => {
    const model = new Model(total, own, workers);
    const [first, ...others] = model.workers as [ModelWorker, ...ModelWorker[]];
    return { model, first, others };
  };

  test("the free places of a worker that accepts nothing serve the others, those that it uses do not", () => {
    const { model, first } = closing(40, [undefined], 2);
    for (let n = 0; n < 5; n++) first.accept(0);
    first.closed = true;
    model.fill();
    expect(model.total).toBe(25);
    // Half of them each time.
    expect(model.lend()).toBe(1);
    expect(model.workers.map(({ share }) => share)).toEqual([12, 28]);
    for (let round = 0; round < 5; round++) {
      model.fill();
      model.lend();
    }
    expect(model.workers.map(({ total }) => total)).toEqual([5, 35]);
  });

  test("the places of a worker without a part of the accept rate are the others' at once, and its own when it has one", () => {
    const { model, first, others } = closing(10, [undefined], 2);
    model.open(first, "unrate");
    model.settle();
    model.fill();
    expect([first.total, others[0]?.total]).toEqual([0, 10]);
    model.open(first, "open");
    for (let n = 0; n < 5; n++) others[0]?.end(0);
    model.settle();
    model.fill();
    expect([first.total, others[0]?.total]).toEqual([5, 5]);
  });

  test("one worker has the listener's places, another those of all: one lends", () => {
    const { model, first, others } = closing(4, [undefined, 2], 2);
    first.accept(0);
    first.accept(0);
    others[0]?.accept(1);
    expect(others[0]?.isFull(1)).toBe(true);
    expect(model.waitsInVain(1)).toBe(true);
    expect(model.lend()).toBe(1);
    expect(model.workers.some((worker) => worker.accept(1))).toBe(true);
  });

  test("they go back when the borrower would have more than a little room without them", () => {
    const { model, first, others } = closing(20, [undefined], 2);
    const [second] = others as [ModelWorker];
    first.closed = true;
    model.fill();
    model.lend();
    const back = () => {
      second.end(0);
      model.settle();
      model.limits.lend();
      model.settle();
      return second.share === 10;
    };
    expect([back(), second.total, back(), second.total]).toEqual([false, 9, true, 8]);
  });

  test("no worker lends while another has room, or a limit is reached", () => {
    const { model, first } = closing(20, [undefined], 3);
    first.closed = true;
    for (let n = 0; n < 7; n++) model.workers[1]?.accept(0);
    model.settle();
    model.limits.lend();
    model.settle();
    expect(model.workers.map(({ share }) => share)).toEqual([7, 7, 6]);
    const full = new Model(4, [2], 2);
    full.fill();
    expect(full.lend()).toBe(0);
  });

  test("a worker that is full since its last snapshot lends nothing", () => {
    const { model, first, others } = closing(4, [undefined], 2);
    model.settle();
    for (const worker of model.workers) for (let n = 0; n < 2; n++) worker.accept(0);
    model.hear(0);
    model.limits.lend();
    model.settle();
    expect([first.share, others[0]?.share]).toEqual([2, 2]);
  });

  test("a worker that is short of descriptors borrows nothing, and lends", () => {
    const places = (short: boolean) => [
      { slot: 1, open: true, short, free: short ? 6 : 0, own: [{ free: Infinity, full: true }] },
      { slot: 2, open: true, short: false, free: 0, own: [{ free: Infinity, full: true }] },
    ];
    expect(loansFor(0, places(true))).toEqual([{ listener: undefined, from: 1, to: 2, count: 3 }]);
    expect(loansFor(0, places(false))).toEqual([]);
  });
});

const places = fc.record({ at: fc.nat(5), listener: fc.nat(2) });
const step = fc.oneof(
  fc.record({ what: fc.constantFrom("close" as const, "open" as const, "lend" as const), place: places }),
  fc.record({ what: fc.constant("unrate" as const), place: places }),
  fc.record({ what: fc.constantFrom("accept" as const, "end" as const), place: places }),
  fc.record({ what: fc.constantFrom("read" as const, "hear" as const), place: places }),
  fc.record({ what: fc.constantFrom("restart" as const, "scale" as const, "die" as const), place: places }),
);

test("no limit is ever exceeded, and all are reached when every message has arrived", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.array(fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.array(step, { maxLength: 80 }),
      (total, own, steps) => {
        const model = new Model(total, own, 3);
        const check = () => {
          expect(model.total).toBeLessThanOrEqual(total);
          for (const [at, limit = Infinity] of own.entries()) expect(model.of(at)).toBeLessThanOrEqual(limit);
        };
        for (const { what, place } of steps) {
          const worker = model.workers[place.at % model.workers.length];
          const listener = place.listener % own.length;
          if (what === "accept") worker?.accept(listener);
          else if (what === "end") worker?.end(listener);
          else if (what === "die") model.end(place.at % model.workers.length);
          else if (what === "read") model.read(place.at);
          else if (what === "hear") model.hear(place.at);
          else if (what === "restart") model.restart(place.at % model.workers.length);
          else if (what === "lend") model.limits.lend();
          else if (what === "open" || what === "close" || what === "unrate")
            model.open(worker as ModelWorker, what);
          else model.scale(place.at + 1);
          check();
        }
        for (const [at, worker] of model.workers.entries()) if (!worker.alive) model.restart(at);
        for (let round = 0; round < 3; round++) {
          model.lend();
          check();
          expect(own.map((_, listener) => model.waitsInVain(listener))).not.toContain(true);
          model.fill();
          check();
        }
        for (const worker of model.workers) {
          worker.active.fill(0);
          model.open(worker, "open");
        }
        for (let round = 0; round < 8; round++) {
          model.lend();
          model.fill();
        }
        check();
        const sum = own.reduce<number>((all, limit = Infinity) => all + limit, 0);
        expect(model.total).toBe(Math.min(total, sum));
        if (sum <= total) expect(own.map((_, at) => model.of(at))).toEqual(own);
      },
    ),
    { numRuns: 500 },
  );
});

test("a listener without a limit gets one that is exact over all workers, and loses it again", () => {
  const model = new Model(20, [undefined, undefined], 3);
  for (const worker of model.workers) worker.accept(0);
  model.change(5, 0);
  model.settle();
  model.fill();
  expect([model.of(0), model.total]).toEqual([5, 20]);
  for (const worker of model.workers) worker.active.fill(0);
  model.change(undefined, 0);
  model.settle();
  for (const worker of model.workers) for (let n = 0; n < 9; n++) worker.accept(0);
  expect(model.of(0)).toBe(20);
});

test("connections above a lowered limit go on, and none is accepted until there are fewer", () => {
  const model = new Model(12, [undefined], 2);
  model.fill();
  model.change(6);
  model.settle();
  model.fill();
  expect(model.total).toBe(12);
  for (let n = 0; n < 5; n++) model.workers[0]?.end(0);
  model.settle();
  model.fill();
  expect(model.total).toBe(7);
  for (const worker of model.workers) worker.active.fill(0);
  model.settle();
  model.fill();
  expect(model.total).toBe(6);
});

const change = fc.record({
  what: fc.constant("change" as const),
  place: places,
  limit: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
});

test("limits that change at any time are never exceeded once every worker has received them, and then reached", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(step, change), { maxLength: 80 }), (steps) => {
      const model = new Model(12, [6, undefined, 4], 3);
      const limits = () => [
        model.limit,
        ...model.listeners.map(({ maxConnections = Infinity }) => maxConnections),
      ];
      const used = () => [model.total, ...model.listeners.map((_, at) => model.of(at))];
      // Until all have heard of a lower limit the one before may still be used.
      const highest = limits();
      for (const one of steps) {
        const at = one.place.at % model.workers.length;
        const listener = one.place.listener % 3;
        if (one.what === "change") model.change(one.limit, one.place.at % 2 ? listener : undefined);
        else if (one.what === "accept") model.workers[at]?.accept(listener);
        else if (one.what === "end") model.workers[at]?.end(listener);
        else if (one.what === "read") model.read(one.place.at);
        else if (one.what === "hear") model.hear(one.place.at);
        else if (one.what === "restart") model.restart(at);
        else if (one.what === "lend") model.limits.lend();
        else if (one.what === "open" || one.what === "close")
          (model.workers[at] as ModelWorker).closed = one.what === "close";
        else model.scale(one.place.at + 1);
        for (const [which, limit] of limits().entries()) {
          highest[which] = Math.max(highest[which] as number, limit);
          expect(used()[which]).toBeLessThanOrEqual(highest[which] as number);
        }
      }
      for (const worker of model.workers) {
        worker.active.fill(0);
        worker.closed = false;
      }
      model.settle();
      // Without any limit there would be no end.
      if (model.limit === Infinity) model.change(30);
      model.settle();
      model.fill();
      const [all = 0, ...own] = limits();
      for (const [at, limit] of own.entries()) expect(model.of(at)).toBeLessThanOrEqual(limit);
      expect(model.total).toBe(
        Math.min(
          all,
          own.reduce((sum, limit) => sum + limit, 0),
        ),
      );
    }),
    { numRuns: 300 },
  );
});

test("while a worker is dead the others have its places; its successor gets them when clients leave", () => {
  const model = new Model(10, [undefined], 2);
  const [first] = model.workers;
  model.end(1);
  model.settle();
  model.fill();
  expect([model.total, first?.total]).toEqual([10, 10]);
  model.restart(1);
  model.settle();
  expect(model.workers[1]?.share).toBe(0);
  for (let n = 0; n < 3; n++) first?.end(0);
  model.settle();
  model.fill();
  expect(model.workers.map(({ total }) => total)).toEqual([7, 3]);
});
