/** Frames and bytes a second of one connection, on a clock that the test moves. */
import { expect, test } from "vitest";
import { defineProtocol, packet } from "../../../src/index.js";
import { packet2 } from "../../support/client.js";
import { connected, manualClock, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const counting = (limits: object, wait = false) =>
  defineProtocol({
    name: "counting",
    framing: packet(2, { maxLength: 60_000 }),
    limits,
    states: {
      ready: {
        frame: wait ? async (conn, frame) => void conn.send(frame) : (conn, frame) => conn.send(frame),
      },
    },
  });

/** Lets the sockets do what they can, and returns how many frames were handled. */
async function handled(server: { counters: { framesReceived: number } }): Promise<number> {
  for (let before = -1; before !== server.counters.framesReceived; ) {
    before = server.counters.framesReceived;
    await turn(50);
  }
  return server.counters.framesReceived;
}

test.each([
  ["at once", false],
  ["with a promise", true],
])(
  "of frames that are handled %s only a second's worth is taken at once, then so many a second, and all come back in order",
  async (_how, wait) => {
    const clock = manualClock();
    const server = await serving(counting({ framesPerSecond: 10 }, wait));
    const client = (await connected(server)).send(...Array.from({ length: 45 }, (_, n) => `frame ${n}`));
    await until(() => server.counters.framesReceived >= 10);
    expect(await handled(server)).toBe(10);
    for (const expected of [20, 30, 40]) {
      await clock.advance(1_000);
      expect(await handled(server)).toBe(expected);
    }
    await clock.advance(700);
    await until(() => server.counters.framesReceived === 45);
    const sent = Array.from({ length: 45 }, (_, n) => `frame ${n}`);
    await until(() => client.received === Buffer.concat(sent.map(packet2)).length);
    expect((await client.receive()).map(String)).toEqual(sent);
    expect(server.counters.closed.crash).toBe(0);
  },
);

test("after a second's worth at once no more frames are taken than the time since allows", async () => {
  const clock = manualClock();
  const server = await serving(counting({ framesPerSecond: 10 }));
  (await connected(server)).send(...Array.from({ length: 40 }, () => "frame"));
  await until(() => server.counters.framesReceived >= 10);
  expect(await handled(server)).toBe(10);
  for (const [ms, expected] of [
    [150, 11],
    [300, 14],
    [50, 15],
  ] as const) {
    await clock.advance(ms);
    expect(await handled(server)).toBe(expected);
  }
});

test("bytes a second pause a client whose frames are large, and another connection is not held up", async () => {
  const clock = manualClock();
  const server = await serving(counting({ bytesPerSecond: 100_000 }));
  const large = await connected(server);
  for (let n = 0; n < 10; n++) large.send(Buffer.alloc(50_000));
  await until(() => server.counters.framesReceived >= 2);
  const taken = await handled(server);
  expect(taken).toBeLessThanOrEqual(5);
  const other = (await connected(server)).send("quick");
  expect((await other.receive()).map(String)).toEqual(["quick"]);
  for (let second = 0; second < 12; second++) await clock.advance(1_000).then(() => handled(server));
  expect(server.counters.framesReceived).toBe(11);
});

test("a client that pauses gets no more than a second's worth at once afterwards", async () => {
  const clock = manualClock();
  const server = await serving(counting({ framesPerSecond: 5 }));
  const client = (await connected(server)).send("first");
  await client.receive();
  await clock.advance(60_000);
  client.send(...Array.from({ length: 20 }, () => "more"));
  await until(() => server.counters.framesReceived >= 6);
  expect(await handled(server)).toBe(6);
});
