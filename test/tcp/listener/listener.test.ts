/** Who is let in: the limit, the listening socket given back and asked for again, suspend and resume. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { callWithin, defineProtocol, packet, type Ref, serve } from "../../../src/index.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import { SharedMaximum } from "../../../src/tcp/listener/shared-maximum.js";
import { Loop } from "../../../src/tcp/loop/loop.js";
import type { ListenerEvent } from "../../../src/tcp/observe/events.js";
import { type BoundHandle, bind } from "../../../src/transport/listening-socket.js";
import { stream } from "../../../src/transport/stream/stream.js";
import type { Transport } from "../../../src/transport/transport.js";
import { closedAs, connected, serving, testServer } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

/** How a connection attempt ends: with a code, or connected. */
function attempt(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    socket.on("connect", () => {
      resolve("connected");
      socket.destroy();
    });
  });
}

/** What the listeners say until the test ends. */
function listenerEvents(): string[] {
  const seen: string[] = [];
  const note = (event: unknown) => void seen.push((event as ListenerEvent).what);
  subscribe("tcp.listener", note);
  onTestFinished(() => void unsubscribe("tcp.listener", note));
  return seen;
}

/** Gives a bound socket of the same port again and again, as the primary does. */
function lender() {
  const first = bind("127.0.0.1", 0);
  const { port } = first;
  let bound: BoundHandle | undefined = first;
  const lent = { port, asked: 0, hold: undefined as Promise<void> | undefined };
  const acquire = async () => {
    lent.asked++;
    await lent.hold;
    const { handle } = bound ?? bind("127.0.0.1", port);
    bound = undefined;
    return { handle };
  };
  return { lent, acquire };
}

test("one connection too many is closed at once and counted as refused, and there is room again later", async () => {
  const server = await serving(echo, { maxConnections: 2 });
  const [one, two] = [await connected(server), await connected(server)];
  await one.send("1").receive();
  await two.send("2").receive();
  await attempt(server.port);
  await until(() => server.counters.refused.max_connections === 1);
  expect(server.counters).toMatchObject({ accepted: 2, active: 2 });
  await one.close();
  await until(() => server.counters.active === 1);
  await turn(2);
  expect(await (await connected(server)).send("4").receive()).toEqual(["4"]);
});

test("a listener that may have no connection for now says nothing of a limit, and serves once it may have some", async () => {
  const { acquire, lent } = lender();
  const limits = { all: 0 };
  const events = listenerEvents();
  const endpoint = new Endpoint({ loop: new Loop() });
  const shared = new SharedMaximum([endpoint], () => limits.all);
  const server = await testServer(echo, { acquire, renewable: true, endpoint, shared });
  expect(server.listener.state).toBe("full");
  expect(events).toEqual(["listening"]);
  limits.all = 1;
  server.listener.recheck();
  await until(() => server.listener.state === "listening");
  expect(await (await connected({ port: lent.port })).send("1").receive()).toEqual(["1"]);
  expect(events).toEqual(["listening", "full"]);
});

test("a renewable listener gives its socket back at the limit and asks for it again when there is room", async () => {
  const { lent, acquire } = lender();
  const events = listenerEvents();
  const server = await testServer(echo, { acquire, renewable: true, maxConnections: 5 });
  const clients = await Promise.all(Array.from({ length: 5 }, () => connected(server)));
  await until(() => server.listener.state === "full");
  expect(await attempt(lent.port)).toBe("ECONNREFUSED");
  await clients[0]?.close();
  await until(() => server.listener.state === "listening");
  expect(await (await connected(server)).send("x").receive()).toEqual(["x"]);
  expect(server.counters.refused).toMatchObject({ max_connections: 0, not_started: 0 });
  expect(lent.asked).toBe(2);
  expect(events).toEqual(["listening", "full", "listening", "full"]);
});

test("a listener whose OS process exits accepts no more, though there is room", async () => {
  for (const maxConnections of [1, 2]) {
    const { lent, acquire } = lender();
    const events = listenerEvents();
    const server = await testServer(echo, { acquire, renewable: true, maxConnections });
    const client = await connected(server);
    await client.send("1").receive();
    server.listener.leave();
    expect(await attempt(lent.port)).toBe("ECONNREFUSED");
    expect(await client.send("2").receive(2)).toEqual(["1", "2"]);
    await client.close();
    await until(() => server.counters.active === 0);
    server.listener.recheck();
    await turn(2);
    expect(await attempt(lent.port)).toBe("ECONNREFUSED");
    expect(lent.asked).toBe(1);
    expect(events).toEqual(maxConnections === 1 ? ["listening", "full"] : ["listening"]);
  }
});

test("where the transport can pause, a full listener does so, and keeps its socket", async () => {
  const said: string[] = [];
  const pausing = { pause: () => void said.push("pause"), resume: () => void said.push("resume") };
  const pausable: Transport = {
    ...stream,
    listen: async (target, options) => ({ ...(await stream.listen(target, options)), pausing }),
  };
  const { lent, acquire } = lender();
  const events = listenerEvents();
  const server = await testServer(echo, { acquire, renewable: true, maxConnections: 2, transport: pausable });
  const clients = [await connected(server), await connected(server)];
  await until(() => server.listener.state === "full");
  await clients[0]?.close();
  await until(() => server.listener.state === "listening");
  await connected(server);
  await until(() => server.listener.state === "full");
  expect(said).toEqual(["pause", "resume", "pause"]);
  expect(lent.asked).toBe(1);
  expect(events).toEqual(["listening", "full", "listening", "full"]);
  // Suspension closes the socket, paused or not.
  const listener = server.listener.pid as Ref<{ suspend(): string }, object>;
  expect(await callWithin(5_000, listener, "suspend")).toBe("suspended");
  expect(await attempt(lent.port)).toBe("ECONNREFUSED");
});

