/** The sockets of an attempt to connect: the time until the server accepts, and from then on until it answers. */
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { connectAlone, SlowServerError } from "../../../src/exchange/nats/attempt-sockets.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";
import { until } from "../../support/until.js";

let server: Server;
let port: number;
/** Sockets that the server has accepted. */
const accepted: Socket[] = [];
let clock: ManualClock;
let restore: () => void;

beforeEach(async () => {
  clock = new ManualClock();
  restore = useClock(clock);
  server = createServer((socket) => void accepted.push(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  restore();
  for (const socket of accepted.splice(0)) socket.destroy();
  server.close();
  await once(server, "close");
});

/** As the client: resolves with what the server says first, and listens to nothing between two steps. */
function client(to: number): { readonly socket: () => Socket | undefined; attempt(): Promise<string> } {
  let socket: Socket | undefined;
  return {
    socket: () => socket,
    async attempt() {
      const opened = connect(to, "127.0.0.1");
      socket = opened;
      await new Promise<void>((resolve, reject) => {
        opened.once("connect", resolve);
        opened.once("close", () => reject(undefined));
      });
      opened.removeAllListeners();
      return new Promise<string>((resolve, reject) => {
        opened.once("data", (data) => resolve(String(data)));
        opened.once("close", () => reject(undefined));
      });
    },
  };
}

const TIMES = { accept: 100, answer: 1_000 };

it("a server that accepts at the last moment has its own time to answer", async () => {
  const { attempt, socket } = client(port);
  const connecting = connectAlone(port, TIMES, attempt);
  await until(() => accepted[0] && socket()?.connecting === false);
  await clock.advance(999);
  accepted[0]?.write("INFO");
  const { connection, reset } = await connecting;
  expect(connection).toBe("INFO");
  // Its time is over only while it is an attempt.
  await clock.advance(10_000);
  expect([clock.pending, socket()?.destroyed]).toEqual([0, false]);
  reset();
  expect(socket()?.destroyed).toBe(true);
});

it("a server that accepts and does not answer is a slow one; its socket is closed", async () => {
  const { attempt, socket } = client(port);
  const connecting = connectAlone(port, TIMES, attempt).catch((error) => error);
  await until(() => accepted[0] && socket()?.connecting === false);
  await clock.advance(1_000);
  expect(await connecting).toBeInstanceOf(SlowServerError);
  expect([clock.pending, socket()?.destroyed]).toEqual([0, true]);
});

it("a server that does not accept in time is no slow one", async () => {
  // A connection on its way to a server that a cut cable hides.
  const socket = Object.assign(new Socket(), { connecting: true });
  const connecting = connectAlone(port, TIMES, async () => {
    channel("net.client.socket").publish({ socket });
    await once(socket, "close");
    throw undefined;
  }).catch((error) => error);
  await clock.advance(100);
  const error = await connecting;
  expect([error.name, error instanceof SlowServerError]).toEqual(["TimeoutError", false]);
  expect([clock.pending, socket.destroyed]).toEqual([0, true]);
});

it("what the client throws by itself is passed on", async () => {
  const error = new Error("Authorization Violation");
  await expect(connectAlone(port, TIMES, () => Promise.reject(error))).rejects.toBe(error);
  expect(clock.pending).toBe(0);
});
