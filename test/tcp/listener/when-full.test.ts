/** What clients meet at the limit of connections: they wait, are refused, or take the place of an idle one. */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { defineProtocol, exit, lines, stop } from "../../../src/index.js";
import type { FullPolicy, WhenFull } from "../../../src/tcp/admission/full-policy.js";
import { processRefusals } from "../../../src/tcp/admission/refusals.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import type { AcceptQuota } from "../../../src/tcp/listener/accept-quota.js";
import { SharedMaximum } from "../../../src/tcp/listener/shared-maximum.js";
import { Loop } from "../../../src/tcp/loop/loop.js";
import { type BoundHandle, bind } from "../../../src/transport/listening-socket.js";
import { stream } from "../../../src/transport/stream/stream.js";
import type { Transport } from "../../../src/transport/transport.js";
import type { Client } from "../../support/client.js";
import { connected, manualClock, serving, testServer } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: lines(),
  full: "421 too many connections",
  states: {
    ready: {
      frame: (conn, line) => conn.send(line),
      shutdown: (conn) => void conn.send("bye"),
    },
  },
});

const text = ({ bytes }: Client): string => bytes.toString();

test("refuse: a client gets the frame of the protocol and FIN, and is counted", async () => {
  const server = await serving(echo, { maxConnections: 1 });
  await connected(server);
  await until(() => server.counters.active === 1);
  const refused = await connected(server);
  await until(() => refused.ended);
  expect(text(refused)).toBe("421 too many connections\n");
  expect(server.counters).toMatchObject({ accepted: 1, active: 1, refused: { max_connections: 1 } });
});

test("refuse: without a frame, and with 16 clients that do not close, the next ones are reset", async () => {
  const clock = manualClock();
  const server = await serving(echo, { maxConnections: 1 });
  await connected(server);
  await until(() => server.counters.active === 1);
  const stubborn = await Promise.all(Array.from({ length: 16 }, () => connected(server)));
  await until(() => processRefusals.open === 16);
  const next = connect(server.port, "127.0.0.1").on("error", () => {});
  await until(() => next.destroyed);
  expect(next.bytesRead).toBe(0);
  await clock.advance(1_000);
  await until(() => processRefusals.open === 0);
  expect(server.counters.refused.max_connections).toBe(17);
  expect(stubborn.every((one) => text(one).startsWith("421"))).toBe(true);
});

test("a frame that the framing cannot send is refused where the protocol is defined", () => {
  expect(() =>
    defineProtocol({ name: "wrong", framing: lines(), full: "two\r\nlines", states: { ready: {} } }),
  ).toThrow(/"full" cannot be sent by its framing/);
});

test("queue in serve: clients wait unread, in turn, for the connections that end", async () => {
  const server = await serving(echo, { maxConnections: 2, whenFull: "queue" });
  const clients: Client[] = [];
  for (let n = 0; n < 5; n++) clients.push((await connected(server)).write(`${n}\n`));
  await until(() => server.counters.accepted === 2);
  await turn(5);
  expect(clients.map(text)).toEqual(["0\n", "1\n", "", "", ""]);
  await clients[0]?.close();
  await until(() => text(clients[2] as Client) === "2\n");
  await clients[1]?.close();
  await clients[2]?.close();
  await until(() => text(clients[4] as Client) === "4\n");
  expect(server.counters.refused.max_connections).toBe(0);
});

test("shed: a new client takes the place of the one whose last frame is oldest, which is told and counted as shed", async () => {
  const clock = manualClock();
  const server = await serving(echo, { maxConnections: 3, whenFull: "shed" });
  const [one, two, three] = [await connected(server), await connected(server), await connected(server)];
  for (const client of [one, two, three, one]) {
    await clock.advance(1_000);
    const before = text(client).length;
    client.write("x\n");
    await until(() => text(client).length > before);
  }
  const four = (await connected(server)).write("four\n");
  await until(() => text(four) === "four\n");
  await until(() => two.ended);
  expect(text(two)).toBe("x\nbye\n");
  expect([one.ended, three.ended]).toEqual([false, false]);
  expect(server.counters).toMatchObject({ active: 3, accepted: 4, closed: { shed: 1 } });
  expect(server.counters.refused.max_connections).toBe(0);
});

