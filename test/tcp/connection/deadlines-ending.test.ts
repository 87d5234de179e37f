/** The times that run out while output leaves and while a connection ends, on a clock that the test moves. */
import { expect, test } from "vitest";
import { type Conn, defineProtocol, exit, packet, stop } from "../../../src/index.js";
import { closedAs, connected, manualClock, serving, testServer } from "../../support/serving.js";
import { until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

/** The wheel looks twice a slot late at most. */
const SLACK = 200;

/** Sends until the kernel takes no more, for good: it makes room for a while. */
async function stuff(server: { counters: { outbound: number } }, conn: Conn<any, any>): Promise<void> {
  await until(() => {
    if (server.counters.outbound < 400_000) conn.send(Buffer.alloc(60_000));
    return server.counters.outbound >= 400_000;
  });
}

test("output of which the client takes nothing for 30 seconds ends the connection, with leave and terminate", async () => {
  const clock = manualClock();
  const seen: unknown[] = [];
  let conn: Conn<any, any> | undefined;
  const server = await serving(
    defineProtocol({
      name: "sending",
      framing: packet(2),
      states: {
        ready: {
          enter: (one) => void (conn = one),
          leave: () => void seen.push("leave"),
          idle: { after: Infinity, do: stop() },
        },
      },
      terminate: (_, reason) => void seen.push(reason),
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  await stuff(server, await until(() => conn));
  await clock.advance(29_999);
  expect(server.counters.active).toBe(1);
  await clock.advance(1 + SLACK);
  expect(await closedAs(server)).toEqual({ send_timeout: 1 });
  expect(seen).toEqual(["leave", { shutdown: "send_timeout" }]);
});

test("a client that reads slowly, but reads, keeps its connection", async () => {
  const clock = manualClock();
  let conn: Conn<any, any> | undefined;
  const server = await serving(
    defineProtocol({
      name: "sending",
      framing: packet(4, { maxLength: 2 ** 27 }),
      states: { ready: { enter: (one) => void (conn = one), idle: { after: Infinity, do: stop() } } },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  const size = 2 ** 26;
  (await until(() => conn)).send(Buffer.alloc(size));
  await until(() => server.counters.outbound > 0);
  let read = 0;
  for (let n = 1; n <= 4; n++) {
    client.socket.resume();
    await until(() => client.received > read + 8_000_000);
    client.socket.pause();
    read = client.received;
    expect(server.counters.outbound).toBeGreaterThan(0);
    await clock.advance(25_000);
  }
  expect(server.counters.active).toBe(1);
  client.socket.resume();
  await until(() => client.received === size + 4);
}, 30_000);

test("a last word that the client does not read is given up after 30 seconds", async () => {
  const clock = manualClock();
  let conn: Conn<any, any> | undefined;
  const server = await serving(
    defineProtocol({
      name: "lastword",
      framing: packet(2),
      states: { ready: { enter: (one) => void (conn = one) } },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  await stuff(server, await until(() => conn));
  exit((conn as Conn<any, any>).pid, { shutdown: "enough" });
  await clock.advance(29_000);
  expect(server.counters.active).toBe(1);
  await clock.advance(1_000 + SLACK);
  expect(await closedAs(server)).toEqual({ send_timeout: 1 });
});

test("a client that does not close its side after FIN gets one second", async () => {
  const clock = manualClock();
  const server = await serving({ ...echo, states: { ready: { frame: () => stop() } } });
  await (await connected(server)).send("x").end();
  expect(server.counters.active).toBe(1);
  await clock.advance(1_000 + SLACK);
  expect(await closedAs(server)).toEqual({ closed: 1 });
});

test("a terminate that hangs is killed after five seconds, also when the client is long gone", async () => {
  const clock = manualClock();
  const hangs = { states: { ready: { frame: () => stop() } }, terminate: () => new Promise<never>(() => {}) };
  const server = await serving({ ...echo, ...hangs });
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  await client.close();
  await clock.advance(4_900);
  expect(server.counters.active).toBe(1);
  await clock.advance(100 + SLACK);
  expect(await closedAs(server)).toEqual({ killed: 1 });
});

test("connections that have ended, in whatever way, are no longer in the timer wheel, and it has no timer", async () => {
  const clock = manualClock();
  const ends = ["stop", "crash", "kill", "leave", "enter"];
  const server = await testServer(
    defineProtocol({
      name: "ends",
      framing: packet(2),
      data: () => ends.shift(),
      states: {
        ready: {
          enter: (conn) => {
            if (conn.data === "enter") throw new Error("at once");
          },
          frame: (conn) => {
            if (conn.data === "stop") return stop();
            if (conn.data === "crash") throw new Error("crash");
            if (conn.data === "kill") exit(conn.pid, "kill");
          },
        },
      },
    }),
  );
  for (let n = 0; n < 5; n++) (await connected(server)).send("x").finish();
  await closedAs(server);
  expect(server.endpoint.loop.timerWheel.size).toBe(0);
  const before = clock.pending;
  await clock.advance(200);
  expect(clock.pending).toBe(before - 1);
});
