/** OutputBuffer and Writer without a network: every peer gets exactly its bytes in order, however writes complete. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { defineProtocol, packet } from "../../src/index.js";
import { Writer } from "../../src/tcp/connection/writer.js";
import { NO_SLOT, type TimerWheelEntry } from "../../src/tcp/loop/timer-wheel.js";
import { LIMITS } from "../../src/tcp/protocol/limits.js";
import { Service } from "../../src/tcp/service.js";
import type { Socket } from "../../src/transport/transport.js";
import { packet2 } from "../support/client.js";

const framing = packet(2);

function newService(): Service {
  return new Service(defineProtocol({ name: "output", framing, states: { ready: {} } }));
}

/** A socket that takes a write at once, or later: then it reads the bytes only when it is done with them. */
class FakeSocket implements Socket {
  readonly peer = { address: "", port: 0 };
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
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

function line(service: Service) {
  const socket = new FakeSocket();
  const owner: TimerWheelEntry = {
    wheelSlot: NO_SLOT,
    wheelNext: undefined,
    wheelPrev: undefined,
    onDeadline: () => Infinity,
  };
  const outlet = new Writer(service, socket, owner);
  const end = () => {
    outlet.drop();
    service.wheel.remove(owner);
  };
  return { socket, outlet, end, send: (text: string | Buffer) => outlet.send(framing, text) };
}

test("what is sent in one turn leaves in one write when the turn is over", () => {
  const service = newService();
  const one = line(service);
  service.turn.handling = one.outlet;
  one.send("a");
  one.send("b");
  expect([one.socket.writes, one.outlet.outbound, one.outlet.pending]).toEqual([0, 6, 0]);
  service.turn.flush();
  expect(one.socket.writes).toBe(1);
  expect(one.socket.got).toEqual(Buffer.concat([packet2("a"), packet2("b")]));
  expect(one.outlet.bytesSent).toBe(6);
});

test("what is sent outside of it leaves by itself when the present piece of work is done", async () => {
  const one = line(newService());
  one.send("a");
  one.send("b");
  expect(one.socket.writes).toBe(0);
  await null;
  expect([one.socket.writes, one.socket.got.length]).toEqual([1, 6]);
});

test("what is sent behind an outstanding write waits in the queue and leaves in one write", () => {
  const service = newService();
  const one = line(service);
  one.socket.slow = true;
  one.send("first");
  service.turn.flush();
  for (const text of ["2", "3", "4"]) one.send(text);
  service.turn.flush();
  expect([one.socket.writes, one.outlet.pending]).toEqual([1, 16]);
  expect(service.counters.outbound).toBe(16);
  one.socket.take();
  one.outlet.written();
  expect([one.socket.writes, one.outlet.pending]).toEqual([2, 9]);
  one.socket.take();
  one.outlet.written();
  expect(service.counters.outbound).toBe(0);
  expect(one.socket.got.toString("latin1").replaceAll(/[^\w]/g, "")).toBe("first234");
  one.end();
});

test("bytes that a socket still holds are not written over by the turns of others", () => {
  const service = newService();
  const [slow, quick] = [line(service), line(service)];
  slow.socket.slow = true;
  slow.send("precious");
  service.turn.flush();
  for (let n = 0; n < 100; n++) {
    quick.send(Buffer.alloc(10_000, n));
    service.turn.flush();
  }
  slow.socket.take();
  expect(slow.socket.got).toEqual(packet2("precious"));
  slow.end();
});

test("full says when the output is at its high-water mark, written when it is down again", () => {
  const one = line(newService());
  one.socket.slow = true;
  one.send(Buffer.alloc(60_000));
  expect(one.outlet.full).toBe(false);
  one.send(Buffer.alloc(5_534));
  expect(one.outlet.pending).toBe(LIMITS.highWater + 2);
  expect(one.outlet.full).toBe(true);
  one.socket.take();
  expect(one.outlet.written()).toBe(true);
  expect(one.outlet.full).toBe(false);
  one.end();
});

test("an outlet that is dropped takes what it has gathered and queued out of the count", () => {
  const service = newService();
  const [one, other] = [line(service), line(service)];
  one.socket.slow = true;
  one.send(Buffer.alloc(60_000));
  one.send("queued");
  other.send("gathered");
  one.end();
  other.end();
  service.turn.flush();
  expect(service.counters.outbound).toBe(0);
  expect(other.socket.writes).toBe(0);
  one.socket.take();
  one.outlet.written();
  expect([service.counters.outbound, one.socket.writes]).toEqual([0, 1]);
});

test("a large frame that cannot be encoded leaves nothing behind that would count as a peer that takes nothing", () => {
  const one = line(newService());
  const failing = {
    ...{ name: "failing", decoder: () => framing.decoder(), encodedLength: () => 20_000 },
    encodeInto: () => {
      throw new Error("as told");
    },
  };
  expect(() => one.outlet.send(failing, "x")).toThrow("as told");
  expect(one.outlet.stalledAt).toBe(Infinity);
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
      const service = newService();
      const lines = [0, 1, 2, 3].map(() => ({ ...line(service), sent: [] as Buffer[] }));
      for (const [n, one] of actions.entries()) {
        const { socket, outlet, send, sent } = lines[one.who] as (typeof lines)[number];
        if (one.kind === "slow") socket.slow = one.slow;
        else if (one.kind === "handle") service.turn.handling = outlet;
        else if (one.kind === "flush") service.turn.flush();
        else if (one.kind === "complete") socket.take() && outlet.written();
        else {
          const frame = Buffer.alloc(one.size, n);
          sent.push(packet2(frame));
          send(frame);
        }
      }
      service.turn.flush();
      for (const { socket, outlet, sent, end } of lines) {
        while (socket.take()) outlet.written();
        expect(socket.got.equals(Buffer.concat(sent))).toBe(true);
        expect(outlet.bytesSent).toBe(socket.got.length);
        end();
      }
      expect(service.counters.outbound).toBe(0);
      expect(service.wheel.size).toBe(0);
    }),
    { numRuns: 300 },
  );
});
