/** The times that a silent client has, on a clock that the test moves: sockets are real, only time stands still. */
import { expect, test } from "vitest";
import { type Conn, defineProtocol, next, packet, stop } from "../../../src/index.js";
import { packet2 } from "../../support/client.js";
import { closedAs, connected, manualClock, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

/** The wheel looks twice a slot late at most. */
const SLACK = 200;

test("a client that says nothing is idle after two minutes, not before", async () => {
  const clock = manualClock();
  const server = await serving(echo);
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  await clock.advance(119_999);
  expect(client.ended).toBe(false);
  await clock.advance(1 + SLACK);
  await client.end();
  client.finish();
  expect(await closedAs(server)).toEqual({ idle: 1 });
});

test("idle is moved by whole frames only: not by bytes of one, and not by what the server sends", async () => {
  const clock = manualClock();
  let conn: Conn<any, any> | undefined;
  const server = await serving(
    defineProtocol({
      name: "idle",
      framing: packet(2),
      limits: { frame: 1_000_000 },
      states: {
        ready: {
          enter: (one) => void (conn = one),
          frame: () => {},
          idle: { after: "10s", do: stop("idle") },
        },
      },
    }),
  );
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  for (let n = 1; n <= 9; n++) {
    await clock.advance(1_000);
    conn?.send("from the server");
    client.write(n === 1 ? Buffer.from([0, 200]) : "x");
    await until(() => server.counters.bytesReceived === 4 + n);
  }
  expect(client.ended).toBe(false);
  await clock.advance(1_000 + SLACK);
  await client.end();
  client.finish();
  expect(await closedAs(server)).toEqual({ idle: 1 });
});

test("every whole frame gives the client its time again", async () => {
  const clock = manualClock();
  const server = await serving(echo);
  const client = await connected(server);
  for (let n = 1; n <= 5; n++) {
    await client.send("x").receive(n);
    await clock.advance(119_000);
  }
  expect(client.ended).toBe(false);
});

test("each state may have an idle time of its own, or none, and handle it", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "idling",
      framing: packet(2),
      states: {
        patient: { frame: () => next("nervous"), idle: { after: Infinity, do: stop() } },
        nervous: {
          enter: (conn) => conn.send("in"),
          idle: { after: "1s", do: (conn) => conn.send("there?") },
        },
      },
    }),
  );
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  await clock.advance(10_000_000);
  expect(await client.send("go").receive(1)).toEqual(["in"]);
  await clock.advance(900);
  expect(client.frames).toHaveLength(1);
  await clock.advance(100 + SLACK);
  expect(await client.receive(2)).toEqual(["in", "there?"]);
  await clock.advance(1_000 + SLACK);
  expect(await client.receive(3)).toEqual(["in", "there?", "there?"]);
});

test("the idle time of a listener takes the place of that of every state", async () => {
  const clock = manualClock();
  const states = { ready: { ...echo.states.ready, idle: { after: "1h", do: stop("idle") } } } as const;
  const patient = defineProtocol({ ...echo, name: "patient", states });
  const server = await serving(patient, { idleTimeout: "10s" });
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  await clock.advance(9_999);
  expect(client.ended).toBe(false);
  await clock.advance(1 + SLACK);
  await client.end();
  client.finish();
  expect(await closedAs(server)).toEqual({ idle: 1 });
});

test("a connection that does not look at its frames does not call its client idle", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "inattentive",
      framing: packet(2),
      active: 1,
      states: { ready: { frame: () => new Promise<void>(() => {}) } },
      limits: { handler: Infinity },
    }),
  );
  const client = (await connected(server)).send("x", "y");
  await until(() => server.counters.framesReceived === 1);
  await clock.advance(500_000);
  expect(client.ended).toBe(false);
});

test.each([
  ["at the clock's zero", 5],
  ["on a server that has run for days", 300_000_000],
])("a frame has 15 seconds from its first byte to its last, however its bytes drip, %s", async (_, start) => {
  const clock = manualClock(start);
  const server = await serving(echo);
  const client = await connected(server);
  await client.send("first").receive();
  const frame = packet2(Buffer.alloc(100));
  for (let n = 0; n < 15; n++) {
    client.write(frame.subarray(n, n + 1));
    await until(() => server.counters.bytesReceived === 7 + n + 1);
    await clock.advance(999);
  }
  expect(client.ended).toBe(false);
  await clock.advance(15 + SLACK);
  await client.end();
  client.finish();
  expect(await closedAs(server)).toEqual({ frame_timeout: 1 });
});

test("the time of a frame begins with its own first byte, also at the clock's zero and after a long silence", async () => {
  const clock = manualClock();
  const server = await serving({
    ...echo,
    states: { ready: { ...echo.states.ready, idle: { after: Infinity, do: stop() } } },
  });
  const client = await connected(server);
  for (let n = 1; n <= 3; n++) {
    client.write(Buffer.from([0]));
    await until(() => server.counters.bytesReceived === (n - 1) * 3 + 1);
    await clock.advance(14_900);
    expect(await client.write(Buffer.from([1, 65])).receive(n)).toHaveLength(n);
    await clock.advance(1_000_000);
  }
  expect(client.ended).toBe(false);
  client.write(Buffer.from([0]));
  await until(() => server.counters.bytesReceived === 10);
  await clock.advance(15_000 + SLACK);
  expect((await client.end()).ended).toBe(true);
});

test("a frame that came whole while its handler waited is in time", async () => {
  const clock = manualClock();
  let go = () => {};
  const server = await serving(
    defineProtocol({
      name: "waits",
      framing: packet(2),
      states: {
        ready: {
          enter: (conn) => void setImmediate(() => conn.setActive("once")),
          frame: (conn, frame) => conn.send(frame),
          timeout: {
            after: "1s",
            do: () =>
              new Promise<void>((resolve) => {
                go = resolve;
              }),
          },
        },
      },
    }),
  );
  const client = (await connected(server)).write(Buffer.from([0, 2, 65]));
  await until(() => server.counters.bytesReceived === 3);
  await clock.advance(1_000);
  client.write("B");
  await until(() => server.counters.bytesReceived === 4);
  await clock.advance(60_000);
  go();
  expect(await client.receive()).toEqual(["AB"]);
});
