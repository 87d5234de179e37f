/** The measure of the output: what a protocol reads of it, what it is told, and what it can wait for. */
import { expect, onTestFinished, test } from "vitest";
import { type Conn, defineProtocol, raw, stop } from "../../../src/index.js";
import { LIMITS } from "../../../src/tcp/protocol/limits.js";
import { closedAs, connected, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const CHUNK = Buffer.alloc(8 * 1024, 97);

test.each(["handle", "stream"] as const)(
  "%s: a sender that stops at conn.outbound is told to go on",
  async (transport) => {
    const chunks = 1_000;
    const more = (conn: any) => {
      while (conn.data.left > 0) {
        if (conn.outbound >= LIMITS.highWater) return;
        conn.send(CHUNK);
        conn.data.left--;
      }
      return stop("done");
    };
    const server = await serving(
      defineProtocol({
        name: "download",
        framing: raw(),
        data: () => ({ left: chunks }),
        states: { sending: { frame: more, drained: more } },
      }),
      { transport },
    );
    const client = (await connected(server)).write("go");
    await client.end();
    expect(client.received).toBe(chunks * CHUNK.length);
  },
);

test("send says whether there is room, as conn.outbound shows it", async () => {
  const seen: [boolean, boolean][] = [];
  const server = await serving(
    defineProtocol({
      name: "asking",
      framing: raw(),
      states: {
        ready: {
          frame: (conn) => {
            for (let n = 0; n < 20; n++) {
              const room = conn.send(CHUNK);
              seen.push([room, conn.outbound < LIMITS.highWater]);
            }
          },
        },
      },
    }),
  );
  const client = (await connected(server)).write("go");
  await until(() => client.received === 20 * CHUNK.length);
  expect(seen.every(([room, shown]) => room === shown)).toBe(true);
  expect(new Set(seen.map(([room]) => room))).toEqual(new Set([true, false]));
});

test("an async sender that awaits room sends all to a client that reads slowly, in bounded memory", async () => {
  const chunks = 2_000;
  let most = 0;
  const server = await serving(
    defineProtocol({
      name: "file",
      framing: raw(),
      states: {
        ready: {
          frame: async (conn) => {
            for (let n = 0; n < chunks; n++) {
              if (!conn.send(CHUNK)) await conn.room();
              most = Math.max(most, conn.outbound);
            }
            return stop("done");
          },
        },
      },
    }),
  );
  const client = await connected(server);
  client.write("go");
  const { socket } = client;
  const slowly = setInterval(() => (socket.isPaused() ? socket.resume() : socket.pause()), 1);
  await client.end();
  clearInterval(slowly);
  expect(client.received).toBe(chunks * CHUNK.length);
  expect(most).toBeLessThan(2 * LIMITS.highWater);
});

test("a wait for room ends when the connection has ended", async () => {
  let waiting = Promise.resolve();
  const server = await serving(
    defineProtocol({
      name: "gone",
      framing: raw(),
      states: {
        ready: {
          frame: (conn) => {
            while (conn.send(CHUNK));
            waiting = conn.room();
          },
        },
      },
      limits: { highWater: 512 * 1024, lowWater: 16 * 1024 },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  client.write("go");
  await until(() => server.counters.framesReceived === 1);
  client.reset();
  await expect(Promise.all([waiting, until(() => server.counters.active === 0)])).rejects.toThrow(
    "the connection has ended",
  );
});

test("a promise for room after the end is no unhandled rejection while it is not awaited", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  onTestFinished(() => void process.off("unhandledRejection", note));
  let ended: Conn<any, any> | undefined;
  const server = await serving(
    defineProtocol({
      name: "late",
      framing: raw(),
      states: { ready: { enter: (conn) => void (ended = conn) } },
    }),
  );
  const client = await connected(server);
  await until(() => ended);
  client.reset();
  await closedAs(server);
  void ended?.room();
  await turn(20);
  expect(unhandled).toEqual([]);
  await expect(ended?.room()).rejects.toThrow("the connection has ended");
});
