/** Deadlines counted from accept: the first frame, and the age of a connection, on a clock that the test moves. */
import { expect, test } from "vitest";
import { defineProtocol, packet, type Serving } from "../../../src/index.js";
import { closedAs, connected, manualClock, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

/** The timer wheel looks twice a slot late at most. */
const SLACK = 200;

const echo = (limits: { firstFrame?: string; lifetime?: string }) =>
  defineProtocol({
    name: "echo",
    framing: packet(2),
    limits: limits as never,
    states: { ready: { frame: (conn, frame) => conn.send(frame) } },
  });

/** A client of which a frame has come back. */
async function talking(server: Serving) {
  const client = (await connected(server)).send("hi");
  await until(() => client.received === 4);
  return client;
}

test("a client without a whole frame in the time for it is ended, though it sends bytes, and one with a frame is not", async () => {
  const clock = manualClock();
  const server = await serving(echo({ firstFrame: "5s" }));
  const talker = await talking(server);
  const silent = await connected(server);
  silent.write(Buffer.from([0, 4, 1]));
  await until(() => server.counters.bytesReceived === 7);
  await clock.advance(4_999);
  expect(server.counters.active).toBe(2);
  await clock.advance(1 + SLACK);
  await until(() => silent.ended);
  await silent.close();
  await until(() => server.counters.closed.first_frame_timeout === 1);
  talker.send("still here");
  await until(() => talker.received === 16);
});

test("a connection ends at its age, however busy it is", async () => {
  const clock = manualClock();
  const server = await serving(echo({ lifetime: "1m" }));
  const client = await talking(server);
  for (let second = 1; second <= 5; second++) {
    await clock.advance(10_000);
    client.send("hi");
    await until(() => client.received === 4 * (second + 1));
  }
  await clock.advance(10_000 + SLACK);
  await until(() => client.ended);
  await client.close();
  expect(await closedAs(server)).toEqual({ lifetime: 1 });
});

test("a silent client that is too old before its time for a first frame is over is ended for its age", async () => {
  const clock = manualClock();
  const server = await serving(echo({ firstFrame: "5s", lifetime: "1s" }));
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  await clock.advance(1_000 + SLACK);
  await until(() => client.ended);
  await client.close();
  expect(await closedAs(server)).toEqual({ lifetime: 1 });
});

test("without these limits a connection may be as old as it likes", async () => {
  const clock = manualClock();
  const server = await serving(echo({}));
  const client = await talking(server);
  for (let minute = 0; minute < 5; minute++) {
    await clock.advance(60_000);
    client.send("hi");
    await until(() => client.received === 4 * (minute + 2));
  }
  expect(server.counters.active).toBe(1);
});
