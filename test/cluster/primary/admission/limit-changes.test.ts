/** Changes of limits in the primary: what they take, what they refuse, and where values are said to come from. */
import { expect, test, vi } from "vitest";
import { LimitChanges } from "../../../../src/cluster/primary/admission/limits/limit-changes.js";
import { PresentLimits } from "../../../../src/cluster/primary/admission/limits/present-limits.js";
import { loadConfig } from "../../../../src/config/config.js";
import type { LimitRequest } from "../../../../src/control/limits.js";
import { AddressLedger } from "../../../../src/tcp/admission/address-ledger.js";
import { fakeWorkers } from "../fake-worker.js";

const NETWORK = "192.0.2.0/24";

/** Two workers, whose descriptors allow 1,000 connections. */
async function world(argv: readonly string[] = [], listener: object = {}) {
  const { config } = await loadConfig({ argv, env: {}, isTTY: false });
  const listeners = config.listeners.map((one) => ({ ...one, ...listener }));
  const limits = new PresentLimits(config, listeners);
  const workers = fakeWorkers(2);
  for (const worker of workers) worker.answer = () => true;
  let divided = 0;
  const rates: unknown[] = [];
  const full: unknown[] = [];
  const sendBans = vi.fn();
  const changes = new LimitChanges({
    ...{ limits, listeners, addresses: { ledger: new AddressLedger((scope) => limits.addresses(scope)) } },
    acceptRates: { set: (scope, rate) => void rates.push([scope, rate?.burst]) },
    full: { set: (listener, mode) => void full.push([listener, mode]) },
    maxConnections: { redivide: () => void divided++ },
    slots: () => workers.map(({ slot }) => slot),
    sendBans,
    refreshSnapshots: async () => {},
    room: () => 1_000,
    explain: () => [],
  });
  const change = (limit: string | undefined, to: LimitRequest["change"], listener?: string) =>
    changes.change({ limit, listener, change: to }, "tester");
  return { changes, change, limits, workers, rates, full, sendBans, divided: () => divided };
}

test("values are read as after a flag or as in a file, and a wrong one is refused with what is expected", async () => {
  const { change, limits, rates } = await world();
  await change("accept-rate", { set: "100:200" });
  await change("accept-rate", { set: 50 }, "main");
  await change("accept-rate", { set: "off" });
  expect(rates).toEqual([
    ["", 200],
    ["main", 50],
    ["", undefined],
  ]);
  await change("max-per-address", { set: "10" });
  await change("addressBan", { set: "10m" });
  await change("address-rate", { set: "5:20" });
  await change("deny", { set: ["10.0.0.0/8"] });
  expect(limits.addresses("")).toEqual({
    maxConnections: 10,
    rate: { perSecond: 5, burst: 20 },
    ban: 600_000,
  });
  expect(limits.admission("main")).toEqual({
    allow: undefined,
    deny: ["10.0.0.0/8"],
    addresses: true,
    limits: {},
  });
  await expect(change("max-per-address", { set: "many" })).rejects.toThrow(
    'max-per-address: expected a whole number from 1 to 10000000, got "many"',
  );
  await expect(change("max-per-adress", { set: 1 })).rejects.toThrow("did you mean max-per-address?");
  await expect(change("max-connections", { set: "auto" }, "main")).rejects.toThrow("expected a whole number");
  await expect(change("max-connections", { set: 1_001 })).rejects.toThrow("more than the 1000");
  await expect(change("max-connections", { set: 5 }, "ops")).rejects.toThrow('no listener "ops"');
  await expect(change("address-rate", { add: "5" })).rejects.toThrow("address-rate is no list");
  await expect(change(undefined, { set: 1 })).rejects.toThrow("limit is missing");
});

test("an address that one listener bans is refused by the others: their workers ask as well", async () => {
  const { config } = await loadConfig({ argv: [], env: {}, isTTY: false });
  const [main] = config.listeners as [(typeof config.listeners)[0]];
  const asks = (listener: object) => {
    const strict = { ...main, name: "strict", maxPerAddress: 5, ...listener };
    return new PresentLimits(config, [main, strict]).admission("main").addresses;
  };
  expect([
    asks({}),
    asks({ addressBan: 60_000 }),
    asks({ addressBan: 60_000, maxPerAddress: undefined }),
  ]).toEqual([false, true, false]);
});

test("workers are told of the bans when limits on addresses change: without limits they do not ask", async () => {
  const { change, sendBans } = await world(["--max-per-address=5", "--address-ban=1m"]);
  await change("max-lag", { set: "2s" });
  expect(sendBans).not.toHaveBeenCalled();
  await change("max-per-address", { set: "off" });
  expect(sendBans).toHaveBeenCalledTimes(1);
});

