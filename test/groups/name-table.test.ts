/** The table of names on the manual clock: random claims, releases, blocked and ending workers. */
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { type HubRequest, NameHub } from "../../src/groups/hub/name-hub.js";
import type { ClaimResult, NamePort } from "../../src/groups/hub/name-row.js";
import { NameTable } from "../../src/groups/hub/name-table.js";
import { ManualClock, useClock } from "../../src/index.js";

const NAMES = ["a", "b"];
/** A token of the future. */
const LATE = 8.9e15;

/** A worker that lets go when it is told, unless it is blocked. */
class FakePort implements NamePort {
  readonly worker: number;
  blocked = false;
  readonly results = new Map<number, ClaimResult>();
  readonly told: [name: string, serial: number][] = [];
  readonly #table: () => NameTable<FakePort>;
  constructor(worker: number, table: () => NameTable<FakePort>) {
    this.worker = worker;
    this.#table = table;
  }
  claimed(id: number, result: ClaimResult): void {
    expect(this.results.has(id)).toBe(false);
    this.results.set(id, result);
  }
  replace(name: string, serial: number): void {
    this.told.push([name, serial]);
    if (!this.blocked) this.unblock();
  }
  unblock(): void {
    this.blocked = false;
    for (const [name, serial] of this.told.splice(0)) this.#table().release(this, name, serial);
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant("claim" as const), worker: fc.nat(2), name: fc.nat(1), refuse: fc.boolean() }),
  fc.record({ do: fc.constant("block" as const), worker: fc.nat(2) }),
  fc.record({ do: fc.constant("unblock" as const), worker: fc.nat(2) }),
  fc.record({ do: fc.constant("end" as const), worker: fc.nat(2) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 500, 1_000, 11_000) }),
);

test("one holder at a time, tokens grow, and every claim of a living worker is decided", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = new ManualClock(1_000_000);
      const restore = useClock(clock);
      try {
        const table: NameTable<FakePort> = new NameTable();
        const port = (worker: number) => new FakePort(worker + 1, () => table);
        const ports = [0, 1, 2].map(port);
        const claims: { readonly port: FakePort; readonly id: number }[] = [];
        let highest = 0;
        const check = () => {
          for (const { port, id } of claims) {
            const result = port.results.get(id);
            if (result && "token" in result && result.token > highest) highest = result.token;
          }
          for (const name of NAMES) {
            const holder = table.holder(name);
            if (holder) expect(holder.token).toBeLessThanOrEqual(highest);
          }
        };
        let id = 0;
        for (const one of steps) {
          const own = "worker" in one ? (ports[one.worker] as FakePort) : undefined;
          if (one.do === "claim" && own) {
            claims.push({ port: own, id: ++id });
            // Each claim is of a new process.
            table.claim(own, id, NAMES[one.name] as string, id + 1, one.refuse);
            const result = own.results.get(id);
            if (result && "token" in result) expect(result.token).toBeGreaterThan(highest);
          } else if (one.do === "block" && own) own.blocked = true;
          else if (one.do === "unblock") own?.unblock();
          else if (one.do === "end" && own) {
            table.detach(own);
            ports[own.worker - 1] = port(own.worker - 1);
          } else if (one.do === "wait") await clock.advance(one.ms);
          check();
        }
        for (const one of ports) one.unblock();
        await clock.advance(60_000);
        check();
        for (const { port, id } of claims) if (ports.includes(port)) expect(port.results.has(id)).toBe(true);
        for (const name of table.ownNames())
          expect([name, ports.includes(table.holder(name)?.port as FakePort)]).toEqual([name, true]);
      } finally {
        restore();
      }
    }),
    { numRuns: 60 },
  );
});

const others = fc.oneof(
  fc.record({ do: fc.constant("claim" as const), worker: fc.nat(1), refuse: fc.boolean() }),
  fc.record({
    do: fc.constant("told" as const),
    peer: fc.nat(1),
    held: fc.boolean(),
    newer: fc.integer({ min: -5, max: 5 }),
    pending: fc.boolean(),
  }),
  fc.record({
    do: fc.constant("restore" as const),
    worker: fc.nat(1),
    newer: fc.integer({ min: -5, max: 5 }),
  }),
  fc.record({ do: fc.constant("block" as const), worker: fc.nat(1) }),
  fc.record({ do: fc.constant("unblock" as const), worker: fc.nat(1) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 500, 1_000, 11_000) }),
);

