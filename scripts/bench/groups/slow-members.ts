// Latency of the good members of a group, alone and among one that reads slowly, one that does not read, and one that is
// reset and comes again: 99 good ones in two workers, a message each 5 ms, rounds of both in turn.
import type { Socket } from "node:net";
import { median } from "../compare/median.js";
import { start } from "../compare/servers.js";
import { opened, packetOf, said } from "./crowd.js";
import { drover } from "./servers.js";

const GOOD = 99;
/** Milliseconds between two messages. */
const EVERY = 5;
/** Bytes that the slow member reads, and how often. */
const SIP = 4_096;
const SIP_EVERY = 10;
/** Messages that fill what the kernel takes for a member: 20 MB. */
const FILL = 400;

const PROTOCOL = `
import { defineProtocol, forward, groups, next, packet } from "drover";
const rooms = groups<string>("room");
export default defineProtocol({
  name: "members",
  framing: packet(2),
  takes: rooms,
  states: {
    ready: {
      idle: { after: Infinity, do: next("ready") },
      frame: async (conn, frame) => {
        const [what, room = "", text = ""] = String(frame).split(" ");
        if (what === "say") return rooms(room).send(text);
        if (what === "fill") return rooms(room).send("x".repeat(50_000));
        if (what === "join") rooms(room).join(conn);
        if (what === "leave") rooms(room).leave(conn);
        conn.send(what === "count" ? "members " + (await rooms(room).count()) : "ok");
      },
      message: forward,
    },
  },
});
`;

export interface SlowMembers {
  /** Milliseconds, medians of the rounds. */
  readonly alone: number;
  readonly among: number;
}

/** @param main the built program */
export async function slowMembers(main: string, rounds: number, ms: number): Promise<SlowMembers> {
  const server = await start(drover(main, PROTOCOL));
  const sockets: Socket[] = [];
  let sipping: NodeJS.Timeout | undefined;
  const connect = async () => {
    const socket = await opened(server.port);
    sockets.push(socket);
    return socket;
  };
  const told = async (socket: Socket, command: string) => {
    socket.write(packetOf(command));
    await said(socket, "ok");
  };
  try {
    const publisher = await connect();
    const good: Socket[] = [];
    for (let at = 0; at < GOOD; at++) good.push(await connect());
    for (const socket of good) await told(socket, "join mixed");
    const [slow, stopped] = [await connect(), await connect()];
    for (const socket of [slow, stopped]) {
      await told(socket, "join fill");
      socket.removeAllListeners("data").pause();
    }
    for (let at = 0; at < FILL; at++) publisher.write(packetOf("fill fill"));
    sipping = setInterval(() => slow.read(SIP), SIP_EVERY);
    const latencies = new Latencies(publisher, good);
    const samples: [number[], number[]] = [[], []];
    // The first round warms up.
    for (let round = 0; round <= rounds; round++)
      for (const [which, among] of [false, true].entries()) {
        for (const socket of [slow, stopped]) socket.write(packetOf(`${among ? "join" : "leave"} mixed`));
        const resets = among ? resetAgain(server.port) : undefined;
        const p99 = await latencies.p99(ms);
        await resets?.();
        if (round > 0) samples[which]?.push(p99);
      }
    return { alone: median(samples[0]), among: median(samples[1]) };
  } finally {
    clearInterval(sipping);
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

/** A member that is reset and comes again, without end. @returns what ends it */
function resetAgain(port: number): () => Promise<void> {
  let going = true;
  const ended = (async () => {
    while (going) {
      const socket = await opened(port);
      socket.write(packetOf("join mixed"));
      await said(socket, "ok");
      socket.resetAndDestroy();
    }
  })();
  return async () => {
    going = false;
    await ended;
  };
}

class Latencies {
  readonly #publisher: Socket;
  readonly #members: number;
  #all: number[] = [];

  constructor(publisher: Socket, good: readonly Socket[]) {
    this.#publisher = publisher;
    this.#members = good.length;
    for (const socket of good) {
      let rest = "";
      socket.on("data", (chunk: Buffer) => {
        const now = performance.now();
        const parts = (rest + chunk.toString("latin1")).split("|");
        rest = parts.pop() as string;
        for (const part of parts) this.#all.push(now - Number(part.slice(2)));
      });
    }
  }

  /** Of all deliveries of so many milliseconds. */
  async p99(ms: number): Promise<number> {
    this.#all = [];
    let sent = 0;
    for (const until = performance.now() + ms; performance.now() < until; sent++) {
      this.#publisher.write(packetOf(`say mixed ${performance.now()}|`));
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
    while (this.#all.length < sent * this.#members)
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    const sorted = this.#all.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] as number;
  }
}
