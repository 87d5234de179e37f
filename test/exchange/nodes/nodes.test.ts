/** Servers on a carrier in memory: what reaches whom, who is gone when, and what hostile bytes do. */
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Nodes } from "../../../src/exchange/nodes/nodes.js";
import { nodesNumbers } from "../../../src/exchange/nodes/numbers.js";
import { HEADER, PEER_KIND, writeHeader } from "../../../src/exchange/nodes/peer/peer-records.js";
import { PUBLISH_HEAD, writePublish } from "../../../src/exchange/records/publish-records.js";
import { HEAD, RecordWriter } from "../../../src/exchange/records/records.js";
import { NONE } from "../../../src/groups/hub/hub.js";
import { turn } from "../../support/until.js";
import { type SimulatedServer, World } from "./simulation.js";

function world(...nodes: string[]): { world: World; servers: SimulatedServer[] } {
  const one = new World(7);
  onTestFinished(() => one.close());
  const servers = nodes.map((node) => one.add(node));
  for (const server of servers) server.start();
  one.clock.run(1_000);
  return { world: one, servers };
}

const states = ({ nodes }: SimulatedServer) =>
  Object.fromEntries((nodes?.peers ?? []).map(({ node, state }) => [node, state]));

/** A batch as another server writes it. */
function batch(
  incarnation: string,
  sequence: number,
  tableVersion: number,
  write: (writer: RecordWriter) => void,
) {
  const writer = new RecordWriter();
  const header = { incarnation, sequence, tableVersion, wall: 1.76e12 + 1_001_000, token: 0 };
  writeHeader(writer.buffer, writer.skip(HEADER), header);
  write(writer);
  return writer.take();
}

const hello =
  (node: string, startedAt = 1) =>
  (writer: RecordWriter) => {
    const text = JSON.stringify({ startedAt, since: startedAt, new: "of a later version" });
    writer.buffer.write(text, writer.add(PEER_KIND.hello, node, Buffer.byteLength(text)));
  };

test("a message goes to the servers that have members, in the order sent, and to no other", () => {
  const { world: w, servers } = world("a", "b", "c");
  const [a, b, c] = servers as [SimulatedServer, SimulatedServer, SimulatedServer];
  b.join("g", 5);
  a.join("g", 6);
  w.clock.run(50);
  expect([a, b, c].map(({ hub }) => hub?.count("g"))).toEqual([2, 2, 2]);
  for (let at = 0; at < 20; at++) a.hub?.publish("g", Buffer.from(`${at}`), [1, 6]);
  w.clock.run(50);
  const all = Array.from({ length: 20 }, (_, at) => ["g", `${at}`]);
  expect([a.worker.got, b.worker.got, c.worker.got]).toEqual([all, all, []]);
});

/** Messages as a worker sends them: `except` names a process of its own. */
function run(messages: readonly Buffer[]): Buffer {
  const writer = new RecordWriter();
  for (const message of messages) writePublish(writer, "g", message, [1, 5]);
  return writer.take();
}

test("messages that a worker sent in one piece come whole, in order and for all members, whatever a batch holds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 100, max: 5_000 }),
      (lengths, maxBytes) => {
        const { world: w, servers } = world("a", "b");
        const [a, b] = servers as [SimulatedServer, SimulatedServer];
        b.join("g", 5);
        w.clock.run(50);
        a.carrier.maxBytes = maxBytes;
        const messages = lengths.map((length, at) => Buffer.alloc(length, `${at % 10}`));
        const fits = messages.filter(({ length }) => HEADER + HEAD + 1 + PUBLISH_HEAD + length <= maxBytes);
        for (const part of [messages.slice(0, 40), messages.slice(40)])
          if (part.length > 0)
            for (const peer of a.hub?.peersOf("g") ?? []) peer.pass(run(part), part.length);
        w.clock.run(50);
        expect(b.worker.got.map(([, text]) => text)).toEqual(fits.map(String));
        expect(b.worker.excepted).toEqual(fits.map(() => NONE));
        expect([a.nodes?.dropped.too_large, b.nodes?.incoming.lost]).toEqual([
          messages.length - fits.length,
          0,
        ]);
      },
    ),
    { numRuns: 100 },
  );
});

test("a group that stays on its server is not told, and gets nothing from elsewhere", () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  for (const server of servers) server.hub?.keepHere("g");
  a.join("g", 5);
  a.hub?.introduce(a.worker, "g", 5, "anna", "null");
  b.join("g", 6);
  w.clock.run(50);
  a.hub?.publish("g", Buffer.from("here"), [0, 0]);
  w.clock.run(50);
  expect([a.hub?.count("g"), b.hub?.count("g"), b.hub?.presence.count("g")]).toEqual([1, 1, 0]);
  expect([a.worker.got, b.worker.got]).toEqual([[["g", "here"]], []]);
});

