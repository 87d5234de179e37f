/** What ends the OS process with an assertion if it is done wrong on node's TLSWrap, and what comes in odd orders. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, onTestFinished, test } from "vitest";
import { handle } from "../../src/transport/handle/handle.js";
import { HandshakeQueue, type PendingHandshake } from "../../src/transport/secure/handshake-queue.js";
import { altNames } from "../../src/transport/secure/tls-info.js";
import type { HandshakeOwner, Socket } from "../../src/transport/transport.js";
import { Client } from "../support/client.js";
import { TlsClient } from "../support/tls-client.js";
import { turn, until } from "../support/until.js";
import { Owner, stage } from "./owner.js";
import { secured, testTerms } from "./secured.js";

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

const opened = () => stage(secured(handle));

describe("traps of TLSWrap", () => {
  test("garbage collection does not free the TLSWrap of a connection that waits for bytes", async () => {
    const { pair } = await opened();
    const pairs = await Promise.all([pair(), pair(), pair()]);
    for (let n = 0; n < 3; n++) {
      collectGarbage();
      await turn(2);
    }
    for (const { client, owner } of pairs) {
      client.write("still here");
      await until(() => owner.text === "still here");
    }
  });

  test("a second write before the first has come round is queued, in order", async () => {
    const { pair } = await opened();
    const { client, owner } = await pair();
    let expected = "";
    for (let n = 0; n < 50; n++) {
      expected += `${n},`;
      expect(owner.write(`${n},`)).toBe(true);
    }
    await until(() => client.received === expected.length);
    expect(`${client.bytes}`).toBe(expected);
    // Above 64 KiB it says so, and one callback tells the end of it.
    owner.write("x");
    expect(owner.write(Buffer.alloc(40_000, "y"))).toBe(true);
    expect(owner.write(Buffer.alloc(40_000, "z"))).toBe(false);
    expect(owner.socket.unsent).toBeGreaterThan(0);
    await until(() => owner.written === 1);
    await until(() => client.received === expected.length + 80_001);
    expect(`${client.bytes.subarray(expected.length)}`).toBe(`x${"y".repeat(40_000)}${"z".repeat(40_000)}`);
  });

  test("a write within the callback of the write before uses another request, also from a microtask", async () => {
    const { pair } = await opened();
    const { client, owner } = await pair();
    const other = await pair();
    let rounds = 0;
    const noted = owner.onWritten.bind(owner);
    owner.onWritten = () => {
      noted();
      if (++rounds > 20) return;
      // In this callback, and in the microtasks behind it, the request is still in use.
      queueMicrotask(() => void other.owner.write("m"));
      owner.socket.write(Buffer.alloc(40_000, "a"));
      owner.socket.write(Buffer.alloc(70_000, "b"));
    };
    owner.write("first");
    owner.write(Buffer.alloc(70_000));
    await until(() => rounds === 21);
    await until(() => client.received === 5 + 70_000 + 20 * 110_000 && other.client.received === 20);
  });

  test("what was written, and queued, before destroy reaches the client", async () => {
    const { pair } = await opened();
    const { client, owner } = await pair();
    owner.write("one ");
    owner.write("two");
    owner.call((socket) => socket.destroy());
    await client.end();
    await until(() => owner.closed.length);
    expect(`${client.bytes}`).toBe("one two");
  });

  test("end right behind two writes: both, then close_notify", async () => {
    const { pair } = await opened();
    const { client, owner } = await pair();
    owner.write("one ");
    owner.write("two");
    owner.call((socket) => socket.end());
    await until(() => client.ended);
    expect([`${client.bytes}`, client.code]).toEqual(["one two", undefined]);
    client.finish();
    await until(() => owner.closed.length);
  });

  test("end behind the end of the client: all that was written arrives, and garbage collection meanwhile does no harm", async () => {
    const { pair } = await opened();
    const answer = Buffer.alloc(3_000_000, "a");
    for (const size of [1, 100, answer.length]) {
      const { client, owner } = await pair();
      owner.onEnd = () => {
        owner.socket.write(answer.subarray(0, size));
        owner.socket.end();
        setImmediate(collectGarbage);
      };
      owner.onClosed = (code) => {
        owner.closed.push(code);
        collectGarbage();
      };
      client.finish();
      await client.end();
      expect([client.received, client.code]).toEqual([size, undefined]);
      await until(() => owner.closed.length);
      expect(owner.closed).toEqual([undefined]);
    }
  });

  test("after pause what is in the present read still comes, at most 64 KiB, and then nothing", async () => {
    const { pair } = await opened();
    const { client, owner } = await pair();
    const take = owner.onChunk.bind(owner);
    owner.onChunk = (chunk) => {
      if (owner.received === 0) owner.socket.pause();
      take(chunk);
    };
    client.write(Buffer.alloc(1_000_000));
    await turn(30);
    const { received } = owner;
    expect(received).toBeLessThanOrEqual(64 * 1024 + 16 * 1024);
    await turn(10);
    expect(owner.received).toBe(received);
    owner.call((socket) => socket.resume());
    await until(() => owner.received === 1_000_000);
  });
});

/** Counts what a handshake tells its owner. */
class Told implements HandshakeOwner {
  readonly seen: string[] = [];
  socket: Socket | undefined;
  onSecure(): void {
    this.seen.push("secure");
  }
  onRefused(reason: string, _message: string, code?: string): void {
    this.seen.push(`${reason} ${code}`);
    this.socket?.destroy();
  }
  onBytes(): void {
    this.seen.push("bytes");
  }
  onChunk(): void {
    this.seen.push("chunk");
  }
  onEnd(): void {
    this.seen.push("end");
    this.socket?.destroy();
  }
  onWritten(): void {}
  onClosed(code: string | undefined): void {
    this.seen.push(`closed ${code}`);
  }
}