test("limits on connections replace the protocol's, those of a listener the server's, and off leaves them to the protocol", async () => {
  const { change, changes, limits } = await world(["--first-frame=5s", "--bytes-per-second=64K"]);
  expect(limits.admission("main").limits).toEqual({ firstFrame: 5_000, bytesPerSecond: 65_536 });
  await change("lifetime", { set: "1h" });
  await change("first-frame", { set: "2s" }, "main");
  await change("worker-inbound", { set: "64M" });
  expect(limits.admission("main").limits).toEqual({
    ...{ firstFrame: 2_000, lifetime: 3_600_000, bytesPerSecond: 65_536, workerInbound: 2 ** 26 },
  });
  const names = ["first-frame", "lifetime", "worker-inbound"];
  const own = changes.rows("main").filter(({ limit }) => names.includes(limit));
  expect(own.map(({ limit, text, origin }) => [limit, text, origin])).toEqual([
    ["first-frame", "2s", "changed"],
    ["lifetime", "1h", "server"],
  ]);
  await change("bytes-per-second", { set: "off" });
  await change("first-frame", { set: "off" }, "main");
  expect(limits.admission("main").limits).toEqual({
    ...{ firstFrame: 5_000, lifetime: 3_600_000, workerInbound: 2 ** 26 },
  });
  await expect(change("worker-outbound", { set: "64M" }, "main")).rejects.toThrow(
    "worker-outbound is a limit of each worker, and no listener has its own",
  );
  await expect(change("lifetime", { set: 0 })).rejects.toThrow("lifetime: expected a duration over 0");
});

test("networks are added to a list and removed from it; an empty list of admitted networks is refused", async () => {
  const { change, limits } = await world([`--deny=${NETWORK}`]);
  await change("deny", { add: "198.51.100.7,10.0.0.0/8" });
  expect(limits.admission("main").deny).toEqual([NETWORK, "198.51.100.7", "10.0.0.0/8"]);
  // A listener without a list has the server's, and adds to that.
  await expect(change("deny", { remove: NETWORK }, "main")).rejects.toThrow("drover limit deny remove");
  await change("deny", { add: "203.0.113.1" }, "main");
  await change("deny", { remove: NETWORK });
  expect(limits.admission("main").deny).toEqual([NETWORK, "198.51.100.7", "10.0.0.0/8", "203.0.113.1"]);
  await change("deny", { set: "off" }, "main");
  expect(limits.admission("main").deny).toEqual(["198.51.100.7", "10.0.0.0/8"]);
  await expect(change("deny", { remove: NETWORK })).rejects.toThrow(`${NETWORK} is not in deny`);
  await expect(change("allow", { add: NETWORK })).rejects.toThrow("type `drover limit allow 192.0.2.0/24`");
  await change("allow", { set: NETWORK });
  await expect(change("allow", { remove: NETWORK })).rejects.toThrow("type `drover limit allow off`");
});

test("reset brings back what is configured, of one limit, of one listener, or of all", async () => {
  const { change, changes, limits } = await world(["--max-per-address=5"], { maxConnections: 50 });
  const shown = () =>
    changes.rows(undefined).flatMap((row) => (row.changed ? `${row.listener} ${row.limit} ${row.text}` : []));
  await change("max-per-address", { set: 7 });
  await change("max-connections", { set: 100 });
  await change("max-connections", { set: 60 }, "main");
  expect(shown()).toEqual(["null max-connections 100", "null max-per-address 7", "main max-connections 60"]);
  expect(changes.rows(undefined).find(({ changed }) => changed)).toMatchObject({
    origin: "changed",
    changed: { by: "tester", configured: "auto (1000)" },
  });
  await change("max-per-address", "reset");
  await change(undefined, "reset", "main");
  expect([shown(), limits.maxConnections("main")]).toEqual([["null max-connections 100"], 50]);
  await change("max-per-address", { set: "off" });
  expect(limits.addresses("")).toBeUndefined();
  const { changes: undone } = await change(undefined, "reset");
  expect(undone.map(({ limit, text, before }) => [limit, before, text])).toEqual([
    ["max-connections", "100", "auto (1000)"],
    ["max-per-address", "no limit", "5"],
  ]);
  expect(shown()).toEqual([]);
});

test("workers are told once for each change, count their connections where none were counted, and not for none", async () => {
  const { change, workers, divided } = await world();
  const asked = () => workers[0]?.asked.splice(0);
  const admission = (addresses: boolean) => [{ allow: undefined, deny: undefined, addresses, limits: {} }];
  await change("max-per-address", { set: 3 });
  expect(asked()).toEqual([{ name: "admission", listeners: admission(true), recount: true }]);
  await change("max-per-address", { set: 4 });
  expect(asked()).toEqual([{ name: "admission", listeners: admission(true), recount: false }]);
  const { changes } = await change("max-per-address", { set: "4" });
  expect([changes, asked(), divided()]).toEqual([[], [], 2]);
  await change("max-per-address", { set: "off" });
  expect(asked()).toEqual([{ name: "admission", listeners: admission(false), recount: false }]);
});

test("a change says which workers have it and which not, and what has no effect", async () => {
  const { change, workers } = await world();
  const [first, second] = workers;
  if (first) first.answer = () => undefined;
  if (second) second.state = "starting";
  const { workers: states, notes } = await change("address-ban", { set: "10m" });
  expect(states).toEqual([
    { worker: 1, state: "not answering" },
    { worker: 2, state: "starting" },
  ]);
  expect(notes).toEqual([
    "address-ban has no effect without max-per-address or address-rate: set one of them",
  ]);
});