test("a name is asked on the server that holds it; whereis, members and messages to pids cross servers", async () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  a.claim("device/1");
  a.join("g", 5);
  b.join("g", 9);
  w.clock.run(50);
  b.names?.ask(b.worker, 77, "device/1", { within: 1_000, from: [1, 9], body: Buffer.from("read") });
  b.names?.ask(b.worker, 78, "device/2", { within: 1_000, from: [1, 9], body: Buffer.from("read") });
  const members = b.nodes?.members("g");
  a.nodes?.peer("b")?.signal(3, 17, Buffer.from("hi"));
  w.clock.run(50);
  expect(b.worker.answers.get(77)).toEqual(["answer", "a has device/1: read from b"]);
  expect(b.worker.answers.get(78)?.[0]).toBe("nobody");
  expect(b.names?.names.peerHolder("device/1")).toMatchObject({ peer: { node: "a" }, worker: 1, serial: 2 });
  expect(await members).toEqual([
    [1, 9],
    [1, 5, "a"],
  ]);
  expect(b.signals).toEqual(["3.17 hi"]);
  // A server that is silent is not waited for.
  a.carrier.setUp(false);
  const few = b.nodes?.members("g");
  w.clock.run(1_001);
  expect(await few).toEqual([[1, 9]]);
});

test("a claim elsewhere ends the holder, and is granted when it has ended", () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  a.claim("n");
  w.clock.run(50);
  b.claim("n");
  // Asked meanwhile: answered by the new holder.
  b.names?.ask(b.worker, 5, "n", { within: 1_000, from: [1, 9], body: Buffer.from("x") });
  w.clock.run(100);
  expect([a.worker.held.size, b.worker.held.size, w.granted.length]).toEqual([0, 1, 2]);
  expect(b.worker.answers.get(5)?.[1]).toContain("b has n");
});

test("clients of two servers that take a name from each other: claims wait, and both servers report it", () => {
  const { world: w, servers } = world("a", "b", "c");
  const [a, b, c] = servers as [SimulatedServer, SimulatedServer, SimulatedServer];
  const contested = () => servers.map(({ names }) => names?.names.contested);
  for (const server of [a, b, a, b, a]) {
    server.claim("n");
    w.clock.run(100);
  }
  expect([contested(), a.worker.held.size]).toEqual([[0, 0, 0], 1]);
  const holder = a.worker.held.get("n")?.serial;
  for (const [server, wait] of [
    [b, 1_000],
    [a, 2_000],
    [b, 4_000],
  ] as const) {
    server.claim("n");
    w.clock.run(wait - 50);
    expect(server.worker.held.size).toBe(0);
    w.clock.run(150);
    expect(server.worker.held.size).toBe(1);
  }
  expect(contested()).toEqual([1, 2, 0]);
  expect(b.contests).toEqual([{ name: "n", holder: [1, holder, "a"], claimant: [1, expect.any(Number)] }]);
  expect([a.contests.length, a.contests[0]?.holder[2], c.contests]).toEqual([1, "b", []]);
});

test("a name granted on both sides of a partition is counted, and reported, by the server whose holder ends", () => {
  const { world: w, servers } = world("a", "b", "c");
  const [a, b, c] = servers as [SimulatedServer, SimulatedServer, SimulatedServer];
  const conflicts = () => servers.map(({ names }) => names?.names.conflicts);
  const reported = () => servers.map(({ events }) => events.filter((one) => one === "name_conflicts").length);
  for (const ms of [6_000, 1_000]) {
    c.carrier.side = 1;
    w.clock.run(ms);
    for (const name of ["n", "m"]) a.claim(`${name} ${ms}`);
    w.clock.run(100);
    c.claim(`n ${ms}`);
    c.claim(`o ${ms}`);
    w.clock.run(100);
    c.carrier.side = 0;
    w.clock.run(5_000);
  }
  expect([conflicts(), reported()]).toEqual([
    [2, 0, 0],
    [2, 0, 0],
  ]);
  // To be taken over is no conflict.
  for (const server of [b, a, c]) {
    server.claim("n 6000");
    w.clock.run(2_000);
  }
  expect([conflicts(), c.worker.held.has("n 6000")]).toEqual([[2, 0, 0], true]);
});

