/** One attempt to connect, over a transport of the test's own: deadline, cancel, PROXY header, TLS. */
import { expect, test } from "vitest";
import type { ConnectError } from "../../../src/index.js";
import { Dial } from "../../../src/tcp/outgoing/dial.js";
import type { CheckedConnect } from "../../../src/tcp/outgoing/options.js";
import type { HandshakeOwner, Socket, Transport } from "../../../src/transport/transport.js";
import { manualClock } from "../../support/serving.js";

class FakeSocket {
  readonly written: string[] = [];
  destroyed = 0;
  takes = true;
  write(bytes: Buffer): boolean {
    this.written.push(`${bytes}`);
    return this.takes;
  }
  destroy(): void {
    this.destroyed++;
  }
}

function stage(given: Partial<CheckedConnect> = {}) {
  const clock = manualClock();
  const socket = new FakeSocket();
  const opened: [socket: unknown, started: boolean][] = [];
  const failed: ConnectError[] = [];
  let connected: (() => void) | undefined;
  let aborted: unknown;
  let handshake: HandshakeOwner | undefined;
  const secured = new FakeSocket();
  const transport = {
    name: "handle",
    connect: (_target: unknown, signal: AbortSignal) =>
      new Promise((resolve, reject) => {
        connected = () => resolve(socket);
        signal.addEventListener("abort", () => {
          aborted = signal.reason;
          reject(signal.reason);
        });
      }),
    secure: (_socket: unknown, _terms: unknown, _received: unknown, owner: HandshakeOwner) => {
      handshake = owner;
      return secured;
    },
  } as unknown as Transport;
  const connect = { target: { host: "127.0.0.1", port: 5432 }, timeout: 5_000, ...given } as CheckedConnect;
  const dial = new Dial(connect, transport, {
    opened: (open: Socket, started) => void opened.push([open, started]),
    failed: (error) => void failed.push(error),
  });
  return {
    ...{ clock, socket, secured, opened, failed, dial },
    connected: async () => {
      await clock.advance(0);
      connected?.();
      await clock.advance(0);
    },
    aborted: () => aborted,
    handshake: () => handshake as HandshakeOwner,
  };
}

const tls = () => ({}) as never;

test("a connection that does not open in time is connect_timeout", async () => {
  const { clock, failed, aborted } = stage();
  await clock.advance(4_999);
  expect(failed).toEqual([]);
  await clock.advance(1);
  expect(failed.map(({ code, message }) => [code, message])).toEqual([
    ["connect_timeout", "connect to 127.0.0.1:5432 took longer than 5000 ms"],
  ]);
  expect(failed[0]?.reason).toEqual({ connect: "connect_timeout" });
  expect(aborted()).toBeDefined();
});

test("the deadline is of the connection and TLS together", async () => {
  const { clock, failed, connected, secured } = stage({ tls });
  await clock.advance(3_000);
  await connected();
  await clock.advance(2_000);
  expect([failed[0]?.code, secured.destroyed]).toEqual(["connect_timeout", 1]);
});

test("open: a plain socket is not started, one of TLS is", async () => {
  const plain = stage();
  await plain.connected();
  expect(plain.opened).toEqual([[plain.socket, false]]);
  expect(plain.clock.pending).toBe(0);
});

test("open after TLS: the socket of the plaintext, at once in its callback", async () => {
  const { connected, handshake, opened, secured, clock } = stage({ tls });
  await connected();
  expect(opened).toEqual([]);
  handshake().onSecure(false);
  expect(opened).toEqual([[secured, true]]);
  await clock.advance(10_000);
  expect(secured.destroyed).toBe(0);
});

test("the PROXY header is the first that is sent, before TLS", async () => {
  const { connected, handshake, socket } = stage({ tls, header: Buffer.from("PROXY UNKNOWN\r\n") });
  await connected();
  expect([socket.written, handshake() !== undefined]).toEqual([["PROXY UNKNOWN\r\n"], true]);
});

test("a PROXY header that is not taken whole ends the attempt", async () => {
  const { connected, failed, socket } = stage({ header: Buffer.from("PROXY") });
  socket.takes = false;
  await connected();
  expect([failed[0]?.code, socket.destroyed]).toEqual(["other", 1]);
});

test.each([
  [(owner: HandshakeOwner) => owner.onRefused("tls_refused", "not for this name"), "tls_refused"],
  [(owner: HandshakeOwner) => owner.onRefused("tls_error", "wrong version"), "tls_error"],
  [(owner: HandshakeOwner) => owner.onEnd(), "tls_error"],
  [(owner: HandshakeOwner) => owner.onClosed("ECONNRESET"), "econnreset"],
])("TLS that fails: %s", async (happens, code) => {
  const { connected, handshake, failed, secured } = stage({ tls });
  await connected();
  happens(handshake());
  happens(handshake());
  expect(failed.map((one) => one.code)).toEqual([code]);
  expect(secured.destroyed).toBe(1);
});

test("cancelled: an attempt that opens all the same is closed", async () => {
  const { dial, connected, failed, opened } = stage();
  dial.cancel();
  await connected();
  expect([failed[0]?.code, opened]).toEqual(["cancelled", []]);
});