test("with rows of other servers and links that come again, every claim is decided, and no row is left without a holder", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(others, { maxLength: 30 }), async (steps) => {
      const clock = new ManualClock(1_000_000);
      const restore = useClock(clock);
      try {
        const table: NameTable<FakePort> = new NameTable({ node: "m" });
        const ports = [1, 2].map((worker) => new FakePort(worker, () => table)) as [FakePort, FakePort];
        const peers = [{ node: "a" }, { node: "z" }];
        const claims: (readonly [FakePort, number])[] = [];
        let id = 0;
        let token = Date.now() * 4_096;
        for (const one of steps) {
          token = Math.max(token, table.own("n")?.token ?? 0, table.peers.newest("n")?.token ?? 0);
          const port = "worker" in one ? (ports[one.worker] as FakePort) : ports[0];
          if (one.do === "claim") {
            claims.push([port, ++id]);
            table.claim(port, id, "n", id + 1, one.refuse);
          } else if (one.do === "told") {
            const { pending, newer, held } = one;
            const row = { token: token + newer * 10 + 1, worker: 1, serial: 5, pending };
            table.setPeer(peers[one.peer] as { node: string }, "n", held ? row : undefined);
          } else if (one.do === "restore") table.restore(port, "n", ++id + 1, token + one.newer * 10 + 3);
          else if (one.do === "block") port.blocked = true;
          else if (one.do === "unblock") port.unblock();
          else await clock.advance(one.ms);
        }
        for (const port of ports) port.unblock();
        for (const peer of peers) table.setPeer(peer, "n", undefined);
        await clock.advance(120_000);
        for (const [port, claimed] of claims)
          expect([claimed, port.results.has(claimed)]).toEqual([claimed, true]);
        for (const name of table.ownNames()) expect(table.holder(name)).toBeDefined();
      } finally {
        restore();
      }
    }),
    { numRuns: 300 },
  );
});

test("a blocked holder is taken over after 1 s; what it lets go later changes nothing", async () => {
  const clock = new ManualClock();
  const restore = useClock(clock);
  const table: NameTable<FakePort> = new NameTable();
  const [one, two] = [1, 2].map((worker) => new FakePort(worker, () => table)) as [FakePort, FakePort];
  table.claim(one, 1, "a", 7, false);
  one.blocked = true;
  table.claim(two, 2, "a", 8, false);
  await clock.advance(999);
  expect(two.results.size).toBe(0);
  await clock.advance(1);
  expect(two.results.get(2)).toMatchObject({ previous: "unknown" });
  one.unblock();
  expect(table.holder("a")).toMatchObject({ serial: 8 });
  restore();
});

test("two clients with one name: from the 5th replacement in 10 s on a claim waits", async () => {
  const clock = new ManualClock(100_000);
  const restore = useClock(clock);
  const reports: unknown[] = [];
  const onContested = (contest: unknown) => reports.push(contest);
  const table: NameTable<FakePort> = new NameTable({ onContested });
  const port = new FakePort(1, () => table);
  for (let id = 1; id <= 5; id++) table.claim(port, id, "a", id + 1, false);
  expect(port.results.size).toBe(5);
  table.claim(port, 6, "a", 7, false);
  await clock.advance(999);
  expect(port.results.has(6)).toBe(false);
  await clock.advance(1);
  expect(port.results.has(6)).toBe(true);
  expect(table.contested).toBe(1);
  const report = { name: "a", holder: [1, 6], claimant: [1, 7] };
  expect(reports).toEqual([report]);
  // The next one waits 2 s, and is not reported: once a minute is enough.
  table.claim(port, 7, "a", 8, false);
  await clock.advance(2_000);
  expect([table.contested, reports.length]).toEqual([2, 1]);
  restore();
});

test("rows of a worker that connects again: the higher token stays", () => {
  const table: NameTable<FakePort> = new NameTable();
  const [one, two] = [1, 2].map((worker) => new FakePort(worker, () => table)) as [FakePort, FakePort];
  one.blocked = true;
  table.restore(one, "a", 5, LATE);
  table.restore(two, "a", 6, LATE - 1);
  expect(table.holder("a")).toMatchObject({ serial: 5 });
  expect(two.told).toEqual([]);
  two.blocked = true;
  table.restore(two, "a", 7, LATE + 5);
  expect(table.holder("a")).toMatchObject({ serial: 7 });
  expect(one.told).toEqual([["a", 5]]);
  table.claim(one, 1, "b", 9, false);
  expect(one.results.get(1)).toMatchObject({ token: LATE + 6 });
});

test("a process that claims a name twice while it waits for the holder gets both claims answered, and is not replaced by itself", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const table: NameTable<FakePort> = new NameTable();
  const [one, two] = [1, 2].map((worker) => new FakePort(worker, () => table)) as [FakePort, FakePort];
  table.claim(one, 1, "a", 7, false);
  one.blocked = true;
  two.blocked = true;
  table.claim(two, 2, "a", 8, false);
  table.claim(two, 3, "a", 8, false);
  await clock.advance(1_000);
  expect(two.results.get(3)).toMatchObject({ token: expect.any(Number), previous: "unknown" });
  expect(two.results.get(2)).toEqual(two.results.get(3));
  await clock.advance(60_000);
  expect(two.told).toEqual([]);
  expect(table.holder("a")).toMatchObject({ serial: 8 });
});