test("presence crosses servers: each member that has joined, and why it has left", async () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  // Its events begin in a microtask.
  const run = async (ms: number) => {
    await turn();
    w.clock.run(ms);
    await turn();
  };
  a.join("g", 5);
  a.hub?.introduce(a.worker, "g", 5, "anna", '{"at":1}');
  await run(50);
  const anna = { node: "a", worker: 1, serial: 5, key: "anna", info: '{"at":1}' };
  expect(b.hub?.presence.list("g")).toEqual([anna]);
  a.hub?.introduce(a.worker, "g", 5, "anna", '{"at":2}');
  b.join("g", 6);
  b.hub?.introduce(b.worker, "g", 6, "bob", "null");
  await run(200);
  expect(a.hub?.presence.list("g").map(({ key, info }) => [key, info])).toEqual([
    ["anna", '{"at":2}'],
    ["bob", "null"],
  ]);
  expect(b.worker.present.map(({ joined }) => joined.map(({ key }) => key).sort())).toEqual([
    ["anna", "bob"],
  ]);
  a.leave("g", 5);
  await run(200);
  expect(b.worker.present.at(-1)?.left).toMatchObject([{ key: "anna", node: "a", why: "left" }]);
  a.join("g", 7);
  a.hub?.introduce(a.worker, "g", 7, "alice", "null");
  await run(200);
  a.carrier.setUp(false);
  await run(6_000);
  expect(b.worker.present.at(-1)?.left).toMatchObject([{ key: "alice", node: "a", why: "node_down" }]);
});

test("gone: killed within 0.6 s, silent after 4 s, stopped at once; back it is up again", () => {
  const { world: w, servers } = world("a", "b", "c");
  const [a, b, c] = servers as [SimulatedServer, SimulatedServer, SimulatedServer];
  b.claim("n");
  w.clock.run(3_000);
  expect(states(a)).toEqual({ b: "up", c: "up" });
  b.carrier.kill();
  w.clock.run(600);
  expect(states(a)).toEqual({ b: "down", c: "up" });
  expect(a.names?.names.peerHolder("n")).toBeUndefined();
  c.carrier.side = 1;
  w.clock.run(3_400);
  expect(states(a)).toMatchObject({ c: "up" });
  w.clock.run(1_200);
  expect([states(a), states(c)]).toMatchObject([{ c: "down" }, { a: "down" }]);
  c.carrier.side = 0;
  w.clock.run(2_000);
  expect([states(a), states(c)]).toMatchObject([{ c: "up" }, { a: "up" }]);
  void c.nodes?.close();
  w.clock.run(20);
  expect(states(a)).toEqual({ b: "down" });
  expect(a.events).toEqual(["node_up", "node_up", "node_down", "node_down", "node_up", "node_left"]);
});

test("the carrier away for less than 4 s: no server is down, and what waited leaves in order; what waited longer is counted", () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  b.join("g", 5);
  w.clock.run(50);
  for (const server of servers) server.carrier.setUp(false);
  a.hub?.publish("g", Buffer.from("too old"), [0, 0]);
  w.clock.run(2_500);
  for (const text of ["1", "2", "3"]) a.hub?.publish("g", Buffer.from(text), [0, 0]);
  w.clock.run(1_000);
  for (const server of servers) server.carrier.setUp(true);
  w.clock.run(3_000);
  expect(b.worker.got.map(([, text]) => text)).toEqual(["1", "2", "3"]);
  expect([states(a), states(b)]).toEqual([{ b: "up" }, { a: "up" }]);
  expect([a.nodes?.dropped, b.nodes?.incoming.lost]).toEqual([{ outbox: 1, too_large: 0 }, 0]);
  a.hub?.publish("g", Buffer.alloc(70_000), [0, 0]);
  expect(a.nodes?.dropped.too_large).toBe(1);
  // Lost on the way: counted by the server that did not get it.
  w.network.loss = 1;
  a.hub?.publish("g", Buffer.from("lost"), [0, 0]);
  w.clock.run(5);
  w.network.loss = 0;
  w.clock.run(1_000);
  expect(b.nodes?.incoming.lost).toBe(1);
});

