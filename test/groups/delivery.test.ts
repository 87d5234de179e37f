/** Delivery to members in slices, and to sockets that share the same bytes. */
import { expect, onTestFinished, test } from "vitest";
import { Delivery } from "../../src/groups/local/delivery.js";
import { LocalMembers } from "../../src/groups/local/local-members.js";
import { Message } from "../../src/groups/message.js";
import { type Conn, defineProtocol, forward, group, groups, packet, type Receives } from "../../src/index.js";
import { Process } from "../../src/otp/process/process.js";
import { ManualClock, settle, systemClock, useClock } from "../../src/otp/time/clock.js";
import type { Client } from "../support/client.js";
import { connected, serving } from "../support/serving.js";
import { until } from "../support/until.js";

const MIB = 1024 * 1024;

class Listener extends Process {
  readonly label = "listener";
  readonly got: unknown[] = [];
  protected receive(message: unknown): void {
    this.got.push(message);
  }
}

/** A clock on which each look costs a millisecond. */
function slowClock(): void {
  let now = 0;
  onTestFinished(useClock({ ...systemClock, now: () => ++now }));
}

test("many groups of one member each are delivered to in slices too, each message once", async () => {
  slowClock();
  const members = new LocalMembers(() => ({ joined() {}, introduced() {}, left() {} }));
  const delivery = new Delivery(members, () => {});
  const listeners = Array.from({ length: 5 }, (_, at) => {
    const one = new Listener(undefined);
    members.join(one, `g${at}`, "miss");
    delivery.add(`g${at}`, Message.of("x"), 0);
    return one;
  });
  // All microtasks, and no turn of the event loop.
  for (let at = 0; at < 100; at++) await undefined;
  expect(delivery.waiting).toBeGreaterThan(0);
  await until(() => delivery.waiting === 0);
  await settle();
  expect(listeners.map(({ got }) => got)).toEqual(listeners.map(() => ["x"]));
});

test("messages of two groups by turns, thousands at once and more while they are delivered, arrive once and in order", async () => {
  slowClock();
  const members = new LocalMembers(() => ({ joined() {}, introduced() {}, left() {} }));
  const delivery = new Delivery(members, () => {});
  const one = new Listener(undefined);
  const sent: string[] = [];
  const add = (count: number) => {
    for (let at = 0; at < count; at++) {
      sent.push(String(sent.length));
      // Some of them alone, some several in a row.
      delivery.add(sent.length % 7 < 4 ? "a" : "b", Message.of(sent.at(-1) as string), 0);
    }
  };
  for (const group of ["a", "b"]) members.join(one, group, "miss");
  for (const count of [3_000, 1, 800, 1_500]) {
    add(count);
    const left = sent.length - 400;
    // The mailbox takes 1,000: it is read meanwhile.
    await until(() => one.got.length >= left);
  }
  await until(() => delivery.waiting === 0);
  await settle();
  expect(one.got).toEqual(sent);
});

test("what many groups gather stays below what holds senders and pauses the link; none of it is lost", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const members = new LocalMembers(() => ({ joined() {}, introduced() {}, left() {} }));
  const delivery = new Delivery(members, () => {});
  const one = new Listener(undefined);
  const text = "x".repeat(10_000);
  for (let at = 0; at < 40; at++) members.join(one, `g${at}`, "miss", { gather: 1_000 });
  for (let round = 0; round < 5; round++)
    for (let at = 0; at < 40; at++) {
      delivery.add(`g${at}`, Message.of(`${round} ${text}`), 0);
      await clock.advance(0);
      expect(delivery.waiting).toBeLessThan(MIB / 2);
    }
  expect(one.got.length).toBeGreaterThan(0);
  await clock.advance(1_000);
  expect([one.got.length, delivery.waiting]).toEqual([200, 0]);
});

let last = 0;

test("a member of two groups whose client reads slowly gets the messages of both whole and in order", async () => {
  const rooms = groups<string>(`delivery ${++last}`);
  const conns: Conn<any, any>[] = [];
  const server = await serving(
    defineProtocol({
      name: "member",
      framing: packet(2),
      takes: rooms,
      limits: { highWater: 8 * MIB, maxOutbound: 16 * MIB },
      states: {
        ready: {
          enter: (conn) => {
            for (const room of ["a", "b"]) rooms(room).join(conn);
            conns.push(conn);
          },
          message: forward,
        },
      },
    }),
  );
  const clients = [await connected(server), await connected(server)];
  await until(() => conns.length === clients.length);
  for (const { socket } of clients) socket.pause();
  const sent: string[] = [];
  for (let at = 0; conns.some(({ outbound }) => outbound < MIB); at++) {
    const text = `${at} `.padEnd(10_000, ".");
    rooms(at % 2 === 0 ? "a" : "b").send(text);
    sent.push(text);
    if (at % 10 === 9) await settle();
  }
  for (const { socket } of clients) socket.resume();
  for (const client of clients) expect(await client.receive(sent.length)).toEqual(sent);
});

test("what a slow member sends at its end to other members keeps its place among the messages", async () => {
  const lobby = group<string>(`delivery ${++last}`, { slow: "end" });
  const conns: Conn<any, any>[] = [];
  const server = await serving(
    defineProtocol({
      name: "goodbye",
      framing: packet(2),
      takes: lobby,
      states: {
        ready: {
          enter: (conn: Conn<any, any>) => {
            lobby.join(conn as unknown as Receives<string>);
            conns.push(conn);
          },
          frame: () => {},
          message: forward,
        },
      },
      terminate: (conn: Conn<any, any>, reason: unknown) => {
        if (JSON.stringify(reason).includes("slow_consumer"))
          for (const other of conns) if (other !== conn) other.send("bye");
      },
    } as any),
  );
  const clients: Client[] = [];
  for (let at = 1; at <= 3; at++) {
    clients.push(await connected(server));
    await until(() => conns.length === at);
  }
  const [first, slow, third] = clients as [Client, Client, Client];
  slow.socket.pause();
  const { counters } = server;
  while (counters.closed.slow_consumer === 0) {
    lobby.send("m".repeat(60_000));
    await settle();
  }
  const end = (client: Client) => client.frames.map((frame) => frame.slice(0, 3)).slice(-2);
  await until(() => first.frames.includes("bye") && third.frames.at(-1)?.startsWith("m"));
  await until(() => first.frames.length === third.frames.length);
  expect(end(first)).toEqual(["mmm", "bye"]);
  expect(end(third)).toEqual(["bye", "mmm"]);
});
