/** The part of the conformance suite about bytes that come and go: hand-over, pausing, writes that complete later. */
import { expect, test } from "vitest";
import { turn, until } from "../support/until.js";
import { Echo, fill, Owner, stage, type TestTransport } from "./owner.js";

/** Gives its socket away at the first chunk. */
class Successor extends Owner {
  heir: Owner | undefined;
  override onChunk(chunk: Buffer): void {
    super.onChunk(chunk);
    this.heir = new Owner(this.socket);
    this.socket.setOwner(this.heir);
  }
}

export function reads(transport: TestTransport): void {
  test("nothing is read before there is an owner, and the hand-over loses no byte", async () => {
    const { owners, connect } = await stage(transport);
    const client = (await connect()).write("early").finish();
    const owner = await until(() => owners[0]);
    await turn(10);
    expect([owner.received, owner.ended]).toEqual([0, 0]);
    owner.start();
    await until(() => owner.ended);
    expect(owner.text).toBe("early");
    expect(client.closed).toBe(false);
  });

  test("another owner gets what follows, also from within a callback of the first", async () => {
    const { pair } = await stage(transport, (socket) => new Successor(socket));
    const { client, owner } = await pair();
    client.write("one");
    const heir = await until(() => (owner as Successor).heir);
    client.write("two").finish();
    await until(() => heir.ended);
    expect([owner.text, heir.text, owner.ended]).toEqual(["one", "two", 0]);
    heir.call((socket) => socket.destroy());
    await until(() => heir.closed.length);
    expect(owner.closed).toEqual([]);
  });

  test("bytes arrive in order however they are cut", async () => {
    const { pair } = await stage(transport, (socket) => new Echo(socket));
    const { client, owner } = await pair();
    const sent = "the quick brown fox";
    for (const [n, byte] of [...sent].entries()) {
      client.write(byte);
      await until(() => owner.received === n + 1);
    }
    await until(() => client.received === sent.length);
    expect(`${client.bytes}`).toBe(sent);
  });

  test("a chunk that is kept is not written over by the next", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    for (let n = 0; n < 100; n++) {
      client.write(Buffer.alloc(1_000, n));
      await until(() => owner.received === (n + 1) * 1_000);
    }
    const expected = Buffer.concat(Array.from({ length: 100 }, (_, n) => Buffer.alloc(1_000, n)));
    expect(Buffer.concat(owner.chunks).equals(expected)).toBe(true);
  });

  test("paused, no callback is called and the client is stopped; resumed, no byte is missing", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    owner.call((socket) => socket.pause());
    const size = 20_000_000;
    client.write(Buffer.alloc(size)).finish();
    await turn(50);
    expect([owner.received, owner.ended]).toEqual([0, 0]);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    owner.call((socket) => socket.resume());
    await until(() => owner.ended);
    expect(owner.received).toBe(size);
  });

  test("it may be paused inside onChunk, repeatedly, and after the peer has closed", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    const take = owner.onChunk.bind(owner);
    let chunks = 0;
    owner.onChunk = (chunk) => {
      take(chunk);
      chunks++;
      owner.socket.pause();
      setImmediate(() => owner.socket.resume());
    };
    client.write(Buffer.alloc(1_000_000)).finish();
    await until(() => owner.ended);
    expect(owner.received).toBe(1_000_000);
    expect(chunks).toBeGreaterThan(1);
  });
}

export function writes(transport: TestTransport): void {
  test("what the kernel takes at once is written: true, and the buffer may be used again", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    const buffer = Buffer.alloc(100);
    let expected = "";
    for (let n = 0; n < 20; n++) {
      buffer.fill(65 + n);
      expected += buffer.toString();
      expect(owner.call((socket) => socket.write(buffer))).toBe(true);
      buffer.fill(0);
    }
    expect(owner.socket.unsent).toBe(0);
    await until(() => client.received === expected.length);
    expect(`${client.bytes}`).toBe(expected);
    expect(owner.written).toBe(0);
  });

  test("a slow reader: false, unsent falls while it reads, onWritten comes once, and every byte arrives", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    client.socket.pause();
    const sent = await fill(owner);
    const { unsent } = owner.socket;
    expect(unsent).toBeGreaterThan(0);
    expect(unsent).toBeLessThanOrEqual(1_000_000);
    await turn(20);
    expect(owner.written).toBe(0);
    client.socket.resume();
    await until(() => owner.socket.unsent < unsent);
    await until(() => owner.written === 1);
    expect(owner.socket.unsent).toBe(0);
    expect(owner.write("next")).toBe(true);
    await until(() => client.received === sent + 4);
    await turn(5);
    expect(owner.written).toBe(1);
  });

  test("a write inside onWritten is in order", async () => {
    const { pair } = await stage(transport);
    const { client, owner } = await pair();
    client.socket.pause();
    const sent = await fill(owner);
    let more = 0;
    const block = Buffer.alloc(2_000_000, "y");
    const noted = owner.onWritten.bind(owner);
    owner.onWritten = () => {
      noted();
      if (more === 0) {
        more = block.length;
        owner.socket.write(block);
      }
    };
    client.socket.resume();
    await until(() => more > 0 && client.received === sent + more);
    expect(client.bytes.indexOf("y")).toBe(sent);
  });
}
