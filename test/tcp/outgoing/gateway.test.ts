/** A gateway in 20 lines: back-pressure both ways, ends both ways. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import {
  connect,
  defineProtocol,
  next,
  type Pid,
  raw,
  type Serving,
  send,
  stop,
} from "../../../src/index.js";
import { outgoingCounts, outgoingProtocol } from "../../../src/tcp/outgoing/outgoing-protocol.js";
import { connected, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

// -- the gateway ------------------------------------------------------------------------------------------

const END = Symbol("end");
type Relay = { data: { other?: Pid }; pid: Pid; send(bytes: Buffer): boolean; throttleBy(other: Pid): void };
const relay = {
  enter: (conn: Relay) => conn.throttleBy(conn.data.other as Pid),
  frame: (conn: Relay, bytes: Buffer) => send(conn.data.other as Pid, bytes),
  message: (conn: Relay, bytes: Buffer | typeof END) => (bytes === END ? stop() : conn.send(bytes)),
  ended(conn: Relay) {
    send(conn.data.other as Pid, END);
    return stop();
  },
};
const upstream = defineProtocol({ name: "upstream", framing: raw(), data: () => ({}), states: { relay } });
const gateway = (port: number) =>
  defineProtocol({
    name: "gateway",
    framing: raw(),
    data: (): { other?: Pid } => ({}),
    states: {
      connecting: {
        async enter(conn) {
          conn.data.other = await connect(upstream, { port, link: conn, data: () => ({ other: conn.pid }) });
          return next("relay");
        },
      },
      relay,
    },
  });

// -- its test ---------------------------------------------------------------------------------------------

const MIB = 1024 * 1024;

/** The far end: does with each socket what the test says. */
async function farEnd(each: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on("error", () => {}));
    each(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** Waits until the gateway has taken nothing more for a while, and gives the most that waited in it meanwhile. */
async function stuck(server: Serving): Promise<number> {
  const up = outgoingProtocol(upstream).endpoint.counters;
  let most = 0;
  let [before, quiet] = [-1, 0];
  while (quiet < 100) {
    await turn();
    most = Math.max(most, server.counters.outbound + up.outbound);
    const moved = server.counters.bytesReceived + up.bytesReceived;
    quiet = moved === before ? quiet + 1 : 0;
    before = moved;
  }
  return most;
}

test("passes on in both directions, and the end of one side ends the other after its last byte", async () => {
  const port = await farEnd((socket) =>
    socket.on("data", (bytes) => socket.write(bytes)).on("end", () => socket.end()),
  );
  const server = await serving(gateway(port));
  const client = await connected(server);
  client.write("hello").finish();
  await client.end();
  expect(`${client.bytes}`).toMatch(/^(hello)?$/);
  await until(() => server.counters.active === 0);
  await until(() => outgoingCounts().find(({ protocol }) => protocol === "upstream")?.active === 0);
});

test("a far end that does not read stops the client, with little memory, and gets everything when it reads", async () => {
  let far: Socket | undefined;
  const port = await farEnd((socket) => (far = socket.pause()));
  const server = await serving(gateway(port));
  const client = await connected(server);
  const sent = Buffer.alloc(28 * MIB, "0123456789");
  client.write(sent);
  await until(() => far);
  expect(await stuck(server)).toBeLessThan(512 * 1024);
  expect(server.counters.bytesReceived).toBeLessThan(sent.length);
  let received = 0;
  far?.on("data", (bytes) => (received += bytes.length)).resume();
  await until(() => received === sent.length);
});

test("a client that does not read stops the far end, with little memory, and gets everything when it reads", async () => {
  const sent = Buffer.alloc(28 * MIB, "0123456789");
  const port = await farEnd((socket) => socket.write(sent));
  const server = await serving(gateway(port));
  const client = await connected(server);
  client.socket.pause();
  await until(() => server.counters.bytesSent > MIB);
  expect(await stuck(server)).toBeLessThan(512 * 1024);
  expect(server.counters.bytesSent).toBeLessThan(sent.length);
  client.socket.resume();
  await until(() => client.received === sent.length);
  expect(client.bytes.equals(sent)).toBe(true);
});

test("both directions at once, both slow: all bytes, in order", async () => {
  const sent = Buffer.alloc(8 * MIB, "abcdefghijk");
  let received = 0;
  const slow = (socket: Socket) =>
    socket.on("data", (bytes) => {
      received += bytes.length;
      socket.pause();
      setImmediate(() => socket.resume());
    });
  const port = await farEnd((socket) => void slow(socket).write(sent));
  const server = await serving(gateway(port));
  const client = await connected(server);
  client.socket.on("data", () => {
    client.socket.pause();
    setImmediate(() => client.socket.resume());
  });
  client.write(sent);
  await until(() => received === sent.length && client.received === sent.length);
  expect(client.bytes.equals(sent)).toBe(true);
});

test("an upstream that refuses ends the client", async () => {
  const port = await farEnd(() => {});
  const server = await serving(gateway(1));
  expect(port).toBeGreaterThan(0);
  const client = await connected(server);
  await client.end();
  expect(client.received).toBe(0);
  await until(() => server.counters.closed.crash === 1);
});

test("an upstream that is reset ends the client", async () => {
  const port = await farEnd((socket) => void socket.write("x", () => socket.resetAndDestroy()));
  const server = await serving(gateway(port));
  const client = await connected(server);
  await client.end();
  await until(() => server.counters.active === 0);
});
