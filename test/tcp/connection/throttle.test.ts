/** Back-pressure over two connections: `conn.throttleBy`. */
import { expect, test } from "vitest";
import { defineProtocol, next, type Pid, packet, raw, send, stop } from "../../../src/index.js";
import { closedAs, connected, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

/** The first connection is the receiver, the second the sender: what it sends goes to the receiver. */
function pairs() {
  const pids: Pid[] = [];
  const protocol = defineProtocol({
    name: "pair",
    framing: raw(),
    states: {
      joining: {
        enter(conn) {
          pids.push(conn.pid);
          const [receiver] = pids as [Pid];
          if (receiver !== conn.pid) conn.throttleBy(receiver);
          return next("open");
        },
      },
      open: {
        frame: (_conn, bytes) => send(pids[0] as Pid, bytes),
        message: (conn, bytes: Buffer) => conn.send(bytes),
        ended: () => stop(),
      },
    },
  });
  return { protocol, pids };
}

const MIB = 1024 * 1024;

test("no frame is handled while the other's output is full, and none is lost when it drains", async () => {
  const { protocol } = pairs();
  const server = await serving(protocol);
  const receiver = await connected(server);
  await until(() => server.counters.active === 1);
  receiver.socket.pause();
  const sender = await connected(server);
  const sent = Buffer.alloc(28 * MIB, "x");
  sender.write(sent);
  let most = 0;
  let taken = -1;
  // Until nothing moves any more.
  for (let quiet = 0; quiet < 50; quiet++) {
    await turn();
    most = Math.max(most, server.counters.outbound);
    if (server.counters.bytesReceived !== taken) quiet = 0;
    taken = server.counters.bytesReceived;
  }
  // High-water mark, one turn of frames, the messages of one turn.
  expect(most).toBeLessThan(512 * 1024);
  expect(taken).toBeLessThan(sent.length);
  receiver.socket.resume();
  await until(() => receiver.received === sent.length);
  expect(receiver.bytes.equals(sent)).toBe(true);
  expect(server.counters.outbound).toBe(0);
});

test("a connection whose throttle has ended goes on", async () => {
  const { protocol } = pairs();
  const server = await serving(protocol);
  const receiver = await connected(server);
  await until(() => server.counters.active === 1);
  receiver.socket.pause();
  const sender = await connected(server);
  sender.write(Buffer.alloc(24 * MIB));
  await until(() => server.counters.outbound >= 64 * 1024);
  await turn(20);
  receiver.reset();
  await until(() => server.counters.bytesReceived === 24 * MIB);
  sender.finish();
  expect(await closedAs(server)).toEqual({ closed: 1, reset: 1 });
});

test("with active: true a throttle holds frames back as well", async () => {
  const { protocol } = pairs();
  const server = await serving({ ...protocol, active: true });
  const receiver = await connected(server);
  await until(() => server.counters.active === 1);
  receiver.socket.pause();
  const sender = await connected(server);
  sender.write(Buffer.alloc(24 * MIB));
  await until(() => server.counters.outbound >= 64 * 1024);
  await turn(50);
  expect(server.counters.bytesReceived).toBeLessThan(24 * MIB);
  expect(server.counters.outbound).toBeLessThan(MIB);
});

test("what is no other connection of this OS process is refused", async () => {
  const refused: string[] = [];
  const protocol = defineProtocol({
    name: "self",
    framing: packet(2),
    states: {
      open: {
        frame(conn) {
          try {
            conn.throttleBy(conn);
          } catch (error) {
            refused.push((error as Error).message);
          }
        },
      },
    },
  });
  const server = await serving(protocol);
  (await connected(server)).send("x");
  await until(() => refused.length);
  expect(refused[0]).toMatch(/^throttleBy takes another connection of the same worker, got <0\.\d+> self$/);
});
