/** The table of presence on the manual clock: what the workers are told, against what is so. */
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import {
  MAX_PRESENT,
  type PresenceChange,
  type PresenceOwner,
  PresenceTable,
} from "../../src/groups/hub/presence-table.js";
import { ManualClock, useClock } from "../../src/index.js";

const GROUPS = ["a", "b"];

/** A worker that keeps what it is told of each group, and forgets a group when it has no row in it. */
class Worker implements PresenceOwner {
  readonly worker: number;
  full = false;
  readonly views = new Map<string, Map<string, string>>();
  readonly events: { readonly at: number; readonly group: string }[] = [];
  readonly whys: string[] = [];
  readonly #clock: ManualClock;
  constructor(worker: number, clock: ManualClock) {
    this.worker = worker;
    this.#clock = clock;
  }
  presence(group: string, { all, joined, left }: PresenceChange): boolean {
    if (this.full) return false;
    this.events.push({ at: this.#clock.now(), group });
    const before = this.views.get(group);
    if (!all && !before) throw new Error("changes before the list");
    const view = all ? new Map<string, string>() : (before as Map<string, string>);
    for (const { node, worker, serial, key, info } of joined)
      view.set(`${worker}.${serial}@${node}`, key + info);
    for (const { node, worker, serial, why } of left) {
      this.whys.push(why);
      if (!view.delete(`${worker}.${serial}@${node}`)) throw new Error("has left without having come");
    }
    this.views.set(group, view);
    return true;
  }
}

function world() {
  const clock = new ManualClock(1_000);
  const restore = useClock(clock);
  const table = new PresenceTable<PresenceOwner>();
  const workers = [1, 2, 3].map((worker) => new Worker(worker, clock));
  const set = (owner: PresenceOwner, group: string, serial: number, key = "k", info = "null") =>
    table.set(owner, group, { node: "", worker: (owner as Worker).worker ?? 9, serial, key, info });
  const remove = (owner: PresenceOwner, group: string, serial: number) =>
    table.remove(owner, group, { node: "", worker: (owner as Worker).worker ?? 9, serial }, "left");
  const truth = (group: string) =>
    new Map(
      table
        .list(group)
        .map((row) => [`${row.worker}.${row.serial}@${row.node}`, row.key + row.info] as const),
    );
  return { clock, restore, table, workers, set, remove, truth };
}

const step = fc.oneof(
  fc.record({
    do: fc.constant("set" as const),
    worker: fc.nat(2),
    group: fc.nat(1),
    serial: fc.nat(3),
    key: fc.nat(1),
  }),
  fc.record({ do: fc.constant("remove" as const), worker: fc.nat(2), group: fc.nat(1), serial: fc.nat(3) }),
  fc.record({ do: fc.constant("end" as const), worker: fc.nat(2) }),
  fc.record({ do: fc.constant("replace" as const), worker: fc.nat(2), serials: fc.array(fc.nat(3)) }),
  fc.record({ do: fc.constant("full" as const), worker: fc.nat(2), full: fc.boolean() }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 60, 100, 250) }),
);

test("what the workers know is what is so, after any schedule; at most one event each 100 ms", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, restore, table, workers, set, remove, truth } = world();
      try {
        /** A worker forgets a group when its last member there leaves. */
        const forget = (worker: Worker) => {
          for (const group of GROUPS)
            if (![...table.rowsOf(worker)].some(([name]) => name === group)) worker.views.delete(group);
        };
        for (const one of steps) {
          if (one.do === "wait") await clock.advance(one.ms);
          else {
            const worker = workers[one.worker] as Worker;
            const group = "group" in one ? (GROUPS[one.group] as string) : "a";
            if (one.do === "set") set(worker, group, one.serial, `k${one.key}`);
            else if (one.do === "remove") remove(worker, group, one.serial);
            else if (one.do === "end") table.detach(worker, "left");
            else if (one.do === "full") worker.full = one.full;
            else
              table.replace(
                worker,
                one.serials.map((serial) => [
                  group,
                  { node: "", worker: worker.worker, serial, key: "k0", info: "null" },
                ]),
                "left",
              );
            forget(worker);
          }
        }
        for (const worker of workers) worker.full = false;
        await clock.advance(200);
        for (const worker of workers) {
          forget(worker);
          for (const [group, view] of worker.views) expect(view).toEqual(truth(group));
          for (const group of GROUPS) {
            const times = worker.events.filter((event) => event.group === group).map(({ at }) => at);
            for (let at = 1; at < times.length; at++)
              expect((times[at] as number) - (times[at - 1] as number)).toBeGreaterThanOrEqual(100);
          }
        }
        expect(clock.pending).toBe(0);
      } finally {
        restore();
      }
    }),
    { numRuns: 300 },
  );
});