test("shed: a connection whose handler works is not idle; with no other one the client is refused", async () => {
  const server = await serving(
    defineProtocol({
      name: "slow",
      framing: lines(),
      full: "421",
      states: {
        ready: {
          frame: (conn) => new Promise((done) => conn.signal.addEventListener("abort", () => done())),
        },
      },
    }),
    { maxConnections: 1, whenFull: "shed" },
  );
  const busy = (await connected(server)).write("work\n");
  await until(() => server.counters.framesReceived === 1);
  const refused = await connected(server);
  await until(() => refused.ended);
  expect(text(refused)).toBe("421\n");
  expect(busy.ended).toBe(false);
});

test("shed: a goodbye that takes longer than a second is cut off, and the client has waited for its place meanwhile", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "slow",
      framing: lines(),
      states: {
        ready: {
          frame: (conn, line) => conn.send(line),
          shutdown: () => new Promise<void>(() => {}),
        },
      },
    }),
    { maxConnections: 1, whenFull: "shed" },
  );
  const one = await connected(server);
  await until(() => server.counters.active === 1);
  const two = (await connected(server)).write("two\n");
  await turn(5);
  expect([one.ended, text(two), server.counters.active]).toEqual([false, "", 1]);
  await clock.advance(1_300);
  await until(() => text(two) === "two\n");
  expect(server.counters).toMatchObject({ active: 1, accepted: 2, closed: { shed: 1 } });
});

test("shed: a goodbye that stops for a reason of its own is counted as shed all the same", async () => {
  const server = await serving(
    defineProtocol({
      name: "own",
      framing: lines(),
      states: { ready: { frame: () => {}, shutdown: () => stop("moved") } },
    }),
    { maxConnections: 1, whenFull: "shed" },
  );
  await connected(server);
  await until(() => server.counters.active === 1);
  await connected(server);
  await until(() => server.counters.accepted === 2);
  expect(server.counters.closed).toMatchObject({ shed: 1, stopped: 0 });
});

/** A listener that can pause, with a policy that a test changes. */
async function pausable(mode: WhenFull, maxConnections = 2, quota?: AcceptQuota) {
  const said: string[] = [];
  const pausing = { pause: () => void said.push("pause"), resume: () => void said.push("resume") };
  const transport: Transport = {
    ...stream,
    listen: async (target, options) => ({ ...(await stream.listen(target, options)), pausing }),
  };
  const full = { mode, everywhere: false, told: [] as boolean[] };
  const policy: FullPolicy = {
    get mode() {
      return full.mode;
    },
    get everywhere() {
      return full.everywhere;
    },
    changed: (now) => void full.told.push(now),
  };
  const limits = { all: maxConnections };
  const endpoint = new Endpoint({ loop: new Loop() });
  const server = await testServer(echo, {
    ...{ endpoint, renewable: true, transport, full: policy },
    // Unlike its own limit it may change.
    shared: new SharedMaximum([endpoint], () => limits.all),
    ...(quota && { quota }),
  });
  const lower = (to: number) => {
    limits.all = to;
    server.listener.recheck();
  };
  const count = Math.min(maxConnections, quota?.value ?? Infinity);
  const clients = await Promise.all(Array.from({ length: count }, () => connected(server)));
  await until(() => server.counters.active === count && server.listener.state !== "listening");
  return { server, full, said, clients, lower };
}