test("changes come one after the other, and one that is refused does not hold up the next", async () => {
  const { change, workers } = await world();
  const order: string[] = [];
  let answer = (_done: true) => {};
  if (workers[0])
    workers[0].answer = () => {
      order.push("asked");
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
  const first = change("max-per-address", { set: 3 }).then(({ changes }) =>
    order.push(`${changes[0]?.before}`),
  );
  const refused = change("max-per-address", { set: -1 }).catch(() => order.push("refused"));
  const second = change("max-per-address", { set: 5 }).then(({ changes }) =>
    order.push(`${changes[0]?.before}`),
  );
  for (const one of [first, refused, second]) {
    await new Promise(setImmediate);
    answer(true);
    await one;
  }
  expect(order).toEqual(["asked", "no limit", "refused", "asked", "3"]);
});

const texts = (rows: readonly { limit: string; text: string; origin: string }[], ...names: string[]) =>
  rows.filter(({ limit }) => names.includes(limit)).map(({ text, origin }) => `${text} ${origin}`);

test("a listener without a when-full has the server's, and one with its own, be it the same, keeps it", async () => {
  const inherits = await world();
  expect(texts(inherits.changes.rows("main"), "when-full")).toEqual(["queue server"]);
  expect(inherits.changes.rows(undefined).filter(({ listener }) => listener === "main")).toEqual([]);
  await inherits.change("when-full", { set: "refuse" });
  expect(inherits.full).toEqual([["main", "refuse"]]);
  await inherits.change("when-full", { set: "shed" }, "main");
  expect(texts(inherits.changes.rows(undefined), "when-full")).toEqual(["refuse changed", "shed changed"]);
  const { changes } = await inherits.change("when-full", { set: "off" }, "main");
  expect(changes.map(({ before, text }) => [before, text])).toEqual([["shed", "refuse"]]);
  await inherits.change(undefined, "reset");
  expect(inherits.full.slice(1)).toEqual([
    ["main", "shed"],
    ["main", "refuse"],
    ["main", "queue"],
  ]);

  const own = await world([], { whenFull: "queue" });
  await own.change("when-full", { set: "refuse" });
  expect(own.full).toEqual([["main", "queue"]]);
  expect(texts(own.changes.rows(undefined), "when-full")[0]).toBe("refuse changed");
  await expect(own.change("when-full", { set: "off" })).rejects.toThrow(
    'when-full: expected one of queue, refuse, shed, got "off"',
  );
  await expect(own.change("when-full", { set: "refuze" })).rejects.toThrow("did you mean refuse?");
});

test("workers get new terms of overload before the request that says whether they have them, and only for those", async () => {
  const { change, changes, limits, workers } = await world(["--max-memory=1G"]);
  const asked = () => workers[1]?.asked.splice(0).map((one) => ("terms" in one ? one.terms : one.name));
  const { changes: lowered } = await change("max-memory", { set: "512M" });
  expect(lowered.map(({ before, text, value }) => [before, text, value])).toEqual([
    ["1G", "512M", 512 * 2 ** 20],
  ]);
  expect(asked()).toEqual([{ maxLag: 1_000, maxMemory: 512 * 2 ** 20 }, "admission"]);
  await change("max-memory", { set: "off" });
  await change("max-lag", { set: "off" });
  expect(texts(changes.rows(undefined), "max-memory", "max-lag")).toEqual([
    "no limit changed",
    "off changed",
  ]);
  expect(limits.overload).toEqual({ maxLag: 0, maxMemory: undefined });
  asked();
  await change("max-lag", { set: "0" });
  await change("deny", { set: NETWORK });
  expect(asked()).toEqual(["admission"]);
  await change("max-lag", { set: 250 });
  await change(undefined, "reset");
  expect(asked()).toEqual([
    ...[{ maxLag: 250, maxMemory: undefined }, "admission"],
    ...[{ maxLag: 1_000, maxMemory: 2 ** 30 }, "admission"],
  ]);
  await expect(change("max-memory", { set: "10M" })).rejects.toThrow("max-memory: expected at least 96M");
  await expect(change("max-lag", { set: 5 }, "main")).rejects.toThrow(
    "max-lag is a limit of each worker, and no listener has its own: leave the listener out",
  );
  expect(texts(changes.rows("main"), "max-memory", "max-lag")).toEqual([]);
});

test("a maximum of memory below what a worker has is taken, and the worker is named", async () => {
  const { change, workers } = await world();
  for (const [at, worker] of workers.entries())
    worker.slot.last = { gauges: { residentBytes: (at + 1) * 150 * 2 ** 20 }, listeners: [] } as never;
  expect((await change("max-memory", { set: "200M" })).notes).toEqual([
    "worker 2 has 300 MiB: it may stop accepting, close connections and, if that does not help, be replaced",
  ]);
});
