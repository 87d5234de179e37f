/** The server goes down: connections say goodbye, get their time, and hold nobody up beyond it. */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { defineProtocol, exit, next, type Pid, packet, send, stop } from "../../../src/index.js";
import { connected, manualClock, serving, testServer } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

test("without a shutdown cell a connection just ends: FIN, after what was sent", async () => {
  const server = await serving(
    defineProtocol({
      name: "plain",
      framing: packet(2),
      states: { ready: { frame: (conn, frame) => conn.send(frame), leave: (conn) => conn.send("left") } },
    }),
  );
  const client = await connected(server);
  await client.send("x").receive();
  const stopped = server.stop();
  expect((await client.end()).frames).toEqual(["x", "left"]);
  client.finish();
  await stopped;
  expect(client.code).toBeUndefined();
  expect(server.counters.closed.shutdown).toBe(1);
});

test("the goodbye frame is received before FIN, and no new client is accepted", async () => {
  const server = await serving(
    defineProtocol({
      name: "polite",
      framing: packet(2),
      states: { ready: { shutdown: (conn) => conn.send("goodbye") } },
    }),
  );
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  const stopped = server.stop();
  expect((await client.end()).frames).toEqual(["goodbye"]);
  const refused = await new Promise((resolve) => connect(server.port, "127.0.0.1").on("error", resolve));
  expect(refused).toMatchObject({ code: "ECONNREFUSED" });
  client.finish();
  await stopped;
});

test("the goodbye comes before frames that wait, and may be async", async () => {
  const server = await serving(
    defineProtocol({
      name: "polite",
      framing: packet(2),
      active: 1,
      states: {
        ready: {
          frame: (conn, frame) => conn.send(frame),
          shutdown: async (conn) => {
            await null;
            conn.send("goodbye");
          },
        },
      },
    }),
  );
  const client = (await connected(server)).send("1", "2");
  await client.receive(1);
  const stopped = server.stop();
  expect((await client.end()).frames).toEqual(["1", "goodbye"]);
  client.finish();
  await stopped;
});

test("a connection that moves on in shutdown lives in its new state until it stops by itself", async () => {
  manualClock();
  const server = await serving(
    defineProtocol({
      name: "finishing",
      framing: packet(2),
      states: {
        ready: { shutdown: () => next("finishing") },
        finishing: { enter: (conn) => conn.send("one more?"), frame: () => stop() },
      },
    }),
    { shutdown: "2s" },
  );
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  const stopped = server.stop();
  expect(await client.receive()).toEqual(["one more?"]);
  await client.send("done").end();
  client.finish();
  await stopped;
  expect(server.counters.closed).toMatchObject({ closed: 1, killed: 0 });
});

test("a connection that moves on in shutdown and does not stop is killed when its time is over", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "staying",
      framing: packet(2),
      states: {
        ready: { shutdown: () => next("staying") },
        staying: { frame: (conn, frame) => conn.send(frame) },
      },
    }),
    { shutdown: "2s" },
  );
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  const stopped = server.stop();
  await clock.advance(1_999);
  expect(await client.send("still").receive()).toEqual(["still"]);
  expect(client.ended).toBe(false);
  await clock.advance(1);
  await stopped;
  await client.end();
  expect(server.counters.closed).toMatchObject({ killed: 1 });
});

test.for(["frame", "shutdown", "terminate"])(
  "a %s handler that hangs does not delay the stop beyond the shutdown time",
  async (where) => {
    const clock = manualClock();
    const hang = () => new Promise<never>(() => {});
    const server = await serving(
      defineProtocol({
        name: "hanging",
        framing: packet(2),
        states: {
          ready: {
            frame: where === "frame" ? hang : () => {},
            ...(where === "shutdown" ? { shutdown: hang } : {}),
          },
        },
        ...(where === "terminate" ? { terminate: hang } : {}),
      }),
      { shutdown: "2s" },
    );
    const client = (await connected(server)).send("x");
    await until(() => server.counters.framesReceived === 1);
    let stopped = false;
    const stopping = server.stop().then(() => {
      stopped = true;
    });
    await clock.advance(1_999);
    expect(stopped).toBe(false);
    await clock.advance(1);
    await stopping;
    await client.end();
    expect(server.counters.closed.killed).toBe(1);
  },
);

