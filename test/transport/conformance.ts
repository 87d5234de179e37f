/** Conformance suite of transports: run against each implementation. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { bind } from "../../src/transport/listening-socket.js";
import { turn, until } from "../support/until.js";
import { reads, writes } from "./conformance-flow.js";
import { Echo, fill, stage, type TestTransport } from "./owner.js";

export function transportConformance(name: string, transport: TestTransport): void {
  describe(`transport ${name}`, () => {
    listens(transport);
    reads(transport);
    writes(transport);
    ends(transport);
    fails(transport);
  });
}

/** The part that UNIX sockets have as well: they have neither ports nor RST. */
export function unixConformance(name: string, transport: TestTransport): void {
  describe(`transport ${name} over a UNIX socket`, () => {
    reads(transport);
    writes(transport);
    ends(transport);
  });
}

function listens(transport: TestTransport): void {
  test("it listens on a free port, and has the address of each peer", async () => {
    const { listening, pair } = await stage(transport);
    expect(listening.address).toBe("127.0.0.1");
    expect(listening.port).toBeGreaterThan(0);
    const { client, owner } = await pair();
    expect(owner.socket.peer).toEqual({ address: "127.0.0.1", port: client.socket.localPort });
    expect(owner.socket.local).toEqual({ address: "127.0.0.1", port: listening.port });
    owner.socket.destroy();
    await until(() => owner.closed.length);
    expect(owner.socket.local).toEqual({ address: "", port: 0 });
  });

  test("a port that is taken is an error with its code", async () => {
    const { listening } = await stage(transport);
    const { port } = listening;
    await expect(stage(transport, undefined, { host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });

  test("it listens on a socket that was bound elsewhere, whose queue held the clients meanwhile", async () => {
    const bound = bind("127.0.0.1", 0);
    const { listening, pair } = await stage(transport, undefined, { handle: bound.handle });
    expect(listening.port).toBe(bound.port);
    const { client, owner } = await pair();
    client.write("x");
    await until(() => owner.text === "x");
  });

  test("after close no connection is accepted, and open ones stay", async () => {
    const { listening, pair, connect } = await stage(transport, (socket) => new Echo(socket));
    const { client } = await pair();
    listening.close();
    await turn(2);
    await expect(connect()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    client.write("still here");
    await until(() => client.received === 10);
  });

  const { connections = 1_000 } = transport;
  test(`${connections} connections are served at once`, async () => {
    const { owners, connect } = await stage(transport, (socket) => new Echo(socket).start());
    const clients = await Promise.all(Array.from({ length: connections }, connect));
    for (const [n, client] of clients.entries()) client.write(`hello ${n}`);
    await until(() => clients.every((client, n) => client.received === `hello ${n}`.length));
    expect(clients.map((client) => `${client.bytes}`)).toEqual(clients.map((_, n) => `hello ${n}`));
    for (const client of clients) client.finish();
    await until(() => owners.every((owner) => owner.closed.length === 1));
    expect(owners).toHaveLength(connections);
    expect(owners.every((owner) => owner.closed[0] === undefined)).toBe(true);
  });
}

function ends(transport: TestTransport): void {
  test("a client that has finished sending still gets an answer, and FIN from us closes it: once, no code", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    client.write("question").finish();
    await until(() => owner.ended);
    await turn(5);
    expect([owner.text, owner.closed]).toEqual(["question", []]);
    expect(owner.write("answer")).toBe(true);
    owner.call((socket) => socket.end());
    await until(() => owner.closed.length);
    await client.end();
    expect([`${client.bytes}`, client.code, owner.closed]).toEqual(["answer", undefined, [undefined]]);
  });

  test("after our FIN the client is still heard until it finishes as well", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    owner.call((socket) => socket.end());
    await until(() => client.ended);
    client.write("last words");
    await until(() => owner.text === "last words");
    expect(owner.closed).toEqual([]);
    client.finish();
    await until(() => owner.closed.length);
    expect([owner.ended, owner.closed]).toEqual([1, [undefined]]);
  });

  test("end with output pending: all of it, then FIN", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    client.socket.pause();
    const sent = await fill(owner);
    owner.call((socket) => socket.end());
    client.finish().socket.resume();
    await client.end();
    expect([client.received, client.code]).toEqual([sent, undefined]);
    await until(() => owner.closed.length);
    expect(owner.closed).toEqual([undefined]);
  });

  test("destroy closes at once, also with output pending, twice, or before there is an owner", async () => {
    const { owners, pair, connect } = await stage(transport);
    const { client, owner } = await pair();
    client.socket.pause();
    await fill(owner);
    owner.call((socket) => socket.destroy());
    owner.call((socket) => socket.destroy());
    await until(() => owner.closed.length);
    expect(owner.written).toBe(0);

    const other = await connect();
    (await until(() => owners[1])).socket.destroy();
    await other.end();
    owners[1]?.start();
    await until(() => owners[1]?.closed.length);
    await turn(3);
    expect(owners[1]?.closed).toHaveLength(1);
  });
}

function fails(transport: TestTransport): void {
  test("a closed socket accepts write, end, pause and resume", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    client.reset();
    await until(() => owner.closed.length);
    expect(owner.write("discarded")).toBe(true);
    owner.call((socket) => {
      socket.pause();
      socket.resume();
      socket.end();
      socket.destroy();
    });
    await turn(3);
    expect([owner.socket.unsent, owner.written, owner.closed.length]).toEqual([0, 0, 1]);
  });

  test("a reset before start is reported to the owner after start, and affects no other socket", async () => {
    for (const turns of [0, 5]) {
      const { owners, connect } = await stage(transport);
      const client = await connect();
      const owner = await until(() => owners[0]);
      client.reset();
      await turn(turns);
      owner.start();
      await until(() => owner.closed.length);
      await turn(3);
      expect(owner.closed).toHaveLength(1);
    }
  });

  test("reset closes as destroy does, and the peer is told by RST", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    owner.call((socket) => socket.reset());
    owner.call((socket) => socket.reset());
    await until(() => owner.closed.length);
    await until(() => client.closed);
    expect([client.code, owner.closed.length]).toEqual(["ECONNRESET", 1]);
  });

  test("reset does not wait for a write that the peer does not read", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    client.socket.pause();
    await fill(owner);
    owner.call((socket) => socket.reset());
    await until(() => owner.closed.length);
    expect([owner.closed.length, owner.written]).toEqual([1, 0]);
  });

  test("a reset while it reads, or after a pause, is reported with its code", async () => {
    const { pair } = await stage(transport);
    for (const paused of [false, true]) {
      const { client, owner } = await pair();
      if (paused) owner.call((socket) => socket.pause());
      client.reset();
      await until(() => client.closed);
      if (paused) owner.call((socket) => socket.resume());
      await until(() => owner.closed.length);
      expect(owner.closed).toEqual(["ECONNRESET"]);
    }
  });

  test("a reset with a write outstanding: closed, never written", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    client.socket.pause();
    await fill(owner);
    client.reset();
    await until(() => owner.closed.length);
    await turn(3);
    expect(owner.written).toBe(0);
    expect(owner.closed[0]).toMatch(/^(ECONNRESET|EPIPE)$/);
  });

  test("a reset after our FIN is an end like another", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    owner.call((socket) => socket.end());
    await until(() => client.ended);
    client.reset();
    await until(() => owner.closed.length);
    expect(owner.closed).toHaveLength(1);
  });

  test("clients that closed before they were accepted are not passed on, or reported as closed", async () => {
    const { listening, owners, connect } = await stage(transport, (socket) => new Echo(socket).start());
    const script = `
      let left = 20;
      for (let n = 0; n < 20; n++) {
        const socket = require("node:net").connect(${listening.port}, "127.0.0.1", () => {
          socket.resetAndDestroy();
          if (--left === 0) setImmediate(() => process.exit());
        });
      }`;
    // The event loop is blocked meanwhile: the clients come and go in the backlog.
    expect(spawnSync(process.execPath, ["-e", script]).status).toBe(0);
    const client = (await connect()).write("x");
    await until(() => client.received === 1);
    await until(() => owners.every((owner) => owner.text === "x" || owner.closed.length === 1));
  });
}
