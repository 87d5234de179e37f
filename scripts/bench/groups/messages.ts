// CPU of a message from a process of one worker to one of another: over the exchange, and over the primary, which passes
// it on where no protocol takes groups.
import type { Socket } from "node:net";
import { median } from "../compare/median.js";
import { cpuSeconds } from "../compare/process-usage.js";
import { type Server, start } from "../compare/servers.js";
import { oneInEachWorker, packetOf, said } from "./crowd.js";
import { BODY, drover } from "./servers.js";

/** Sends so many messages to a pid in one turn; the receiver answers its client when it has as many as it expects. */
const senderCode = (takes: string) => `
import { defineProtocol, group, next, packet, parsePid, send } from "drover";
const some = group<Uint8Array>("some");
const body = Buffer.alloc(${BODY}, "x");
export default defineProtocol({
  name: "sender",
  framing: packet(2),${takes}
  data: () => ({ got: 0, expected: 1 }),
  states: {
    ready: {
      idle: { after: Infinity, do: next("ready") },
      frame: (conn, frame) => {
        const [what, word = "", count = ""] = String(frame).split(" ");
        if (what === "who") return conn.send(String(conn.pid));
        if (what === "expect") {
          conn.data.expected = Number(word);
          return conn.send("ok");
        }
        const to = parsePid(word);
        for (let at = 0; to && at < Number(count); at++) send(to, body);
      },
      message: (conn) => {
        if (++conn.data.got % conn.data.expected === 0) conn.send("all");
      },
    },
  },
});
`;

/** Messages in a turn. */
const TURNS = [1, 8] as const;

interface Way {
  readonly name: string;
  readonly server: Server;
  readonly sender: Socket;
  readonly receiver: Socket;
  readonly pid: string;
  /** As `TURNS`: CPU microseconds per message. */
  readonly cpu: readonly number[][];
}

export interface MessageCost {
  readonly name: string;
  /** CPU microseconds per message, of all OS processes. */
  readonly alone: number;
  readonly batched: number;
}

/** @param main the built program */
export async function messageCosts(main: string, rounds: number, ms: number): Promise<MessageCost[]> {
  const ways: Way[] = [];
  try {
    ways.push(
      await open("over the primary", main, ""),
      await open("over the exchange", main, " takes: some,"),
    );
    for (let round = 0; round <= rounds; round++)
      for (const way of ways)
        for (const [row, count] of TURNS.entries()) {
          const cpu = await perMessage(way, count, round === 0 ? ms / 3 : ms);
          if (round > 0) way.cpu[row]?.push(cpu);
        }
    return ways.map(({ name, cpu: [alone = [], batched = []] }) => ({
      name,
      alone: median(alone),
      batched: median(batched),
    }));
  } finally {
    for (const { sender, receiver } of ways) for (const socket of [sender, receiver]) socket.destroy();
    await Promise.all(ways.map(({ server }) => server.stop()));
  }
}

async function open(name: string, main: string, takes: string): Promise<Way> {
  const server = await start(drover(main, senderCode(takes)));
  const members = [...(await oneInEachWorker(server.port)).entries()];
  const [[, sender], [pid, receiver]] = members as [[string, Socket], [string, Socket]];
  return { name, server, sender, receiver, pid, cpu: TURNS.map(() => []) };
}

async function perMessage(
  { server, sender, receiver, pid }: Way,
  count: number,
  ms: number,
): Promise<number> {
  receiver.write(packetOf(`expect ${count}`));
  await said(receiver, "ok");
  const before = cpuSeconds(server.osPid);
  let messages = 0;
  for (const until = performance.now() + ms; performance.now() < until; messages += count) {
    sender.write(packetOf(`send ${pid} ${count}`));
    await said(receiver, "all");
  }
  return ((cpuSeconds(server.osPid) - before) / messages) * 1e6;
}