test("the round trip to each server is measured by its heartbeats, and is not known of one that is down", () => {
  const { world: w, servers } = world("a", "b", "c");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  const roundTrips = ({ nodes }: SimulatedServer) =>
    Object.fromEntries(nodesNumbers(nodes as Nodes).nodes.map(({ node, roundTrip }) => [node, roundTrip]));
  w.network.jitter = 0;
  w.clock.run(10_000);
  expect(roundTrips(a)).toEqual({ b: 10, c: 10 });
  // Of the last second, also where heartbeats are lost.
  w.network.latency = 30;
  w.network.loss = 0.3;
  w.clock.run(30_000);
  expect([roundTrips(a), roundTrips(b)]).toEqual([
    { b: 60, c: 60 },
    { a: 60, c: 60 },
  ]);
  w.network.loss = 0;
  b.carrier.side = 1;
  w.clock.run(6_000);
  expect(roundTrips(a)).toEqual({ b: undefined, c: 60 });
  w.network.latency = 1;
  b.carrier.side = 0;
  w.clock.run(2_000);
  // Nothing of the time before: that would still be in the mean.
  expect(roundTrips(a).b).toBe(2);
  b.kill();
  w.clock.run(300);
  b.start();
  w.clock.run(2_000);
  expect([roundTrips(a).b, roundTrips(b)]).toEqual([2, { a: 2, c: 2 }]);
});

test("a forged heartbeat is counted, and measures nothing", () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  w.network.jitter = 0;
  w.clock.run(10_000);
  const { incarnation } = b.nodes as Nodes;
  const forge = (...times: number[]) =>
    a.carrier.forge(
      batch(incarnation, 0, 0, (writer) => {
        const at = writer.add(PEER_KIND.beat, "", 8 * times.length);
        times.forEach((time, index) => void writer.buffer.writeDoubleBE(time, at + 8 * index));
      }),
    );
  for (const times of [
    [1, 2],
    [Number.NaN, -1, 0],
    [1, Infinity, 0],
    [1, 2, -5],
    [1, Number.NaN, 1],
    [1, 2, Number.NaN],
  ])
    forge(...times);
  expect(a.nodes?.incoming.malformed).toBe(6);
  expect(nodesNumbers(a.nodes as Nodes).nodes[0]?.roundTrip).toBe(10);
});

test("a new incarnation keeps its rows until the new ones are complete", () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  b.claim("n");
  b.join("g", 5);
  w.clock.run(50);
  b.kill();
  w.clock.run(300);
  b.start();
  for (let at = 0; at < 50; at++) {
    w.clock.run(20);
    expect([a.names?.names.peerHolder("n")?.peer.node, a.hub?.count("g")]).toEqual(["b", 1]);
  }
  expect([states(a), b.worker.held.size, a.nodes?.lost]).toEqual([{ b: "up" }, 1, 0]);
});

test("two servers of one name: the second is refused, and the first stays known", () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  b.claim("n");
  w.clock.run(50);
  const second = w.add("b");
  second.start();
  w.clock.run(2_000);
  expect(second.refused).toContain("a server named b already");
  expect(b.refused).toBeUndefined();
  expect([a.names?.names.peerHolder("n")?.peer.node, a.events]).toEqual(["b", ["node_up"]]);
});

test("the largest difference to the clock of a server that is up is shown, whichever is ahead", () => {
  const { world: w, servers } = world("a", "b", "c");
  const [a, b, c] = servers as [SimulatedServer, SimulatedServer, SimulatedServer];
  const difference = () => nodesNumbers(a.nodes as Nodes).clockDifference;
  // What a heartbeat took to come is in it.
  expect(difference()).toBeLessThanOrEqual(5);
  b.skew = -2_000;
  c.skew = 3_000;
  w.clock.run(1_000);
  expect(Math.abs(difference() - 3_000)).toBeLessThanOrEqual(5);
  c.carrier.setUp(false);
  w.clock.run(6_000);
  expect(Math.abs(difference() - 2_000)).toBeLessThanOrEqual(5);
});

test("a clock that is more than 1 min wrong is reported, and not taken over", () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  b.kill();
  b.skew = 3_600_000;
  b.start();
  w.clock.run(1_000);
  b.claim("n");
  w.clock.run(100);
  expect(a.events.filter((event) => event === "clock")).toHaveLength(1);
  a.claim("other");
  const [far, own] = [b, a].map(({ worker }) => [...worker.held.values()][0]?.token as number);
  expect(own).toBeLessThan(far as number);
  a.claim("n");
  w.clock.run(2_000);
  // Above the one that it replaces, all the same.
  expect([a.worker.held.get("n")?.token, b.worker.held.size]).toEqual([(far as number) + 1, 0]);
});

