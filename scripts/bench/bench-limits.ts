// What limits cost, and what they protect. Cost: CPU per message and per connection with each limit off and on, ratios
// of interleaved medians. Protection: p99 of an honest client while one other address attacks, beside that of quiet.
// node scripts/run.mjs bench-limits [ROUNDS] [SECONDS] [costs|attacks]. The bars: cost off none, p99 within 1.5 of quiet.
import { fork } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { median } from "./compare/median.js";
import { type Attack, attack } from "./limits/attacker.js";
import { honest } from "./limits/honest.js";
import { connectCost, echoCost } from "./limits/loads.js";
import { LimitServer, type ListenerName } from "./limits/server.js";

const ATTACKER = "attacker";

interface Case {
  readonly name: string;
  readonly listener: ListenerName;
  /** Limits of the listener `plain`, set while it runs. */
  readonly limits?: Readonly<Record<string, unknown>>;
}

/** No client exceeds these: what is measured is the check. */
const COSTS: readonly Case[] = [
  { name: "no limit", listener: "plain" },
  { name: "max-connections", listener: "plain", limits: { "max-connections": 5_000 } },
  { name: "accept-rate", listener: "plain", limits: { "accept-rate": "100000:100000" } },
  { name: "max-per-address", listener: "plain", limits: { "max-per-address": 5_000 } },
  { name: "address-rate", listener: "plain", limits: { "address-rate": "100000:100000" } },
  { name: "allow, deny", listener: "plain", limits: { allow: "127.0.0.0/8", deny: "192.0.2.0/24" } },
  { name: "lifetime", listener: "lifetime" },
  { name: "firstFrame", listener: "first_frame" },
  { name: "framesPerSecond", listener: "frames_per_second" },
  { name: "bytesPerSecond", listener: "bytes_per_second" },
];

const ATTACKED: readonly (Case & { readonly attack: Attack })[] = [
  { name: "none", listener: "plain", attack: "connects" },
  {
    name: "address-rate 100:200",
    listener: "plain",
    limits: { "address-rate": "100:200" },
    attack: "connects",
  },
  {
    ...{ name: "address-rate 100:200, address-ban 1m", listener: "plain", attack: "connects" },
    limits: { "address-rate": "100:200", "address-ban": "1m" },
  },
  { name: "deny", listener: "plain", limits: { deny: "127.0.0.2" }, attack: "connects" },
  { name: "none", listener: "plain", attack: "frames" },
  { name: "max-per-address 8", listener: "plain", limits: { "max-per-address": 8 }, attack: "frames" },
  { name: "framesPerSecond 500", listener: "frames_bound", attack: "frames" },
  { name: "bytesPerSecond 100,000", listener: "bytes_bound", attack: "frames" },
  { name: "none", listener: "plain", attack: "half frames" },
  { name: "workerInbound 4 MiB", listener: "inbound_bound", attack: "half frames" },
  { name: "max-per-address 8", listener: "plain", limits: { "max-per-address": 8 }, attack: "half frames" },
  { name: "bytesPerSecond 100,000", listener: "bytes_bound", attack: "half frames" },
  { name: "none", listener: "plain", attack: "slow reader" },
  { name: "maxOutbound 256 KiB", listener: "outbound_bound", attack: "slow reader" },
  { name: "max-connections 200", listener: "plain", limits: { "max-connections": 200 }, attack: "idle" },
  {
    ...{ name: "max-connections 200, max-per-address 100", listener: "plain", attack: "idle" },
    limits: { "max-connections": 200, "max-per-address": 100 },
  },
  { name: "firstFrame 1s", listener: "first_frame_bound", attack: "idle" },
];