test("a busy connection says goodbye as soon as its handler is done", async () => {
  let go = () => {};
  const server = await serving(
    defineProtocol({
      name: "busy",
      framing: packet(2),
      states: {
        ready: {
          frame: async (conn, frame) => {
            await new Promise<void>((resolve) => {
              go = resolve;
            });
            conn.send(frame);
          },
          shutdown: (conn) => conn.send("goodbye"),
        },
      },
    }),
    { shutdown: "2s" },
  );
  const client = (await connected(server)).send("answer", "never handled");
  await until(() => server.counters.framesReceived === 1);
  const stopped = server.stop();
  await turn(3);
  expect(client.ended).toBe(false);
  go();
  expect((await client.end()).frames).toEqual(["answer", "goodbye"]);
  client.finish();
  await stopped;
});

test("a client that does not read its goodbye is killed when the time is over", async () => {
  const clock = manualClock();
  const server = await testServer(
    defineProtocol({
      name: "unread",
      framing: packet(2),
      states: {
        ready: {
          shutdown: (conn) => {
            for (let n = 0; n < 15; n++) conn.send(Buffer.alloc(65_000));
          },
          message: (conn) => {
            for (let n = 0; n < 100 && conn.outbound === 0; n++) conn.send(Buffer.alloc(65_000));
          },
          enter: (conn) => void pids.push(conn.pid),
        },
      },
    }),
    { shutdown: "2s" },
  );
  const client = await connected(server);
  client.socket.pause();
  await until(() => pids.length > 0);
  // Until the kernel takes no more.
  await until(() => {
    send(pids[0] as Pid, "more");
    return server.counters.outbound > 0;
  });
  const stopped = server.stop();
  await clock.advance(2_000);
  await stopped;
  expect(server.counters).toMatchObject({ active: 0, outbound: 0 });
  expect(server.counters.closed.killed).toBe(1);
});
const pids: Pid[] = [];

test("a hanging handler does not outlive limits.handler, however long the shutdown may take", async () => {
  const clock = manualClock();
  const server = await testServer(
    defineProtocol({
      name: "hanging",
      framing: packet(2),
      states: { ready: { frame: () => new Promise<void>(() => {}) } },
    }),
    { shutdown: Infinity },
  );
  (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  void server.stop();
  await turn(20);
  await clock.advance(121_000);
  await clock.advance(2_000);
  expect(server.counters.active).toBe(0);
});

test("a connection that waits for the peer's FIN keeps that deadline at shutdown, with a handler pending too", async () => {
  const clock = manualClock();
  let pid: Pid | undefined;
  const server = await testServer(
    defineProtocol({
      name: "hanging",
      framing: packet(2),
      states: {
        ready: { enter: (conn) => void (pid = conn.pid), frame: () => new Promise<void>(() => {}) },
      },
    }),
    { shutdown: Infinity },
  );
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  exit(pid as Pid, { shutdown: "bye" });
  await client.end();
  void server.stop();
  await turn(20);
  await clock.advance(2_000);
  expect(server.counters.active).toBe(0);
});

test("an async handler behind the one that shutdown waits for gets no time of its own", async () => {
  const clock = manualClock();
  const seen: string[] = [];
  let settle = () => {};
  const server = await testServer(
    defineProtocol({
      name: "chain",
      framing: packet(2),
      states: {
        first: {
          frame: async () => {
            await new Promise<void>((resolve) => (settle = resolve));
            return next("second");
          },
        },
        second: { enter: () => new Promise<void>(() => {}), leave: () => void seen.push("leave") },
      },
    }),
    { shutdown: 2_000 },
  );
  (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  void server.stop();
  await turn(20);
  await clock.advance(500);
  settle();
  await turn(20);
  await clock.advance(1_400);
  expect(seen).toEqual(["leave"]);
});
