/** OutputBuffer and Writer without a network: every peer gets exactly its bytes in order, however writes complete. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { defineProtocol, packet } from "../../../src/index.js";
import { Pid } from "../../../src/otp/process/pid.js";
import { Writer, type WriterOwner } from "../../../src/tcp/connection/output/writer.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import { Loop } from "../../../src/tcp/loop/loop.js";
import { NO_SLOT } from "../../../src/tcp/loop/timer-wheel.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import { LIMITS, type Limits } from "../../../src/tcp/protocol/limits.js";
import type { Socket } from "../../../src/transport/transport.js";
import { packet2 } from "../../support/client.js";

const framing = packet(2);

const protocol = new CompiledProtocol(defineProtocol({ name: "output", framing, states: { ready: {} } }));

function newEndpoint(): Endpoint {
  return new Endpoint({ loop: new Loop() });
}

/** A socket that takes a write at once, or later: then it reads the bytes only when it is done with them. */
class FakeSocket implements Socket {
  readonly peer = { address: "", port: 0 };
  readonly local = { address: "", port: 0 };
  got: Buffer = Buffer.alloc(0);
  writes = 0;
  slow = false;
  open = true;
  #waiting: Buffer | undefined;
  /** Read only when it is taken: until then the bytes must stay as they are. */
  #waitingTwo: readonly Uint8Array[] | undefined;

