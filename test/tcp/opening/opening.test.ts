/** What comes before the first frame: counted from accept, one deadline, and the protocol begins only after it. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { defineProtocol, exit, packet, send } from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import type { DynamicSupervisor } from "../../../src/otp/supervisor/dynamic/dynamic-supervisor.js";
import type { Connection } from "../../../src/tcp/connection/connection.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import { Loop } from "../../../src/tcp/loop/loop.js";
import type { ConnectionClosed, OpeningFailed } from "../../../src/tcp/observe/events.js";
import type { HandshakeOwner, StartTls } from "../../../src/tcp/opening/terms.js";
import type { Socket, SocketOwner } from "../../../src/transport/transport.js";
import { closedAs, connected, manualClock, testServer } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

/** Stands for TLS: done at "+", refused at "-"; what follows is plaintext. */
const handshake: StartTls = (socket: Socket, received: Buffer | undefined, owner: HandshakeOwner) => {
  expect(received).toBeUndefined();
  let wrapped: SocketOwner = owner;
  const onChunk = (chunk: Buffer) => {
    if (wrapped !== owner) return wrapped.onChunk(chunk);
    if (chunk[0] === 0x2b) owner.onSecure(false);
    else if (chunk[0] === 0x2d) owner.onRefused("tls_error", "not a handshake");
    if (chunk[0] === 0x2b && chunk.length > 1) wrapped.onChunk(chunk.subarray(1));
  };
  const secure = Object.create(socket, {
    setOwner: { value: (next: SocketOwner) => void (wrapped = next) },
    peer: { get: () => socket.peer },
    asyncId: { get: () => socket.asyncId },
    write: { value: (bytes: Buffer) => socket.write(bytes) },
    end: { value: () => socket.end() },
    pause: { value: () => socket.pause() },
    resume: { value: () => socket.resume() },
    destroy: { value: () => socket.destroy() },
    reset: { value: () => socket.reset() },
  }) as Socket;
  socket.start({
    onChunk,
    onBytes: (shared, length) => onChunk(Buffer.from(shared.subarray(0, length))),
    onEnd: () => wrapped.onEnd(),
    onWritten: () => wrapped.onWritten(),
    onClosed: (code) => wrapped.onClosed(code),
  });
  return secure;
};

async function opening(maxConnections = 1000) {
  const seen: string[] = [];
  const protocol = defineProtocol({
    name: "guarded",
    framing: packet(2),
    data: () => seen.push("data"),
    states: {
      ready: {
        enter: (conn) => conn.send("hello"),
        frame: (conn, frame) => conn.send(frame),
        message: (conn, text: string) => conn.send(text),
        leave: () => void seen.push("leave"),
      },
    },
    terminate: () => void seen.push("terminate"),
  });
  const endpoint = new Endpoint({ loop: new Loop(), opening: { startTls: handshake } });
  const full = { mode: "refuse", everywhere: true, changed: () => {} } as const;
  const server = await testServer(protocol, { endpoint, maxConnections, full });
  const present = () =>
    (processOf(server.connections) as DynamicSupervisor)
      .children()
      .map((pid) => processOf(pid) as Connection);
  return { ...server, seen, present };
}

/** What a channel publishes until the test ends. */
function events<T>(name: string): T[] {
  const seen: T[] = [];
  const note = (event: unknown) => void seen.push(event as T);
  subscribe(name, note);
  onTestFinished(() => void unsubscribe(name, note));
  return seen;
}

test("the protocol begins when the opening is done, and gets the bytes behind it", async () => {
  const server = await opening();
  const opened = events("tcp.connection.opened");
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  await turn(3);
  expect([server.seen, opened, client.received]).toEqual([[], [], 0]);
  expect(server.present()[0]?.inspect()).toMatchObject({ state: "opening", framesReceived: 0 });
  client.write(Buffer.from([0x2b, 0, 1, 0x61]));
  expect(await client.receive(2)).toEqual(["hello", "a"]);
  expect(opened).toHaveLength(1);
  expect(server.present()[0]?.state).toBe("ready");
  client.finish();
  expect(await closedAs(server)).toEqual({ closed: 1 });
  expect(server.seen).toEqual(["data", "leave", "terminate"]);
});