/** Off and on in turn, so that what else the machine does falls on both. */
async function costs(server: LimitServer, rounds: number, ms: number): Promise<void> {
  const [off, ...limited] = COSTS as readonly [Case, ...Case[]];
  console.log(
    "| limit | CPU µs per message: off | on | ratio | CPU µs per connection: off | on | ratio |\n|---|--:|--:|--:|--:|--:|--:|",
  );
  for (const on of limited) {
    const samples: number[][] = [[], [], [], []];
    // The first round warms up.
    for (let round = 0; round <= rounds; round++)
      for (const [at, one] of [off, on].entries()) {
        await apply(server, one);
        const port = server.ports[one.listener];
        const echo = await echoCost(port, () => server.cpuUs, ms);
        const connect = await connectCost(port, () => server.cpuUs, ms);
        if (round === 0) continue;
        samples[at]?.push(echo);
        samples[at + 2]?.push(connect);
      }
    const [echoOff = 0, echoOn = 0, connectOff = 0, connectOn = 0] = samples.map(median);
    const echo = [echoOff.toFixed(2), echoOn.toFixed(2), (echoOn / echoOff).toFixed(2)];
    const connect = [connectOff.toFixed(0), connectOn.toFixed(0), (connectOn / connectOff).toFixed(2)];
    console.log(`| ${[on.name, ...echo, ...connect].join(" | ")} |`);
  }
  await server.reset();
}

async function attacks(server: LimitServer, rounds: number, ms: number): Promise<boolean> {
  console.log(
    "| attack | limit | p99 echo, ms: quiet | attacked | ratio | p99 connect, ms: quiet | attacked | ratio | failed | counted |\n" +
      "|---|---|--:|--:|--:|--:|--:|--:|--:|---|",
  );
  let within = true;
  for (const one of ATTACKED) {
    const port = server.ports[one.listener];
    const rows: number[][] = [[], [], [], []];
    let failed = 0;
    const before = await server.refused();
    for (let round = 0; round < rounds; round++) {
      await apply(server, one);
      const quiet = await honest(port, ms);
      const attacker = fork(fileURLToPath(import.meta.url), [ATTACKER, one.attack, `${port}`]);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const attacked = await honest(port, ms);
      attacker.kill("SIGKILL");
      await once(attacker, "close");
      await server.reset();
      failed += attacked.failed;
      for (const [at, all] of [quiet.echoes, attacked.echoes, quiet.connects, attacked.connects].entries())
        rows[at]?.push(p99(all));
    }
    const [quietEcho = 0, echo = 0, quietConnect = 0, connect = 0] = rows.map(median);
    const after = await server.refused();
    const counted = Object.keys(after)
      .map((reason) => [reason, (after[reason] ?? 0) - (before[reason] ?? 0)] as const)
      .filter(([reason, count]) => count > 0 && !["normal", "reset"].includes(reason))
      .map((pair) => pair.join(" "));
    if (one.name !== "none") within &&= echo / quietEcho <= 1.5;
    const cells = [
      ...[one.attack, one.name, quietEcho.toFixed(2), echo.toFixed(2), (echo / quietEcho).toFixed(2)],
      ...[quietConnect.toFixed(2), connect.toFixed(2), (connect / quietConnect).toFixed(2), failed],
      counted.join(", "),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  return within;
}

async function apply(server: LimitServer, { limits = {} }: Case): Promise<void> {
  await server.reset();
  for (const [limit, value] of Object.entries(limits)) await server.limit(limit, value);
}

/** Where there is none the honest client was not served at all. */
function p99(all: readonly number[]): number {
  const sorted = [...all].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.POSITIVE_INFINITY;
}

async function main([rounds = "5", seconds = "1", which = "both"]: string[]): Promise<number> {
  const server = await LimitServer.start();
  const load = () => loadavg()[0]?.toFixed(1);
  console.log(`load average ${load()}\n`);
  try {
    const ms = Number(seconds) * 1_000;
    if (which !== "attacks") await costs(server, Number(rounds), ms);
    console.log("");
    const within = which === "costs" || (await attacks(server, Number(rounds), ms));
    console.log(`\nload average ${load()}`);
    return within ? 0 : 1;
  } finally {
    await server.stop();
  }
}

const [what, kind, port] = process.argv.slice(2);
if (what === ATTACKER) attack(kind as Attack, Number(port));
else process.exitCode = await main(process.argv.slice(2));
