// Measures TLS: node scripts/run.mjs bench-tls [ROUNDS] [SECONDS]. CPU time of one server process per echo and per
// handshake, and memory per idle connection: drover on both transports beside node's tls, and nginx, HAProxy (both in
// front of a plain drover), Erlang's ssl and Go where they are installed, and Bun if BUN names its binary. Linux; less
// than five minutes with 2 rounds of 2 s.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { median } from "./compare/median.js";
import { cpuSeconds, memoryBytes } from "./compare/process-usage.js";
import { type Answer, type Load, runClient } from "./tls/client.js";
import { contestants, type Server, serveHere } from "./tls/servers.js";

const ENTRY = fileURLToPath(import.meta.url);
const IDLE = 1_000;
/** Milliseconds before the first round: a handshake is much code that runs once, so V8 takes 2,000 of them to compile it. */
const WARM_UP = { echo: 700, handshake: 4_000 };
const LOADS: readonly {
  readonly name: string;
  readonly load: Extract<Load, { kind: "echo" | "handshake" }>;
}[] = [
  {
    name: "pingpong, 64 bytes, 20 connections",
    load: { kind: "echo", size: 62, inFlight: 1, connections: 20 },
  },
  { name: "bulk, 4 KiB, 16 in flight", load: { kind: "echo", size: 4094, inFlight: 16, connections: 20 } },
  { name: "handshake, full", load: { kind: "handshake", resume: false, connections: 8 } },
  { name: "handshake, resumed", load: { kind: "handshake", resume: true, connections: 8 } },
];

async function ask(client: ChildProcess, port: number, load: Load, ms: number): Promise<Answer> {
  client.send({ port, load, ms });
  const [answer] = (await once(client, "message")) as [Answer];
  return answer;
}

async function main(rounds: number, seconds: number): Promise<void> {
  const client = fork(ENTRY, ["client"]);
  const servers: Server[] = [];
  const rows: string[][] = [];
  try {
    for (const start of contestants(ENTRY)) {
      const server = await start();
      if (server) servers.push(server);
    }
    rows.push(["bytes per idle connection", ...(await idle(servers, client))]);
    for (const { name, load } of LOADS) {
      const costs = servers.map((): number[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [at, { osPid, port }] of servers.entries()) {
          if (round === 0) await ask(client, port, load, WARM_UP[load.kind]);
          const before = cpuSeconds(osPid);
          const { done, errors } = await ask(client, port, load, seconds * 1_000);
          if (errors > 0) throw new Error(`${name}, ${servers[at]?.name}: ${errors} errors`);
          costs[at]?.push(((cpuSeconds(osPid) - before) / done) * 1e6);
        }
      }
      rows.push([`${name}: CPU us`, ...withRatios(costs.map(median))]);
      process.stderr.write(`bench-tls: ${rows.at(-1)?.join(" | ")}\n`);
    }
  } finally {
    client.kill();
    for (const server of servers) server.stop();
  }
  const head = ["", ...servers.map(({ name }) => name)];
  for (const row of [head, head.map((_, at) => (at === 0 ? "---" : "--:")), ...rows])
    process.stdout.write(`| ${row.join(" | ")} |\n`);
}

/** With the ratio to node's tls, which is the first. */
function withRatios(values: readonly number[]): string[] {
  return values.map((value) => `${value.toFixed(1)} (${(value / (values[0] as number)).toFixed(2)})`);
}

async function idle(servers: readonly Server[], client: ChildProcess): Promise<string[]> {
  const bytes: number[] = [];
  for (const { osPid, port } of servers) {
    const load: Load = { kind: "idle", connections: IDLE };
    // The first ones pay for what is made once.
    await ask(client, port, { kind: "idle", connections: 200 }, 0);
    const before = memoryBytes(osPid);
    await ask(client, port, load, 0);
    bytes.push((memoryBytes(osPid) - before) / IDLE);
    await ask(client, port, { kind: "close" }, 0);
  }
  return withRatios(bytes);
}

const [what, more] = process.argv.slice(2);
if (what === "client") runClient();
else if (what === "serve") await serveHere(more as string);
else await main(Number(what ?? 2), Number(more ?? 2));