test("a server of a later version: unknown kinds are passed over and counted, what is known is taken", () => {
  const { world: w, servers } = world("a");
  const [a] = servers as [SimulatedServer];
  const id = "00000000000000ff";
  a.carrier.forge(batch(id, 0, 0, hello("later")));
  const row = Buffer.alloc(8);
  row.writeDoubleBE(3);
  a.carrier.forge(
    batch(id, 1, 4, (writer) => {
      const part = writer.add(PEER_KIND.part, "", 9);
      writer.buffer.writeUInt32BE(1, part);
      writer.buffer.writeUInt32BE(0, part + 4);
      writer.buffer[part + 8] = 1;
      writer.buffer.set(row, writer.add(PEER_KIND.group, "g", 8));
      writer.add(200, "a row of a later version", 12);
      writer.add(79, "another record", 3);
    }),
  );
  expect([states(a), a.hub?.count("g")]).toEqual([{ later: "up" }, 3]);
  // Rows of unknown kinds count in the version.
  a.carrier.forge(
    batch(id, 1, 4, (writer) => {
      writer.add(200, "x", 1);
      writer.buffer.set(row, writer.add(PEER_KIND.group, "h", 8));
    }),
  );
  a.carrier.forge(batch(id, 1, 6, hello("later")));
  w.clock.run(100);
  expect([a.hub?.count("h"), a.nodes?.resyncs, a.nodes?.incoming]).toMatchObject([
    3,
    0,
    { unknown: 3, malformed: 0 },
  ]);
});

test("a hello with a name that no server has, or with times that are none, is counted and makes no server known", () => {
  const { servers } = world("a", "b");
  const [a] = servers as [SimulatedServer];
  const names = ["", "x".repeat(65), "gw\x1b[2J", "gw/1", "gw 1"];
  const forged = (at: number) => `00000000000000a${at}`;
  names.forEach((name, at) => {
    a.carrier.forge(batch(forged(at), 0, 0, hello(name)));
  });
  for (const startedAt of ["-1e999", "-1", "8.7e15"])
    a.carrier.forge(
      batch(forged(9), 0, 0, (writer) => {
        const text = `{"startedAt":${startedAt},"since":1}`;
        writer.buffer.write(text, writer.add(PEER_KIND.refuse, "a", text.length));
      }),
    );
  expect([states(a), a.refused, a.nodes?.incoming.malformed]).toEqual([{ b: "up" }, undefined, 8]);
});

test("hostile bytes and records of a peer are passed over and counted; the server goes on", () => {
  const { world: w, servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  const id = "00000000000000ff";
  a.carrier.forge(batch(id, 0, 0, hello("evil")));
  const kinds = [...Object.values(PEER_KIND), 79, 255];
  const record = fc.tuple(
    fc.constantFrom(...kinds),
    fc.string({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 60 }),
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), fc.nat(9), fc.nat(9), (records, sequence, version) => {
      a.carrier.forge(
        batch(id, sequence, version, (writer) => {
          for (const [kind, name, body] of records)
            writer.buffer.set(body, writer.add(kind, name, body.length));
        }),
      );
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => a.carrier.forge(Buffer.from(bytes))),
    { numRuns: 200 },
  );
  a.carrier.forge(batch(id, 0, 0, hello("")));
  a.carrier.forge(batch(id, 0, 0, hello("x".repeat(300))));
  expect(a.nodes?.incoming.malformed).toBeGreaterThan(100);
  b.claim("n");
  w.clock.run(500);
  expect([states(a).b, a.names?.names.peerHolder("n")?.peer.node]).toEqual(["up", "b"]);
});

test("an error of ours while a batch is read is no malformed record, and goes up", () => {
  const { servers } = world("a", "b");
  const [a, b] = servers as [SimulatedServer, SimulatedServer];
  const { incarnation } = b.nodes as Nodes;
  vi.spyOn(a.hub as NonNullable<typeof a.hub>, "publishHere").mockImplementation(() => {
    throw new TypeError("ours");
  });
  const forge = () =>
    a.carrier.forge(batch(incarnation, 1, 0, (writer) => writePublish(writer, "g", Buffer.from("x"), NONE)));
  a.join("g", 1);
  expect(forge).toThrow("ours");
  expect(a.nodes?.incoming.malformed).toBe(0);
});

test("a server that comes takes the place of the one that has been gone for longest, where 31 others are known", () => {
  const { world: w, servers } = world("a");
  const [a] = servers as [SimulatedServer];
  for (let at = 1; at <= 31; at++) {
    const server = w.add(`pod-${at}`);
    server.start();
    w.clock.run(3_000);
    server.kill();
    w.clock.run(5_000);
  }
  w.add("last").start();
  w.clock.run(3_000);
  expect(Object.keys(states(a))).toHaveLength(31);
  expect(states(a)).toMatchObject({ last: "up", "pod-2": "down" });
  expect(states(a)["pod-1"]).toBeUndefined();
});