test("a full listener accepts again as soon as one connection has ended, and never has more than the limit", async () => {
  const { lent, acquire } = lender();
  const server = await testServer(echo, { acquire, renewable: true, maxConnections: 10 });
  const clients = await Promise.all(Array.from({ length: 10 }, () => connected(server)));
  await until(() => server.listener.state === "full");
  for (let n = 0; n < 5; n++) {
    await clients[n]?.close();
    await until(() => server.listener.state === "listening");
    expect(server.counters.active).toBe(9);
    clients.push(await connected(server));
    await until(() => server.listener.state === "full");
    expect(server.counters.active).toBe(10);
  }
  expect(lent.asked).toBe(6);
});

test("a suspended listener accepts no client and keeps its connections; after resume it accepts again", async () => {
  const { lent, acquire } = lender();
  const server = await testServer(echo, { acquire, renewable: true });
  const listener = server.listener.pid as Ref<{ suspend(): string; resume(): string }, object>;
  const client = await connected(server);
  await client.send("1").receive();
  expect(await callWithin(5_000, listener, "suspend")).toBe("suspended");
  expect(await attempt(lent.port)).toBe("ECONNREFUSED");
  expect(await client.send("2").receive(2)).toEqual(["1", "2"]);
  await callWithin(5_000, listener, "resume");
  await until(() => server.listener.state === "listening");
  expect(await attempt(lent.port)).toBe("connected");
});

test("suspend while the socket is still being asked for wins, and resume does not end up with two", async () => {
  const { lent, acquire } = lender();
  const events = listenerEvents();
  const server = await testServer(echo, { acquire, renewable: true });
  const listener = server.listener.pid as Ref<{ suspend(): string; resume(): string }, object>;
  await callWithin(5_000, listener, "suspend");
  let give = () => {};
  lent.hold = new Promise((resolve) => {
    give = resolve;
  });
  const resumed = callWithin(5_000, listener, "resume");
  await callWithin(5_000, listener, "suspend");
  give();
  expect(await resumed).toBe("suspended");
  expect(server.listener.state).toBe("suspended");
  expect(await attempt(lent.port)).toBe("ECONNREFUSED");
  await callWithin(5_000, listener, "resume");
  await until(() => server.listener.state === "listening");
  expect(events).toEqual(["listening", "suspended", "suspended", "listening"]);
});

test("a listener that cannot come by its socket again is restarted by its supervisor", async () => {
  const { lent, acquire } = lender();
  let refuse = false;
  const failing = async () => {
    if (refuse) {
      refuse = false;
      throw Object.assign(new Error("gone"), { code: "EPIPE" });
    }
    return acquire();
  };
  const server = await testServer(echo, { acquire: failing, renewable: true, maxConnections: 1 });
  const client = await connected(server);
  await until(() => server.listener.state === "full");
  refuse = true;
  await client.close();
  await until(() => !server.listener.alive);
  await until(() => lent.asked === 2);
  const next = await connected(server);
  expect(await next.send("x").receive()).toEqual(["x"]);
});

test("an address that is taken is said as net says it, and nothing is left running", async () => {
  const server = await serving(echo);
  const failed = await serve(echo, { port: server.port }).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: "EADDRINUSE",
    port: server.port,
    message: expect.stringContaining("EADDRINUSE"),
  });
});

test.each(["handle", "stream"] as const)(
  "a host name is listened on with the transport %s",
  async (transport) => {
    const server = await serving(echo, { host: "localhost", transport });
    expect(["127.0.0.1", "::1"]).toContain(server.host);
    const socket = connect({ port: server.port, host: server.host });
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    const nowhere = serve(echo, { port: 0, host: "no-such-host.invalid", transport });
    await expect(nowhere).rejects.toMatchObject({ code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
  },
);

test("after stop the port is free, and the counters still add up", async () => {
  const server = await serving(echo, { shutdown: 0 });
  const clients = await Promise.all(Array.from({ length: 50 }, () => connected(server)));
  await Promise.all(clients.map((client, n) => client.send(`${n}`).receive()));
  await server.stop();
  expect(await attempt(server.port)).toBe("ECONNREFUSED");
  const again = await serving(echo, { port: server.port });
  expect(again.port).toBe(server.port);
  expect(await closedAs(server)).toSatisfy(
    (closed: Record<string, number>) => Object.keys(closed).length > 0,
  );
  expect(server.counters).toMatchObject({ accepted: 50, active: 0, outbound: 0 });
});

test("what a listener and a connection show of themselves is plain data", async () => {
  const server = await testServer(echo);
  const client = await connected(server);
  await client.send("hello").receive();
  expect(server.listener.inspect()).toMatchObject({
    state: "listening",
    port: server.port,
    transport: "stream",
  });
  const { children } = (await import("../../../src/otp/process/process.js")).processOf(
    server.connections,
  ) as unknown as {
    children(): { process: { inspect(): Record<string, unknown> } }[];
  };
  const shown = children
    .call((await import("../../../src/otp/process/process.js")).processOf(server.connections))[0]
    ?.process.inspect();
  expect(shown).toMatchObject({
    protocol: "echo",
    state: "ready",
    framesReceived: 1,
    framesSent: 1,
    bytesReceived: 7,
    bytesSent: 7,
    buffered: 0,
    outbound: 0,
  });
  expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
});