test("a refused opening is counted, told with its reason, and unknown to the protocol", async () => {
  const server = await opening();
  const failures = events<OpeningFailed>("tcp.opening_failed");
  const closed = events<ConnectionClosed>("tcp.connection.closed");
  const client = (await connected(server)).write("-");
  await client.end();
  expect(await closedAs(server)).toEqual({ tls_error: 1 });
  expect(failures).toMatchObject([
    { listener: "main", protocol: "guarded", counted: "tls_error", message: "not a handshake" },
  ]);
  expect(closed).toMatchObject([{ counted: "tls_error", state: "opening", framesReceived: 0 }]);
  expect(server.seen).toEqual([]);
});

test("FIN and reset before the first byte are ends like others", async () => {
  const server = await opening();
  (await connected(server)).finish();
  await until(() => server.counters.closed.closed === 1);
  const other = await connected(server);
  await until(() => server.counters.active === 1);
  other.reset();
  expect(await closedAs(server)).toEqual({ closed: 1, reset: 1 });
  expect(server.seen).toEqual([]);
});

test("the deadline is 5 s from accept, whatever arrives meanwhile", async () => {
  const clock = manualClock();
  const server = await opening();
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  for (let second = 0; second < 4; second++) {
    client.write(".");
    await clock.advance(1_000);
    await turn(2);
  }
  await clock.advance(900);
  expect(server.counters.active).toBe(1);
  await clock.advance(400);
  await client.end();
  expect(await closedAs(server)).toEqual({ handshake_timeout: 1 });
  expect(server.seen).toEqual([]);
});

test("once it is open, that deadline is over", async () => {
  const clock = manualClock();
  const server = await opening();
  const client = (await connected(server)).write("+");
  await client.receive();
  await clock.advance(20_000);
  expect(await client.send("still here").receive(2)).toEqual(["hello", "still here"]);
});

test("a shutdown ends openings at once", async () => {
  const server = await opening();
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  await server.stop();
  await client.end();
  expect(await closedAs(server)).toEqual({ shutdown: 1 });
  expect(server.seen).toEqual([]);
});

test("kill ends one, and messages wait for the protocol", async () => {
  const server = await opening();
  const doomed = await connected(server);
  await until(() => server.counters.active === 1);
  exit(server.present()[0]!.pid, "kill");
  await doomed.end();
  expect(server.counters.closed.killed).toBe(1);
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  send(server.present()[0]!.pid, "a message");
  await turn(3);
  expect(client.received).toBe(0);
  client.write("+");
  expect(await client.receive(2)).toEqual(["hello", "a message"]);
});

test("openings count against the maximum of connections", async () => {
  const server = await opening(1);
  const first = await connected(server);
  await until(() => server.counters.active === 1);
  const second = connect(server.port, "127.0.0.1").on("error", () => {});
  await until(() => second.destroyed);
  expect(server.counters.refused.max_connections).toBe(1);
  await first.close();
  await until(() => server.counters.active === 0);
  const third = (await connected(server)).write("+");
  expect(await third.receive()).toEqual(["hello"]);
});

test("a trace that begins in the opening sees the protocol, and may end in it", async () => {
  const server = await opening();
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  const [conn] = server.present();
  const traced: string[] = [];
  conn?.trace(() => {})();
  const end = conn?.trace(({ what, state }) => void traced.push(`${what} ${state}`));
  client.write("+").send("x");
  await client.receive(2);
  end?.();
  expect(traced).toEqual(["state ready", "frame_out ready", "frame_in ready", "frame_out ready"]);
});