  get unsent(): number {
    const two = this.#waitingTwo?.reduce((sum, one) => sum + one.length, 0);
    return this.#waiting?.length ?? two ?? 0;
  }
  write(bytes: Buffer): boolean {
    expect(this.unsent).toBe(0);
    this.writes++;
    if (!this.slow) this.got = Buffer.concat([this.got, bytes]);
    else this.#waiting = bytes;
    return !this.slow;
  }
  writeTwo(head: Buffer, body: Uint8Array): boolean {
    expect(this.unsent).toBe(0);
    this.writes++;
    if (!this.slow) this.got = Buffer.concat([this.got, head, body]);
    else this.#waitingTwo = [head, body];
    return !this.slow;
  }
  /** The kernel has taken what waited. Returns whether something did. */
  take(): boolean {
    if (this.#waitingTwo) this.#waiting = Buffer.concat(this.#waitingTwo);
    this.#waitingTwo = undefined;
    if (!this.#waiting) return false;
    this.got = Buffer.concat([this.got, this.#waiting]);
    this.#waiting = undefined;
    return true;
  }
  start(): void {}
  setOwner(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  closedBy: "FIN" | "RST" | undefined = undefined;
  destroy(): void {
    this.closedBy = "FIN";
  }
  reset(): void {
    this.closedBy = "RST";
  }
}

function line(endpoint: Endpoint) {
  const socket = new FakeSocket();
  const owner: WriterOwner = {
    pid: new Pid(1, 1),
    endpoint,
    protocol,
    wheelSlot: NO_SLOT,
    wheelNext: undefined,
    wheelPrev: undefined,
    onDeadline: () => Infinity,
    onReleased: () => undefined,
    onRelieved: () => {},
    onOutputGivenUp: (bytes) => void givenUp.push(bytes),
  };
  const givenUp: number[] = [];
  const writer = new Writer(owner, socket);
  const end = () => {
    writer.drop();
    endpoint.loop.timerWheel.remove(owner);
  };
  return { socket, writer, owner, end, givenUp, send: (text: string | Buffer) => writer.send(framing, text) };
}

test("what is sent in one turn leaves in one write when the turn is over", () => {
  const endpoint = newEndpoint();
  const one = line(endpoint);
  endpoint.loop.output.handling = one.writer;
  one.send("a");
  one.send("b");
  expect([one.socket.writes, one.writer.outbound, one.writer.pending]).toEqual([0, 6, 0]);
  endpoint.loop.output.flush();
  expect(one.socket.writes).toBe(1);
  expect(one.socket.got).toEqual(Buffer.concat([packet2("a"), packet2("b")]));
  expect(one.writer.bytesSent).toBe(6);
});

test("what is sent outside of it leaves by itself when the present piece of work is done", async () => {
  const one = line(newEndpoint());
  one.send("a");
  one.send("b");
  expect(one.socket.writes).toBe(0);
  await null;
  expect([one.socket.writes, one.socket.got.length]).toEqual([1, 6]);
});

test("what is sent behind an outstanding write waits in the queue and leaves in one write", () => {
  const endpoint = newEndpoint();
  const one = line(endpoint);
  one.socket.slow = true;
  one.send("first");
  endpoint.loop.output.flush();
  for (const text of ["2", "3", "4"]) one.send(text);
  endpoint.loop.output.flush();
  expect([one.socket.writes, one.writer.pending]).toEqual([1, 16]);
  expect(endpoint.counters.outbound).toBe(16);
  one.socket.take();
  one.writer.written();
  expect([one.socket.writes, one.writer.pending]).toEqual([2, 9]);
  one.socket.take();
  one.writer.written();
  expect(endpoint.counters.outbound).toBe(0);
  expect(one.socket.got.toString("latin1").replaceAll(/[^\w]/g, "")).toBe("first234");
  one.end();
});

test("bytes that a socket still holds are not written over by the turns of others", () => {
  const endpoint = newEndpoint();
  const [slow, quick] = [line(endpoint), line(endpoint)];
  slow.socket.slow = true;
  slow.send("precious");
  endpoint.loop.output.flush();
  for (let n = 0; n < 100; n++) {
    quick.send(Buffer.alloc(10_000, n));
    endpoint.loop.output.flush();
  }
  slow.socket.take();
  expect(slow.socket.got).toEqual(packet2("precious"));
  slow.end();
});

test("full says when the output is at its high-water mark, written when it is down again", () => {
  const one = line(newEndpoint());
  one.socket.slow = true;
  one.send(Buffer.alloc(60_000));
  expect(one.writer.full).toBe(false);
  one.send(Buffer.alloc(5_534));
  expect(one.writer.pending).toBe(LIMITS.highWater + 2);
  expect(one.writer.full).toBe(true);
  one.socket.take();
  expect(one.writer.written()).toBe(true);
  expect(one.writer.full).toBe(false);
  one.end();
});

test("a writer that is dropped takes what it has gathered and queued out of the count", () => {
  const endpoint = newEndpoint();
  const [one, other] = [line(endpoint), line(endpoint)];
  one.socket.slow = true;
  one.send(Buffer.alloc(60_000));
  one.send("queued");
  other.send("gathered");
  one.end();
  other.end();
  endpoint.loop.output.flush();
  expect(endpoint.counters.outbound).toBe(0);
  expect(other.socket.writes).toBe(0);
  one.socket.take();
  one.writer.written();
  expect([endpoint.counters.outbound, one.socket.writes]).toEqual([0, 1]);
});

test("a socket whose output is lost is closed with RST, one that has sent all with FIN", () => {
  const endpoint = newEndpoint();
  const [slow, gathered, done] = [line(endpoint), line(endpoint), line(endpoint)];
  slow.socket.slow = true;
  slow.send("lost");
  endpoint.loop.output.flush();
  done.send("sent");
  endpoint.loop.output.flush();
  gathered.send("lost");
  for (const { writer } of [slow, gathered, done]) writer.close();
  expect([slow, gathered, done].map(({ socket }) => socket.closedBy)).toEqual(["RST", "RST", "FIN"]);
  expect(endpoint.counters.outbound).toBe(0);
  for (const one of [slow, gathered, done]) one.end();
});

/** A line whose protocol has this bound. */
function bounded(endpoint: Endpoint, workerOutbound: number, others: Partial<Limits> = {}) {
  const one = line(endpoint);
  const limits = { workerOutbound, ...others };
  const small = defineProtocol({ name: "small", framing, states: { ready: {} }, limits });
  // As a connection's protocol can be replaced while it lives.
  Object.assign(one.owner, { protocol: new CompiledProtocol(small) });
  one.socket.slow = true;
  return one;
}

test("output waiting on one listener counts against limits.workerOutbound on another one of the OS process", () => {
  const loop = new Loop();
  const [one, other] = [line(new Endpoint({ loop })), bounded(new Endpoint({ loop }), 10_010)];
  one.socket.slow = true;
  one.send(Buffer.alloc(10_000));
  loop.output.flush();
  other.send("x");
  loop.output.flush();
  // Near the bound whatever waits fills an output.
  expect([loop.waitingOutput.bytes, other.writer.pending, other.writer.full]).toEqual([10_005, 3, true]);
  other.send("too much");
  loop.output.flush();
  expect([one.givenUp, other.givenUp]).toEqual([[10_002], []]);
  expect([one.socket.closedBy, loop.waitingOutput.bytes]).toEqual(["RST", 13]);
  one.end();
  other.end();
  expect(loop.waitingOutput.bytes).toBe(0);
});

test("property: the largest outputs are given up above the bound, and every other peer receives exactly its frames", () => {
  const LIMIT = 100_000;
  const action = fc.record({
    who: fc.nat(5),
    size: fc.oneof(fc.constant(0), fc.nat(500), fc.integer({ min: 15_000, max: 60_000 })),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const endpoint = newEndpoint();
      const { waitingOutput, output } = endpoint.loop;
      const lines = Array.from({ length: 6 }, () => ({ ...bounded(endpoint, LIMIT), sent: [] as Buffer[] }));
      for (const [n, { who, size }] of actions.entries()) {
        const { socket, writer, send, sent, givenUp } = lines[who] as (typeof lines)[number];
        if (givenUp.length > 0) continue;
        const before = lines.filter((one) => one.givenUp.length === 0);
        if (size === 0) socket.take() && writer.written();
        else {
          const frame = Buffer.alloc(size, n);
          sent.push(packet2(frame));
          send(frame);
        }
        output.flush();
        expect(waitingOutput.bytes).toBe(lines.reduce((sum, one) => sum + one.writer.pending, 0));
        expect(waitingOutput.bytes).toBeLessThanOrEqual(LIMIT);
        const kept = before.filter((one) => one.givenUp.length === 0);
        const smallestGone = Math.min(...before.flatMap((one) => one.givenUp));
        expect(kept.filter(({ writer }) => writer.pending > smallestGone)).toEqual([]);
      }
      for (const { socket, writer, sent, givenUp, end } of lines) {
        if (givenUp.length > 0) expect([socket.closedBy, writer.outbound]).toEqual(["RST", 0]);
        else {
          while (socket.take()) writer.written();
          expect(socket.got.equals(Buffer.concat(sent))).toBe(true);
        }
        end();
      }
      expect([endpoint.counters.outbound, waitingOutput.bytes, waitingOutput.all]).toEqual([0, 0, []]);
    }),
    { numRuns: 100 },
  );
});

test("a large frame that cannot be encoded leaves nothing behind that would count as a peer that takes nothing", () => {
  const one = line(newEndpoint());
  const failing = {
    ...{ name: "failing", decoder: () => framing.decoder(), encodedLength: () => 20_000 },
    encodeInto: () => {
      throw new Error("as told");
    },
  };
  expect(() => one.writer.send(failing, "x")).toThrow("as told");
  expect(one.writer.stalledAt).toBe(Infinity);
  one.end();
});

test("random sends and random completions: every peer receives exactly its frames in order", () => {
  const size = fc.oneof(
    fc.nat(50),
    fc.integer({ min: 15_000, max: 17_000 }),
    fc.integer({ min: 60_000, max: 65_535 }),
  );
  const who = fc.nat(3);
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("send" as const), who, size }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("complete" as const), who }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("slow" as const), who, slow: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("handle" as const), who }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("flush" as const), who }) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const endpoint = newEndpoint();
      const lines = [0, 1, 2, 3].map(() => ({ ...line(endpoint), sent: [] as Buffer[] }));
      for (const [n, one] of actions.entries()) {
        const { socket, writer, send, sent } = lines[one.who] as (typeof lines)[number];
        if (one.kind === "slow") socket.slow = one.slow;
        else if (one.kind === "handle") endpoint.loop.output.handling = writer;
        else if (one.kind === "flush") endpoint.loop.output.flush();
        else if (one.kind === "complete") socket.take() && writer.written();
        else {
          const frame = Buffer.alloc(one.size, n);
          sent.push(packet2(frame));
          send(frame);
        }
      }
      endpoint.loop.output.flush();
      for (const { socket, writer, sent, end } of lines) {
        while (socket.take()) writer.written();
        expect(socket.got.equals(Buffer.concat(sent))).toBe(true);
        expect(writer.bytesSent).toBe(socket.got.length);
        end();
      }
      expect(endpoint.counters.outbound).toBe(0);
      expect(endpoint.loop.timerWheel.size).toBe(0);
    }),
    { numRuns: 300 },
  );
});
