/** The books of openings after anything that can happen to them, over a socket that the test plays. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  defineProtocol,
  encodeProxyHeader,
  exit,
  ManualClock,
  packet,
  send,
  useClock,
} from "../../../src/index.js";
import { processCount } from "../../../src/otp/process/process.js";
import { Connection } from "../../../src/tcp/connection/connection.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import { Loop } from "../../../src/tcp/loop/loop.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import type { Socket, SocketOwner } from "../../../src/transport/transport.js";
import { packet2 } from "../../support/client.js";
import { turn } from "../../support/until.js";

class FakeSocket implements Socket {
  readonly peer = { address: "10.0.0.1", port: 1 };
  readonly local = { address: "10.0.0.2", port: 2 };
  readonly unsent = 0;
  owner: SocketOwner | undefined;
  closed = false;
  finSent = false;
  finSeen = false;
  started = 0;

  start(owner: SocketOwner): void {
    this.started++;
    this.owner = owner;
  }
  setOwner(owner: SocketOwner): void {
    this.owner = owner;
  }
  pause(): void {}
  resume(): void {}
  write(): boolean {
    return true;
  }
  writeTwo(): boolean {
    return true;
  }
  end(): void {
    this.finSent = true;
    if (this.finSeen) this.destroy();
  }
  destroy(code?: string): void {
    if (this.closed) return;
    this.closed = true;
    setImmediate(() => this.owner?.onClosed(code));
  }
  reset(): void {
    this.destroy();
  }

  /** Received bytes, in memory that is overwritten afterwards. */
  deliver(bytes: Buffer): void {
    if (this.closed || this.finSeen || bytes.length === 0) return;
    const shared = Buffer.concat([bytes, Buffer.alloc(8)]);
    this.owner?.onBytes(shared, bytes.length);
    shared.fill(0x21);
  }
  fin(): void {
    if (this.closed || this.finSeen) return;
    this.finSeen = true;
    this.owner?.onEnd();
    if (this.finSent) this.destroy();
  }
}

const ends = {
  source: { address: "192.0.2.7", port: 7 },
  destination: { address: "198.51.100.1", port: 443 },
};
const HEADERS = [
  encodeProxyHeader({ ...ends, version: 1 }),
  encodeProxyHeader({ ...ends, authority: "a.example", crc32c: true }),
  encodeProxyHeader({ local: true }),
  Buffer.from("GET / HTTP/1.1\r\n\r\n"),
];

type Act =
  | { readonly do: "bytes"; readonly count: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "fin" | "reset" | "kill" | "shutdown" | "message" };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("bytes" as const), count: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
  },
  fc.record({ do: fc.constantFrom("fin" as const, "reset" as const, "message" as const) }),
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("kill" as const, "shutdown" as const) }) },
);

test("whatever happens to an opening, it is counted once, ends in time, and begins the protocol at most once", async () => {
  const scenario = fc.record({
    header: fc.constantFrom(...HEADERS),
    trusted: fc.boolean(),
    frames: fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }),
    acts: fc.array(act, { maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ header, trusted, frames, acts }) => {
      const clock = new ManualClock();
      const restore = useClock(clock);
      try {
        const before = processCount();
        const calls: string[] = [];
        const got: string[] = [];
        const endpoint = new Endpoint({ loop: new Loop(), opening: { proxy: { trusts: () => trusted } } });
        const protocol = defineProtocol({
          name: "books",
          framing: packet(2),
          data: () => calls.push("data"),
          states: {
            ready: {
              enter: () => void calls.push("enter"),
              frame: (_, frame) => void got.push(String(frame)),
              leave: () => void calls.push("leave"),
            },
          },
          terminate: () => void calls.push("terminate"),
        });
        const conn = new Connection(endpoint, new CompiledProtocol(protocol), undefined);
        const socket = new FakeSocket();
        conn.socketReady(socket);
        const { counters } = endpoint;
        expect(socket.started).toBe(trusted ? 1 : 0);
        const sent = Buffer.concat([header, ...frames.map(packet2)]);
        let at = 0;
        for (const one of acts) {
          if (one.do === "bytes") {
            socket.deliver(sent.subarray(at, at + one.count));
            at += one.count;
          } else if (one.do === "wait") await clock.advance(one.ms);
          else if (one.do === "fin") socket.fin();
          else if (one.do === "reset") socket.destroy("ECONNRESET");
          else if (one.do === "message") send(conn.pid, "a message");
          else exit(conn.pid, one.do);
          await turn();
          expect(counters.accepted).toBe(1);
          expect(counters.active).toBe(conn.alive ? 1 : 0);
        }
        const open = calls.includes("enter");
        await clock.advance(open ? 130_000 : 5_300);
        await turn(3);
        expect([conn.alive, socket.closed, counters.active, processCount() - before]).toEqual([
          false,
          true,
          0,
          0,
        ]);
        expect(Object.values(counters.closed).reduce((sum, count) => sum + count)).toBe(1);
        expect(endpoint.loop.timerWheel.size).toBe(0);
        expect(calls.filter((call) => call === "data").length).toBeLessThanOrEqual(1);
        if (!open) expect(calls).toEqual([]);
        if (!trusted || header === HEADERS[3]) expect([calls, got]).toEqual([[], []]);
        // In order, and none that was not sent.
        expect(got).toEqual(frames.slice(0, got.length));
        if (open) expect(conn.peer.address).toBe(header === HEADERS[2] ? "10.0.0.1" : "192.0.2.7");
      } finally {
        restore();
      }
    }),
    { numRuns: 150 },
  );
});
