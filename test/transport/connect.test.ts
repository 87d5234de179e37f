/** Outgoing connections of both transports. */
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type ListenOptions, type Socket as NetSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { handle } from "../../src/transport/handle/handle.js";
import { handshakes } from "../../src/transport/secure/secure-socket.js";
import { stream } from "../../src/transport/stream/stream.js";
import { turn, until } from "../support/until.js";
import { fill, Owner } from "./owner.js";
import { testTerms } from "./secured.js";

/** A server of the test's own. */
async function upstream(where: ListenOptions = { host: "127.0.0.1", port: 0 }) {
  const accepted: NetSocket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    accepted.push(socket);
  }).listen(where);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of accepted) socket.destroy();
  });
  return { accepted, port: (server.address() as AddressInfo).port, server };
}

function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "connect-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "x.sock");
}

describe.each([handle, stream])("$name", ({ connect, secure }) => {
  async function connected(target: Parameters<typeof connect>[0]): Promise<Owner> {
    const socket = await connect(target);
    onTestFinished(() => socket.destroy());
    return new Owner(socket);
  }

  test.each(["127.0.0.1", "::1"])("connects to %s, and has both addresses", async (address) => {
    const { accepted, port } = await upstream({ host: address, port: 0 });
    const owner = await connected({ address, port });
    const far = await until(() => accepted[0]);
    expect(owner.socket.peer).toEqual({ address, port });
    expect(owner.socket.local).toEqual({ address, port: far.remotePort });
  });

  test("closed before start, it is reported once", async () => {
    const { port } = await upstream();
    for (const turns of [0, 5]) {
      const owner = await connected({ address: "127.0.0.1", port });
      owner.call((socket) => socket.destroy());
      await turn(turns);
      owner.start();
      await until(() => owner.closed.length);
      await turn(3);
      expect(owner.closed).toEqual([undefined]);
    }
  });

  test("closed before TLS begins on it, it is reported once, whichever comes first in the event loop", async () => {
    const { port } = await upstream();
    const plain = await connect({ address: "127.0.0.1", port });
    const owner = Object.assign(new Owner(plain), { onSecure() {}, onRefused() {} });
    const { context } = testTerms();
    const terms = { side: "client", context, serverName: "localhost", alpn: undefined } as const;
    // In the check phase its handle is gone before the next one, where another handshake has asked for a turn first.
    setImmediate(() => {
      handshakes.add({ listener: "other", closed: false, begin() {} });
      plain.destroy();
      secure(plain, terms, undefined, owner);
    });
    await until(() => owner.closed.length);
    await turn(3);
    expect(owner.closed).toEqual([undefined]);
  });

  test("connects to a UNIX socket, in both directions and with half-close", async () => {
    const path = socketPath();
    const { accepted } = await upstream({ path });
    const owner = (await connected({ path })).start();
    expect(owner.socket.peer).toEqual({ address: path, port: 0 });
    const far = await until(() => accepted[0]);
    far.on("data", (chunk) => far.end(chunk));
    owner.write("there and back");
    await until(() => owner.ended);
    expect(owner.text).toBe("there and back");
    owner.call((socket) => socket.end());
    await until(() => owner.closed.length);
    expect(owner.closed).toEqual([undefined]);
  });

  test("reads nothing before it has an owner, and then all", async () => {
    const { accepted, port } = await upstream();
    const owner = await connected({ address: "127.0.0.1", port });
    (await until(() => accepted[0])).end("early");
    await turn(10);
    expect([owner.received, owner.ended]).toEqual([0, 0]);
    owner.start();
    await until(() => owner.ended);
    expect(owner.text).toBe("early");
  });

  test("a write that completes later is reported, and a reset has its code", async () => {
    const { accepted, port } = await upstream();
    const owner = (await connected({ address: "127.0.0.1", port })).start();
    const far = await until(() => accepted[0]);
    const sent = await fill(owner);
    let received = 0;
    far.on("data", (chunk) => (received += chunk.length));
    await until(() => owner.written && received === sent);
    far.resetAndDestroy();
    await until(() => owner.closed.length);
    expect(owner.closed).toEqual(["ECONNRESET"]);
  });

  test("what refuses is an error with its code and address", async () => {
    const { port, server } = await upstream();
    server.close();
    await expect(connect({ address: "127.0.0.1", port })).rejects.toMatchObject({
      code: "ECONNREFUSED",
      message: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
    await expect(connect({ path: "/no/such.sock" })).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("an abort ends an attempt, and afterwards changes nothing", async () => {
    const aborted = AbortSignal.abort("late");
    await expect(connect({ address: "127.0.0.1", port: 9 }, aborted)).rejects.toBe("late");
    const { accepted, port } = await upstream();
    const before = new AbortController();
    const attempt = connect({ address: "127.0.0.1", port }, before.signal);
    before.abort("enough");
    await expect(attempt).rejects.toBe("enough");
    const after = new AbortController();
    const socket = await connect({ address: "127.0.0.1", port }, after.signal);
    after.abort();
    const owner = new Owner(socket).start();
    onTestFinished(() => socket.destroy());
    const { port: own } = socket.local;
    (await until(() => accepted.find((far) => far.remotePort === own))).write("still open");
    await until(() => owner.text === "still open");
  });

  test("its callbacks do not run in the async context of the caller", async () => {
    const storage = new AsyncLocalStorage<string>();
    const { accepted, port } = await upstream();
    const seen: unknown[] = [];
    class Looking extends Owner {
      override onChunk(chunk: Buffer): void {
        super.onChunk(chunk);
        seen.push(storage.getStore());
      }
    }
    const socket = await storage.run("caller", () => connect({ address: "127.0.0.1", port }));
    onTestFinished(() => socket.destroy());
    new Looking(socket).start();
    (await until(() => accepted[0])).write("x");
    await until(() => seen.length);
    expect(seen).toEqual([undefined]);
  });
});