test("a full listener turns clients away only once all others are full, and no longer when one has room", async () => {
  const { server, full, said, clients } = await pausable("refuse");
  expect([said.splice(0), full.told.splice(0)]).toEqual([["pause"], [true]]);
  full.everywhere = true;
  server.listener.recheck();
  expect([server.listener.state, said.splice(0)]).toEqual(["full", ["resume"]]);
  const refused = await connected(server);
  await until(() => refused.ended);
  expect(text(refused)).toBe("421 too many connections\n");
  full.everywhere = false;
  server.listener.recheck();
  expect(said.splice(0)).toEqual(["pause"]);
  await clients[0]?.close();
  await until(() => server.listener.state === "listening");
  expect([said, full.told]).toEqual([["resume"], [false]]);
});

test("a listener that turns clients away accepts the next one when a connection has ended", async () => {
  const { server, full, clients } = await pausable("refuse");
  full.everywhere = true;
  server.listener.recheck();
  await clients[0]?.close();
  await until(() => server.listener.state === "listening");
  const next = (await connected(server)).write("next\n");
  await until(() => text(next) === "next\n");
  expect(server.counters.refused.max_connections).toBe(0);
  expect(server.listener.state).toBe("full");
});

test("what is done at the limit may change while the listener is full", async () => {
  const { server, full, said } = await pausable("queue");
  full.everywhere = true;
  server.listener.recheck();
  expect(said).toEqual(["pause"]);
  full.mode = "shed";
  server.listener.recheck();
  expect(said).toEqual(["pause", "resume"]);
  const next = (await connected(server)).write("next\n");
  await until(() => text(next) === "next\n");
  expect(server.counters).toMatchObject({ active: 2, closed: { shed: 1 } });
  full.mode = "queue";
  server.listener.recheck();
  expect(said).toEqual(["pause", "resume", "pause"]);
});

test("a listener without a place sheds none: its clients wait", async () => {
  const { server, full, said } = await pausable("shed", 0);
  full.everywhere = true;
  server.listener.recheck();
  expect([server.listener.state, said]).toEqual(["full", ["pause"]]);
});

test("shed: below a lowered limit connections end by themselves, and at it the next client takes the place of an idle one", async () => {
  const { server, full, said, clients, lower } = await pausable("shed");
  full.everywhere = true;
  lower(1);
  expect([server.listener.state, said.splice(0)]).toEqual(["full", ["pause"]]);
  await clients[0]?.close();
  await until(() => server.counters.active === 1);
  await until(() => said.length > 0);
  expect([server.listener.state, said]).toEqual(["full", ["resume"]]);
});

test("a listener at its quota is full once a lowered limit is reached as well", async () => {
  const quota = { value: 2, reportAt: 1, reached: (active: number) => active >= 2, released: () => {} };
  const { server, full, lower } = await pausable("refuse", 5, quota);
  expect([server.listener.state, full.told]).toEqual(["ahead", []]);
  lower(1);
  expect([server.listener.state, full.told]).toEqual(["full", [true]]);
});

test("a listener that ends while it is full is full no more", async () => {
  const { server, full } = await pausable("queue");
  expect(full.told).toEqual([true]);
  exit(server.listener.pid, "kill");
  await until(() => !server.listener.alive);
  expect(full.told).toEqual([true, false]);
});

test("a listener that has got its socket to turn clients away has room again when a connection has ended meanwhile", async () => {
  const bound = bind("127.0.0.1", 0);
  const held: (() => void)[] = [];
  let free: BoundHandle | undefined = bound;
  const acquire = async () => {
    if (free === undefined) await new Promise<void>((go) => held.push(go));
    const { handle } = free ?? bind("127.0.0.1", bound.port);
    free = undefined;
    return { handle };
  };
  const full: FullPolicy = { mode: "refuse", everywhere: true, changed: () => {} };
  const server = await testServer(echo, { acquire, renewable: true, full, maxConnections: 1 });
  const client = await connected(server);
  await until(() => held.length === 1);
  await client.close();
  await until(() => held.length === 2);
  held[0]?.();
  await until(() => server.listener.state === "listening");
});
