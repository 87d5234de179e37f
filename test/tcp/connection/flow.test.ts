/** Flow control both ways: a frame is asked for only when the last one is handled and what it wrote has room. */
import { expect, test } from "vitest";
import { type Conn, defineProtocol, type Pid, packet, postpone, send } from "../../../src/index.js";
import { LIMITS } from "../../../src/tcp/protocol/limits.js";
import type { AnyProtocol } from "../../../src/tcp/protocol/protocol.js";
import { closedAs, connected, manualClock, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

test("active N: so many frames are handled, passive is told once, and setActive adds to what is left", async () => {
  const conns: Conn<any, any>[] = [];
  const server = await serving(
    defineProtocol({
      name: "counted",
      framing: packet(2),
      active: 2,
      states: {
        ready: {
          enter: (conn) => void conns.push(conn),
          frame: (conn, frame) => conn.send(frame),
          passive: (conn) => conn.send("passive"),
        },
      },
    }),
  );
  const client = (await connected(server)).send("1", "2", "3", "4", "5", "6");
  expect(await client.receive(3)).toEqual(["1", "2", "passive"]);
  await turn(5);
  conns[0]?.setActive(1);
  expect(await client.receive(5)).toEqual(["1", "2", "passive", "3", "passive"]);
  conns[0]?.setActive(1);
  conns[0]?.setActive(1);
  expect((await client.receive(8)).slice(5)).toEqual(["4", "5", "passive"]);
  conns[0]?.setActive("once");
  expect((await client.send("7").receive(10)).slice(8)).toEqual(["6", "7"]);
});

test("passive may ask for more itself, and a wrong number is refused with the place", async () => {
  const server = await serving(
    defineProtocol({
      name: "self",
      framing: packet(2),
      active: 1,
      states: {
        ready: {
          frame: (conn, frame) => conn.send(frame),
          passive: (conn) => {
            expect(() => conn.setActive(0)).toThrow('"active" must be "once", true, or a whole number');
            conn.setActive(1);
          },
        },
      },
    }),
  );
  expect(await (await connected(server)).send("1", "2", "3").receive(3)).toEqual(["1", "2", "3"]);
});

test("frames that the protocol does not ask for stop the reading, and none is lost", async () => {
  let conn: Conn<any, any> | undefined;
  let handled = 0;
  const server = await serving(
    defineProtocol({
      name: "paused",
      framing: packet(2),
      active: 1,
      states: { ready: { enter: (one) => void (conn = one), frame: () => void handled++ } },
    }),
  );
  const client = await connected(server);
  for (let n = 0; n < 400; n++) client.send(Buffer.alloc(50_000));
  await until(() => server.counters.readsPaused > 0);
  await turn(20);
  const received = server.counters.bytesReceived;
  expect(received).toBeLessThan(3 * 65_536);
  expect(client.socket.writableLength).toBeGreaterThan(0);
  conn?.setActive("once");
  await until(() => handled === 400);
});

const never = () => new Promise<void>(() => {});

/** What frames can wait for that may never come, most of them after a turn in which reading had stopped. */
const WAITING: Record<string, Partial<AnyProtocol>> = {
  "for frames to be asked for, at once": { active: 10, states: { ready: { frame: () => {} } } },
  "for frames to be asked for, after a turn": { active: 100, states: { ready: { frame: () => {} } } },
  "for a handler's promise": {
    states: { ready: { frame: (conn) => (++conn.data.frames === 70 ? never() : undefined) } },
  },
  "for the promise of a message's handler": {
    states: {
      ready: {
        frame: (conn) => (++conn.data.frames === 64 ? send(conn.pid, "wait") : undefined),
        message: never,
      },
    },
  },
  "for another state": { states: { ready: { frame: () => postpone } } },
};

for (const [what, protocol] of Object.entries(WAITING)) {
  test(`a client that has gone is noticed while its frames wait ${what}`, async () => {
    const server = await serving({
      name: "waits",
      framing: packet(2),
      data: () => ({ frames: 0 }),
      ...protocol,
    } as AnyProtocol);
    const client = (await connected(server)).send(...new Array<string>(200).fill("x"));
    await until(() => server.counters.framesReceived >= 10);
    await turn(20);
    expect(server.counters.framesReceived).toBeLessThan(200);
    client.reset();
    await until(() => server.counters.active === 0);
  });
}

test("a client that sends without reading is no longer read, its output stays within the bound, others go on", async () => {
  manualClock();
  const server = await serving(echo);
  const [greedy, honest] = [await connected(server), await connected(server)];
  greedy.socket.pause();
  let highest = 0;
  const block = new Array<Buffer>(64).fill(Buffer.alloc(4_000));
  const note = () => {
    highest = Math.max(highest, server.counters.outbound);
    if (greedy.socket.writableLength < 1_000_000) greedy.send(...block);
    return server.counters.readsPaused > 0 && server.counters.outbound > 0;
  };
  await until(note);
  for (let n = 0; n < 50; n++) {
    note();
    expect(await honest.send(`${n}`).receive(n + 1)).toHaveLength(n + 1);
  }
  // The high-water mark, one turn's buffer, and the frame that went over.
  expect(highest).toBeLessThanOrEqual(LIMITS.highWater + 65_536 + 4_002);
  const { framesReceived } = server.counters;
  await turn(20);
  expect(server.counters.framesReceived).toBe(framesReceived);

  // It reads after all, and gets every byte.
  const sent = () => greedy.socket.bytesWritten - greedy.socket.writableLength;
  greedy.socket.resume();
  await until(() => greedy.received === greedy.socket.bytesWritten && sent() === greedy.received);
  expect(server.counters.outbound).toBe(0);
}, 30_000);

test("where all connections together have nearly too much output waiting, those with any are no longer read", async () => {
  // Its last tenth has room for three turns.
  const limits = { highWater: 2 ** 28, maxOutbound: 2 ** 28, workerOutbound: 2 ** 22 };
  const server = await serving(defineProtocol({ ...echo, name: "many", limits }));
  const deaf = [await connected(server), await connected(server)];
  const block = new Array<Buffer>(5).fill(Buffer.alloc(60_000));
  for (const { socket } of deaf) socket.pause();
  await until(() => {
    for (const one of deaf) if (one.socket.writableLength < 1_000_000) one.send(...block);
    return server.counters.readsPaused >= 2 && server.counters.outbound > 0;
  });
  expect(server.counters.outbound).toBeLessThanOrEqual(limits.workerOutbound);
  expect(server.counters.closed.outbound_full).toBe(0);
  expect(await (await connected(server)).send("still here").receive()).toEqual(["still here"]);
}, 30_000);

test("drained is told when the output has gone down from its high-water mark, also after a busy handler", async () => {
  let conn: Conn<any, any> | undefined;
  let go = () => {};
  const seen: string[] = [];
  const server = await serving(
    defineProtocol({
      name: "drains",
      framing: packet(2),
      states: {
        ready: {
          enter: (one) => void (conn = one),
          message: (one) => {
            for (let n = 0; one.outbound < LIMITS.highWater && n < 1_000; n++) one.send(Buffer.alloc(50_000));
          },
          frame: () =>
            new Promise<void>((resolve) => {
              go = resolve;
            }),
          drained: (one) => void seen.push(`drained at ${one.outbound}`),
        },
      },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  const fill = () => {
    send(conn?.pid as Pid, "fill");
    return (conn?.outbound ?? 0) >= 2 * LIMITS.highWater || server.counters.outbound >= LIMITS.highWater;
  };
  await until(() => conn);
  await until(fill);
  client.socket.resume();
  await until(() => seen.length === 1);
  expect(seen).toEqual(["drained at 0"]);

  client.send("hold");
  await until(() => server.counters.framesReceived === 1);
  client.socket.pause();
  await until(() => {
    for (let n = 0; n < 20; n++) conn?.send(Buffer.alloc(10_000));
    return server.counters.outbound >= LIMITS.highWater;
  });
  client.socket.resume();
  await until(() => server.counters.outbound === 0);
  await turn(3);
  expect(seen).toHaveLength(1);
  go();
  await until(() => seen.length === 2);
});

test("a client that is sent more than 1 MiB without reading ends as slow_consumer", async () => {
  let conn: Conn<any, any> | undefined;
  let highest = 0;
  const server = await serving(
    defineProtocol({
      name: "broadcast",
      framing: packet(2),
      states: { ready: { enter: (one) => void (conn = one) } },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  await until(() => conn);
  await until(() => {
    conn?.send(Buffer.alloc(60_000));
    highest = Math.max(highest, server.counters.outbound);
    return server.counters.active === 0;
  });
  expect(highest).toBeGreaterThan(LIMITS.maxOutbound);
  expect(highest).toBeLessThanOrEqual(LIMITS.maxOutbound + 60_002);
  expect(await closedAs(server)).toEqual({ slow_consumer: 1 });
});

test("one frame may be larger than the limit of the output, as long as nothing waits before it", async () => {
  const size = 3 * LIMITS.maxOutbound;
  const server = await serving(
    defineProtocol({
      name: "large",
      framing: packet(4, { maxLength: size }),
      states: { ready: { frame: (conn, frame) => conn.send(frame) } },
    }),
  );
  const header = Buffer.alloc(4);
  header.writeUInt32BE(size);
  const client = (await connected(server)).write(Buffer.concat([header, Buffer.alloc(size, 7)]));
  await until(() => client.received === size + 4 || client.closed);
  expect(client.received).toBe(size + 4);
});

test("active true handles frames whether or not the output has room, until the hard limit", async () => {
  const server = await serving(
    defineProtocol({
      name: "heedless",
      framing: packet(2),
      active: true,
      states: { ready: { frame: (conn, frame) => conn.send(frame) } },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  await until(() => {
    if (client.socket.writableLength < 1_000_000) client.send(Buffer.alloc(60_000));
    return server.counters.accepted === 1 && server.counters.active === 0;
  });
  expect(await closedAs(server)).toEqual({ slow_consumer: 1 });
});
