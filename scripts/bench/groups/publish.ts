// What the exchange takes for a publish of eight messages in a turn, with a member in each of two workers.
import type { Socket } from "node:net";
import { median } from "../compare/median.js";
import { cpuSeconds, descendant } from "../compare/process-usage.js";
import type { Server } from "../compare/servers.js";
import { oneInEachWorker, packetOf, said } from "./crowd.js";

/** Pairs of connections, one in each of two workers, that publish at the same time. */
const PAIRS = 8;
/** Milliseconds. */
const WARM_UP = 8_000;

/** CPU microseconds of the exchange per publish, eight in a turn, with a member in each of two workers. */
export async function perPublish(server: Server, rounds: number, ms: number): Promise<number> {
  const exchange = descendant(server.osPid, "exchange") as number;
  const pairs = await Promise.all(Array.from({ length: PAIRS }, (_, at) => pair(server.port, `echo ${at}`)));
  const cpu: number[] = [];
  // Until V8 has compiled what runs most: before that a publish costs four times as much.
  await publishAll(pairs, WARM_UP);
  for (let round = 0; round < rounds; round++) {
    const before = cpuSeconds(exchange);
    const published = await publishAll(pairs, ms);
    cpu.push(((cpuSeconds(exchange) - before) / published) * 1e6);
  }
  for (const socket of pairs.flat()) socket.destroy();
  return median(cpu);
}

/** @returns the number of messages published */
async function publishAll(pairs: readonly (readonly [Socket, Socket])[], ms: number): Promise<number> {
  let published = 0;
  const until = performance.now() + ms;
  await Promise.all(
    pairs.map(async ([one]) => {
      for (; performance.now() < until; published += 8) {
        one.write(packetOf("x"));
        await said(one, "8");
      }
    }),
  );
  return published;
}

async function pair(port: number, room: string): Promise<[Socket, Socket]> {
  const members = [...(await oneInEachWorker(port)).values()];
  for (const socket of members) {
    socket.write(packetOf(`echoes ${room}`));
    await said(socket, "ok");
  }
  return members as [Socket, Socket];
}
