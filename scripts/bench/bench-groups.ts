// Measures groups: node --expose-gc scripts/run.mjs bench-groups [ROUNDS] [SECONDS]. CPU of all processes of a server per
// delivery, one message to 1,000 members in two workers, beside socket.io with its cluster and redis adapters, and a
// nats-server with plain clients; what the exchange passes on; memory. Linux; npm installs socket.io into a temporary
// folder; what is not installed is left out. Less than two minutes with 3 rounds of 2 s.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./compare/median.js";
import { cpuSeconds, descendant, memoryBytes, userSeconds } from "./compare/process-usage.js";
import { type Contestant, type Server, start } from "./compare/servers.js";
import {
  Crowd,
  type Dialect,
  natsText,
  oneInEachWorker,
  packetOf,
  packets,
  said,
  webSocket,
} from "./groups/crowd.js";
import { messageCosts } from "./groups/messages.js";
import { rowBytes } from "./groups/rows.js";
import { drover, nats, socketIo } from "./groups/servers.js";

const ROOT = ["../..", ".."]
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(join(folder, "package.json"))) as string;
const MAIN = join(ROOT, "dist/main.js");
const MEMBERS = 1_000;
const PER_TURN = [1, 8, 64];
const PEERS = [
  "socket.io@4.8.4",
  "@socket.io/cluster-adapter@0.3.0",
  "@socket.io/redis-adapter@8.3.0",
  "redis@4.7.1",
];

interface Column {
  readonly name: string;
  readonly server: Server;
  readonly crowd: Crowd;
  /** By row: CPU and user time per delivery, in microseconds. */
  readonly cpu: number[][];
  readonly user: number[][];
}

const say = (text: string) => process.stderr.write(`bench-groups: ${text}\n`);

/** @returns the folder, or `undefined` without a registry */
function installPeers(folder: string): boolean {
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  try {
    execFileSync("npm", ["install", "--prefix", folder, ...quiet, ...PEERS], {
      stdio: "ignore",
      timeout: 120_000,
    });
    return true;
  } catch {
    say("npm cannot install socket.io: it is left out");
    return false;
  }
}

async function column(name: string, server: Server, dialect: Dialect, room: string): Promise<Column> {
  const crowd = new Crowd(dialect, room);
  await crowd.open(server.port, MEMBERS);
  say(`${name}: ${MEMBERS} members`);
  return { name, server, crowd, cpu: PER_TURN.map(() => []), user: PER_TURN.map(() => []) };
}

async function fanOut(columns: readonly Column[], rounds: number, ms: number): Promise<void> {
  for (const [row, count] of PER_TURN.entries())
    for (let round = 0; round < rounds; round++)
      for (const { crowd, server, cpu, user } of columns) {
        if (round === 0) await crowd.publish(count, ms / 3);
        const before = [cpuSeconds(server.osPid), userSeconds(server.osPid)] as const;
        const deliveries = await crowd.publish(count, ms);
        cpu[row]?.push(((cpuSeconds(server.osPid) - before[0]) / deliveries) * 1e6);
        user[row]?.push(((userSeconds(server.osPid) - before[1]) / deliveries) * 1e6);
      }
}

/** Pairs of connections, one in each of two workers, that publish at the same time. */
const PAIRS = 8;
/** Milliseconds. */
const WARM_UP = 8_000;

/** CPU microseconds of the exchange per publish, eight in a turn, with a member in each of two workers. */
async function perPublish(server: Server, rounds: number, ms: number): Promise<number> {
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

function residentBytes(osPid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${osPid}/status`, "utf8"))?.[1]) * 1024;
}

function table(columns: readonly Column[]): string {
  const lines = [
    ["CPU µs per delivery (user)", ...columns.map(({ name }) => name)],
    ["---", ...columns.map(() => "--:")],
    ...PER_TURN.map((count, row) => [
      count === 1 ? "alone" : `${count} a turn`,
      ...columns.map(
        ({ cpu, user }) => `${median(cpu[row] ?? []).toFixed(2)} (${median(user[row] ?? []).toFixed(2)})`,
      ),
    ]),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

async function main(rounds: number, seconds: number): Promise<void> {
  const peers = mkdtempSync(join(tmpdir(), "bench-groups-"));
  const servers: Server[] = [];
  const columns: Column[] = [];
  const ms = seconds * 1_000;
  const serve = async (contestant: Contestant | undefined) => {
    if (!contestant) return undefined;
    const server = await start(contestant);
    servers.push(server);
    return server;
  };
  try {
    const installed = installPeers(peers);
    const ours = (await serve(drover(MAIN))) as Server;
    const exchange = descendant(ours.osPid, "exchange") as number;
    const atRest = [residentBytes(exchange), memoryBytes(exchange)].map((bytes) => (bytes / 1e6).toFixed(0));
    columns.push(await column("drover, forward", ours, packets("forwards"), "forward"));
    columns.push(await column("drover, message handler", ours, packets("handles"), "handler"));
    for (const adapter of installed ? (["cluster", "redis"] as const) : []) {
      const server = await serve(socketIo(peers, adapter));
      if (server) columns.push(await column(`socket.io, ${adapter}`, server, webSocket, "room"));
    }
    const server = await serve(nats());
    if (server) columns.push(await column("nats-server", server, natsText, "room"));
    await fanOut(columns, rounds, ms);
    const publish = await perPublish(ours, rounds, ms);
    console.log(table(columns));
    console.log(`\n| | |\n|---|--:|`);
    console.log(`| exchange, CPU µs per publish, 8 a turn | ${publish.toFixed(2)} |`);
    console.log(`| publishes/s through one core | ${Math.round(1e6 / publish).toLocaleString("en")} |`);
    console.log(`| exchange at rest, MB resident (without what it shares) | ${atRest[0]} (${atRest[1]}) |`);
    for (const { name, alone, batched } of await messageCosts(MAIN, rounds, ms))
      console.log(
        `| message ${name}, CPU µs: alone / 8 a turn | ${alone.toFixed(1)} / ${batched.toFixed(1)} |`,
      );
    for (const { name, bytes } of await rowBytes())
      console.log(`| bytes of a ${name} | ${bytes.toFixed(0)} |`);
  } finally {
    for (const { crowd } of columns) crowd.close();
    await Promise.all(servers.map((one) => one.stop()));
    rmSync(peers, { recursive: true, force: true });
  }
}

const [rounds = "3", seconds = "2"] = process.argv.slice(2);
await main(Number(rounds), Number(seconds));
