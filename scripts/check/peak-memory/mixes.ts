// The mixes: what clients do, for how long, and the bound that SECURITY.md states for what a worker then holds.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { pause, type Server } from "../chaos/server.js";
import { ANSWER, INBOUND, MAX_FRAME, MEMBER_WAITING, ORDER, OUTBOUND } from "./protocol.js";
import { flood, frameOf, open, plain, secure } from "./sockets.js";

export interface Mix {
  readonly name: string;
  /** What the worker may hold, in bytes. */
  readonly bound: number;
  /** The bound in the words of SECURITY.md. */
  readonly statedAs: string;
  /** @returns its sockets, which are closed when the peak was read */
  run(server: Server): Promise<Socket[]>;
}

const KIB = 1024;
/** What is written between two polls of the sockets. */
const PER_POLL = 16 * 1024 * KIB;
/** Of unfinished frames below this length nothing is counted. */
const COUNTED_FROM = 4 * KIB;
/** What is read of a connection in a turn, and the buffer that holds an unfinished frame of it. */
const READ = 128 * KIB;
const [DEAF, HALF, MEMBERS, PUBLISHERS, FAST, IDLE, HANDSHAKES] = [250, 300, 500, 20, 200, 5_000, 1_000];
const HOLD_MS = 4_000;

/** Of a connection that does nothing, without and with TLS. */
const IDLE_BYTES = 8 * KIB;
const TLS_BYTES = 64 * KIB;

/** Asks for answers and reads none: more are asked for than kernel and server hold. */
async function neverRead(sockets: Socket[]): Promise<Socket[]> {
  const orders = Buffer.concat(Array.from({ length: 20 }, () => frameOf(ORDER.answer)));
  for (const [at, socket] of sockets.entries()) {
    socket.pause().write(orders);
    // All at once they would be a gigabyte of answers in one turn of the event loop, which the watchdog ends.
    if (at % 10 === 9) await pause(20);
  }
  await pause(HOLD_MS);
  return sockets;
}

/** A ClientHello of a real client. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = secure((server.address() as AddressInfo).port);
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  server.close();
  return bytes;
}

async function sendAll(sockets: Socket[], bytes: Buffer): Promise<Socket[]> {
  for (const socket of sockets) socket.resume().write(bytes);
  await pause(HOLD_MS);
  return sockets;
}

export const MIXES: readonly Mix[] = [
  {
    name: `${DEAF} clients ask for answers of 900 KiB and read none`,
    bound: OUTBOUND + PER_POLL + ANSWER,
    statedAs: "workerOutbound, 16 MiB, and an answer",
    run: async ({ ports }) => neverRead(await open(DEAF, ports.main)),
  },
  {
    name: `${DEAF} TLS clients ask for answers of 900 KiB and read none`,
    bound: 2 * OUTBOUND + PER_POLL + ANSWER + DEAF * TLS_BYTES,
    statedAs: "twice workerOutbound, 16 MiB, an answer, and 64 KiB for each TLS connection",
    run: async ({ ports }) => neverRead(await open(DEAF, ports.secure, secure)),
  },
  {
    name: `${HALF} clients send 1 MiB of a frame but its last byte`,
    bound: 2 * INBOUND + HALF * COUNTED_FROM,
    statedAs: "twice workerInbound, and 4 KiB a connection",
    run: async ({ ports }) => {
      const frame = frameOf(Buffer.alloc(MAX_FRAME));
      return sendAll(await open(HALF, ports.main), frame.subarray(0, -1));
    },
  },
  {
    name: `${FAST} clients send small frames without end to handlers that wait`,
    bound: FAST * READ,
    statedAs: "128 KiB a connection",
    run: async ({ ports }) => {
      const sockets = await open(FAST, ports.main);
      const frames = Buffer.concat(Array.from({ length: 5_000 }, () => frameOf(ORDER.wait)));
      for (const socket of sockets) flood(socket, frames);
      await pause(HOLD_MS);
      return sockets;
    },
  },
  {
    name: `${PUBLISHERS} clients publish 16 kB without end to ${MEMBERS} members that do not read`,
    bound: MEMBERS * MEMBER_WAITING + PUBLISHERS * READ,
    statedAs: "64 KiB a member, 128 KiB a publisher",
    run: async ({ ports }) => {
      const [members, publishers] = [await open(MEMBERS, ports.main), await open(PUBLISHERS, ports.main)];
      for (const member of members) member.pause().write(frameOf(ORDER.join));
      const frames = Buffer.concat(Array.from({ length: 1_000 }, () => frameOf(ORDER.publish)));
      for (const publisher of publishers) flood(publisher, frames);
      await pause(HOLD_MS);
      return [...members, ...publishers];
    },
  },
  {
    name: `${IDLE} clients connect and say nothing`,
    bound: IDLE * IDLE_BYTES,
    statedAs: "8 KiB a connection",
    run: async ({ ports }) => open(IDLE, ports.main, plain),
  },
  {
    name: `${HANDSHAKES} TLS handshakes stop after the ClientHello`,
    bound: HANDSHAKES * TLS_BYTES,
    statedAs: "64 KiB for each TLS connection, 5 s long",
    run: async ({ ports }) => sendAll(await open(HANDSHAKES, ports.secure, plain), await clientHello()),
  },
];