async function handshaking(): Promise<{ port: number; told: Told[] }> {
  const told: Told[] = [];
  const terms = testTerms();
  const listening = await handle.listen(
    { host: "127.0.0.1", port: 0 },
    {
      backlog: 100,
      onSocket: (plain) => {
        const owner = new Told();
        told.push(owner);
        owner.socket = handle.secure(plain, terms, undefined, owner);
      },
      onError: () => {},
    },
  );
  onTestFinished(() => listening.close());
  return { port: listening.port, told };
}

describe("handshakes", () => {
  test("an error is told once, also where node tells it twice; nothing follows but the close", async () => {
    const { port, told } = await handshaking();
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05hello", "\0".repeat(20)]) {
      const client = (await Client.connect(port)).write(bytes);
      await client.end();
      await client.close();
    }
    await until(() => told.every(({ seen }) => seen.at(-1)?.startsWith("closed")));
    for (const { seen } of told)
      expect(seen).toEqual([expect.stringMatching(/^tls_error ERR_/), "closed undefined"]);
  });

  test("FIN and RST before and in the midst of a handshake", async () => {
    const { port, told } = await handshaking();
    const part = Buffer.from([22, 3, 1, 2, 0, 1, 0]);
    for (const bytes of [Buffer.alloc(0), part]) {
      const [finishes, resets] = [await Client.connect(port), await Client.connect(port)];
      finishes.write(bytes).finish();
      resets.write(bytes);
      await turn(5);
      resets.reset();
      await finishes.close();
    }
    await until(() => told.length === 4 && told.every(({ seen }) => seen.at(-1)?.startsWith("closed")));
    expect(told.map(({ seen }) => seen.join()).toSorted()).toEqual([
      ...["closed ECONNRESET", "closed ECONNRESET"],
      ...["end,closed undefined", "end,closed undefined"],
    ]);
  });

  test("clients that reset right behind their handshake leave no socket open, though TLSWrap completes no write", async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    const before = sockets();
    const { port, told } = await handshaking();
    const clients = await Promise.all(Array.from({ length: 40 }, () => TlsClient.begin(port)));
    for (const [n, client] of clients.entries())
      client.socket.once("secureConnect", () => {
        client.write(Buffer.alloc(20_000));
        if (n % 2 === 0) client.reset();
        else setImmediate(() => client.reset());
      });
    await until(() => clients.every(({ closed }) => closed));
    for (const { socket } of told) {
      for (const _ of [1, 2, 3]) socket?.write(Buffer.alloc(10_000));
      socket?.end();
    }
    await turn(5);
    for (const { socket } of told) socket?.destroy();
    await until(() => sockets() <= before);
    expect(told.every(({ seen }) => seen.filter((what) => what.startsWith("closed")).length === 1)).toBe(
      true,
    );
  });

  test("a first message in pieces, and bytes that were read before", async () => {
    const { port, told } = await handshaking();
    const { server, hello } = await recordedHello();
    const client = await Client.connect(port);
    for (const byte of hello) {
      client.write(Buffer.from([byte]));
      await turn(1);
    }
    await until(() => client.received > 0);
    expect([client.bytes[0], told[0]?.seen]).toEqual([22, []]);
    await client.close();
    server.close();
  });
});

/** The first message of a client, as a server without TLS gets it. */
async function recordedHello(): Promise<{ server: { close(): void }; hello: Buffer }> {
  const owners: Owner[] = [];
  const server = await handle.listen(
    { host: "127.0.0.1", port: 0 },
    { backlog: 1, onSocket: (socket) => void owners.push(new Owner(socket).start()), onError: () => {} },
  );
  const client = await TlsClient.begin(server.port);
  await until(() => (owners[0]?.received ?? 0) > 0);
  const hello = Buffer.concat(owners[0]?.chunks ?? []);
  await client.close();
  owners[0]?.socket.destroy();
  return { server, hello };
}

describe("the queue of handshakes", () => {
  const begun: string[] = [];
  const waiting = (listener: string, name: string, cost: () => void, closed = false): PendingHandshake => ({
    ...{ listener, closed },
    begin: () => {
      begun.push(name);
      cost();
    },
  });

  test("a turn of the event loop spends a slice on them, listeners in turn, and nothing on closed ones", async () => {
    let now = 0;
    begun.length = 0;
    const queue = new HandshakeQueue(() => now);
    const cost = () => void (now += 1);
    for (const n of [1, 2, 3, 4]) queue.add(waiting("flooded", `f${n}`, cost, n === 2));
    queue.add(waiting("other", "o1", cost));
    expect([begun, queue.length]).toEqual([[], 5]);
    await new Promise(setImmediate);
    expect(begun).toEqual(["f1", "o1"]);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect([begun, queue.length]).toEqual([["f1", "o1", "f3", "f4"], 0]);
  });
});

test("subject alternative names with commas, quotes and other kinds", () => {
  expect(altNames('DNS:a.example, IP Address:127.0.0.1, DNS:"b, \\"c\\"", URI:spiffe://x/y:z')).toEqual([
    ...["DNS:a.example", "IP Address:127.0.0.1", 'DNS:b, "c"', "URI:spiffe://x/y:z"],
  ]);
  expect(altNames("")).toEqual([]);
});
