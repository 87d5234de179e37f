// Measures groups: node --expose-gc scripts/run.mjs bench-groups [ROUNDS] [SECONDS]. CPU of all processes of a server per
// delivery, one message to 1,000 members in two workers, beside socket.io with its cluster and redis adapters, and a
// nats-server with plain clients; what the exchange passes on; memory. Linux; npm installs socket.io into a temporary
// folder; what is not installed is left out. Less than two minutes with 3 rounds of 2 s. Alone, and not part of the rest:
// `bench-groups ROUNDS SECONDS machines`, messages between two servers beside plain clients of NATS; `… relay`, the least
// that the exchange could cost; `… slow`, p99 of 99 members alone and among slow ones; `1 1 reconnect`, 50,000 devices
// that leave one server for another (DEVICES=1000: fewer).
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./compare/median.js";
import { cpuSeconds, descendant, memoryBytes, userSeconds } from "./compare/process-usage.js";
import { type Contestant, type Server, start } from "./compare/servers.js";
import { Crowd, type Dialect, natsText, packets, webSocket } from "./groups/crowd.js";
import { runDevices } from "./groups/devices.js";
import { crossMachine } from "./groups/machines.js";
import { messageCosts } from "./groups/messages.js";
import { perPublish } from "./groups/publish.js";
import { DEVICES_ARGUMENT, reconnect } from "./groups/reconnect.js";
import { RELAY_ARGUMENT, relayCosts, runReceiver, runRelay } from "./groups/relay.js";
import { rowBytes } from "./groups/rows.js";
import { drover, nats, socketIo } from "./groups/servers.js";
import { slowMembers } from "./groups/slow-members.js";

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

const say = (text: string): void => void process.stderr.write(`bench-groups: ${text}\n`);

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

async function machines(rounds: number, seconds: number): Promise<void> {
  const cost = await crossMachine(MAIN, rounds, seconds * 1_000);
  if (!cost) return say("nats-server is not installed");
  const { exchanges, plain, servers, natsOfServers, natsOfPlain } = cost;
  const row = (what: string, us: number) =>
    console.log(`| ${what} | ${us.toFixed(2)} | ${(us / plain).toFixed(2)} |`);
  console.log("| message to another server, 64 a turn | CPU µs | beside plain clients |\n|---|--:|--:|");
  row("plain publisher and subscriber", plain);
  row("both exchanges", exchanges);
  row("both servers, their workers and exchanges", servers);
  console.log(
    `\nnats-server besides: ${natsOfPlain.toFixed(2)} of plain clients, ${natsOfServers.toFixed(2)} of servers`,
  );
}

async function bareRelays(rounds: number, seconds: number): Promise<void> {
  console.log(
    "| message, by relays that do nothing else | one batch at a time: CPU µs | four at a time |\n|---|--:|--:|",
  );
  const costs = await relayCosts(fileURLToPath(import.meta.url), rounds, seconds * 1_000);
  for (const { name, lanes, us } of costs)
    if (lanes === 1) {
      const four = costs.find((one) => one.name === name && one.lanes === 4)?.us ?? 0;
      console.log(`| ${name} | ${us.toFixed(2)} | ${four.toFixed(2)} |`);
    }
}

async function amongSlow(rounds: number, seconds: number): Promise<void> {
  const { alone, among } = await slowMembers(MAIN, rounds, seconds * 1_000);
  console.log(
    `p99 of 99 members: ${alone.toFixed(2)} ms, among one slow, one stopped and one resetting ${among.toFixed(2)} ms: ` +
      `${(among / alone).toFixed(2)}; bar 1.5`,
  );
}

async function devicesMove(): Promise<void> {
  const count = Number(process.env.DEVICES ?? 50_000);
  const moved = await reconnect(MAIN, fileURLToPath(import.meta.url), say, count);
  if (!moved) return say("nats-server is not installed");
  const { moves, lost, astray } = moved;
  console.log(
    `| ${count} devices move to another server | all claimed | older ones ended | CPU of both servers | of the devices | of the ` +
      "nats-server | holder before |\n|---|--:|--:|--:|--:|--:|---|",
  );
  for (const [at, { claimed, replaced, previous, ...cpu }] of moves.entries()) {
    const seconds = [claimed, replaced, cpu.servers, cpu.devices, cpu.nats].map(
      (one) => `${one.toFixed(1)} s`,
    );
    const before = Object.entries(previous).map(([word, times]) => `${word} ${times}`);
    console.log(`| ${["first", "back", "again"][at]} | ${[...seconds, before.join(", ")].join(" | ")} |`);
  }
  console.log(
    `newest claims that ended: ${lost}; seen elsewhere by either server, of 1,000: ${astray}; bar 10 s`,
  );
  if (lost + astray > 0) process.exitCode = 1;
}

const [rounds = "3", seconds = "2", part, ...more] = process.argv.slice(2);
if (rounds === DEVICES_ARGUMENT) await runDevices(Number(seconds), Number(part));
else if (rounds === RELAY_ARGUMENT && part !== undefined)
  await (seconds === "to" ? runReceiver(part) : runRelay(seconds, part));
else if (more.length > 0 || ![undefined, "machines", "relay", "slow", "reconnect"].includes(part)) {
  say(`the part is machines, relay, slow or reconnect, got ${[part, ...more].join(" ")}`);
  process.exitCode = 64;
} else {
  if ((loadavg()[0] as number) > 1) say(`load average ${loadavg()[0]?.toFixed(1)}: compare ratios only`);
  if (part === "machines") await machines(Number(rounds), Number(seconds));
  else if (part === "relay") await bareRelays(Number(rounds), Number(seconds));
  else if (part === "slow") await amongSlow(Number(rounds), Number(seconds));
  else if (part === "reconnect") await devicesMove();
  else await main(Number(rounds), Number(seconds));
}