test("a claim that waits is answered although the worker of the holder has connected again", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const table: NameTable<FakePort> = new NameTable();
  const [one, again, two] = [1, 1, 2].map((worker) => new FakePort(worker, () => table)) as [
    FakePort,
    FakePort,
    FakePort,
  ];
  one.blocked = true;
  table.claim(one, 1, "a", 7, false);
  table.claim(two, 2, "a", 8, false);
  const { token } = table.holder("a") as { token: number };
  table.restore(again, "a", 7, token);
  table.detach(one);
  await clock.advance(5_000);
  expect(two.results.get(2)).toMatchObject({ previous: "ended" });
});

test("a claim behind one that has lost to another server is granted, although the process between does not let go", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const table: NameTable<FakePort> = new NameTable({ node: "a" });
  const port = new FakePort(1, () => table);
  const held = { worker: 1, serial: 9, pending: false };
  table.setPeer({ node: "b" }, "a", { ...held, token: 100 });
  table.claim(port, 1, "a", 7, false);
  table.claim(port, 2, "a", 8, false);
  port.blocked = true;
  table.setPeer({ node: "c" }, "a", { ...held, token: (table.own("a")?.token ?? 0) + 1 });
  await clock.advance(1_000);
  expect(port.told).toEqual([["a", 7]]);
  await clock.advance(3_000);
  expect(port.results.get(2)).toMatchObject({ previous: "unknown" });
});

test("a claim that other servers know waits for a holder whose link comes later and whose token is higher", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const table: NameTable<FakePort> = new NameTable({ node: "a" });
  const [one, two] = [1, 2].map((worker) => new FakePort(worker, () => table)) as [FakePort, FakePort];
  table.setPeer({ node: "b" }, "a", { worker: 1, serial: 9, pending: false, token: 100 });
  table.claim(one, 1, "a", 7, false);
  const { token } = table.own("a") as { token: number };
  two.blocked = true;
  table.restore(two, "a", 8, token + 5);
  expect([one.results.size, table.holder("a")?.serial, two.told]).toEqual([0, 8, [["a", 8]]]);
  two.unblock();
  await clock.advance(1_000);
  const granted = one.results.get(1) as { token: number };
  expect(granted.token).toBeGreaterThan(token + 5);
  expect(table.holder("a")).toMatchObject({ serial: 7, token: granted.token });
});

/** A worker whose processes are asked, and which waits for answers. */
class AskedPort extends FakePort {
  readonly requests: (readonly [serial: number, body: string])[] = [];
  readonly answers: (readonly [id: number, code: string])[] = [];
  request(_name: string, { serial, body }: HubRequest<string>): boolean {
    this.requests.push([serial, body]);
    return true;
  }
  answered(id: number, code: string): void {
    this.answers.push([id, code]);
  }
}

function askedPorts() {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const hub = new NameHub<string>();
  const ports = [1, 2].map((worker) => new AskedPort(worker, () => hub.names as any));
  const [one, two] = ports as [AskedPort, AskedPort];
  const ask = (id: number, body: string) => hub.ask(two, id, "a", { within: 5_000, from: [0, 0], body });
  hub.names.claim(one, 1, "a", 7, false);
  one.blocked = true;
  return { clock, hub, one, two, ask };
}

test("what is asked while the holder lets go waits for the next one, also where that takes 1 s", async () => {
  const { clock, hub, one, two, ask } = askedPorts();
  ask(1, "before");
  hub.names.claim(two, 2, "a", 8, false);
  ask(2, "while it lets go");
  expect([one.requests, two.requests, two.answers]).toEqual([[[7, "before"]], [], []]);
  one.unblock();
  expect(two.requests).toEqual([[8, "while it lets go"]]);
  two.blocked = true;
  hub.names.claim(one, 3, "a", 9, false);
  ask(3, "while it is blocked");
  await clock.advance(1_000);
  expect(one.requests.at(-1)).toEqual([9, "while it is blocked"]);
});

test("what is asked while the holder lets go fails when the claim that waits has ended", async () => {
  const { clock, hub, one, two, ask } = askedPorts();
  hub.names.claim(two, 2, "a", 8, false);
  ask(1, "while it lets go");
  hub.names.release(two, "a", 8);
  one.unblock();
  expect(two.answers).toEqual([[1, "nobody"]]);
  hub.names.claim(one, 3, "a", 9, false);
  one.blocked = true;
  hub.names.claim(two, 4, "a", 10, false);
  for (let id = 2; id <= 102; id++) ask(id, "while it is blocked");
  expect(two.answers.at(-1)).toEqual([102, "busy"]);
  hub.names.release(two, "a", 10);
  await clock.advance(1_000);
  expect(two.answers.slice(2)).toEqual(Array.from({ length: 100 }, (_, at) => [at + 2, "nobody"]));
});