test("1,000 members that join are few events; above 1,000 none, and what it comes to when fewer are left", async () => {
  const { clock, restore, table, workers, set, remove, truth } = world();
  onTestFinished(restore);
  const [one, two] = workers as [Worker, Worker];
  for (let serial = 1; serial <= MAX_PRESENT; serial++) {
    set(serial % 2 ? one : two, "a", serial);
    if (serial % 100 === 0) await clock.advance(30);
  }
  await clock.advance(100);
  expect(one.views.get("a")).toEqual(truth("a"));
  expect(one.events.length).toBeLessThanOrEqual(5);
  const events = one.events.length;
  for (let serial = 2_001; serial <= 2_010; serial++) set(two, "a", serial);
  for (let serial = 1; serial <= 5; serial++) remove(serial % 2 ? one : two, "a", serial);
  await clock.advance(1_000);
  expect(one.events.length).toBe(events);
  for (let serial = 11; serial <= 15; serial++) remove(serial % 2 ? one : two, "a", serial);
  await clock.advance(100);
  expect(one.events.length).toBe(events + 1);
  expect(one.views.get("a")).toEqual(truth("a"));
  expect(two.views.get("a")).toEqual(truth("a"));
  expect(table.count("a")).toBe(1_000);
});

test("members that come and go above the maximum leave nothing behind", () => {
  const { restore, table, workers, set, remove } = world();
  onTestFinished(restore);
  const [first] = workers as [Worker];
  for (let serial = 1; serial <= MAX_PRESENT + 1; serial++) set(first, "a", serial);
  for (let serial = 10_000; serial < 20_000; serial++) {
    set(first, "a", serial);
    remove(first, "a", serial);
  }
  expect(table.count("a")).toBe(MAX_PRESENT + 1);
  expect(table.untold("a")).toBe(MAX_PRESENT + 1);
});

test("a machine that is gone is node_down; one whose rows come again is not reported", async () => {
  const { clock, restore, table, workers, set } = world();
  onTestFinished(restore);
  const [one] = workers as [Worker];
  const node: PresenceOwner = {};
  const row = (serial: number) => ["a", { node: "n2", worker: 1, serial, key: "k", info: "1" }] as const;
  set(one, "a", 1);
  table.replace(node, [row(1), row(2)], "node_down");
  await clock.advance(100);
  expect(one.views.get("a")?.size).toBe(3);
  expect([...table.rowsOf(node)].length).toBe(2);
  const events = one.events.length;
  table.replace(node, [row(2), row(1)], "node_down");
  table.detach(node, "node_down");
  table.replace(node, [row(1), row(2)], "node_down");
  await clock.advance(200);
  expect(one.events.length).toBe(events);
  table.detach(node, "node_down");
  await clock.advance(100);
  expect(one.whys).toEqual(["node_down", "node_down"]);
  expect(one.views.get("a")?.size).toBe(1);
});

test("while it is held nothing is told; a row that a new link has taken over stays", async () => {
  const { clock, restore, table, workers } = world();
  onTestFinished(restore);
  const [one, again] = [workers[0] as Worker, new Worker(1, clock)];
  table.hold();
  table.set(one, "a", { node: "", worker: 1, serial: 1, key: "k", info: "1" });
  await clock.advance(500);
  expect(one.events).toEqual([]);
  table.release();
  await clock.advance(100);
  expect(one.events.length).toBe(1);
  table.set(again, "a", { node: "", worker: 1, serial: 1, key: "k", info: "1" });
  table.detach(one, "left");
  await clock.advance(100);
  expect(table.count("a")).toBe(1);
  expect(again.views.get("a")?.size).toBe(1);
});
