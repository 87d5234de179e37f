// What limits cost, and what they protect. Cost: CPU per message and per connection with each limit off and on, ratios
// of interleaved medians. Protection: p99 of an honest client while one other address attacks, beside that of quiet: with
// a stated strength (`STRENGTHS`), and as fast as the attacker can. Server, and client and attacker, have a core each.
// node scripts/run.mjs bench-limits [ROUNDS] [SECONDS] [costs|attacks|both] [ROWS]; ROWS is a part of "attack: limit".
// The bars: cost off none, p99 at the stated strength within 1.5 of quiet.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { median } from "./compare/median.js";
import { type Attack, attack, type Done, STRENGTHS } from "./limits/attacker.js";
import { honest } from "./limits/honest.js";
import { connectCost, echoCost } from "./limits/loads.js";
import { canPlace, placeAttacker, placeClient, placeServer } from "./limits/placement.js";
import { LimitServer, type ListenerName } from "./limits/server.js";

const ATTACKER = "attacker";
/** The bar: p99 of the honest client under an attack of stated strength, beside that of quiet. */
const WITHIN = 1.5;

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

interface Attacked extends Case {
  readonly attack: Attack;
}

const ATTACKED: readonly Attacked[] = [
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

interface Samples {
  readonly echoes: number[];
  readonly connects: number[];
  failed: number;
  /** Attempts a second that the attacker made. */
  readonly attempts: number[];
}

/** Quiet, an attack of a stated strength, and one as fast as it can, in turn. */
async function attacks(server: LimitServer, rounds: number, ms: number, rows: string): Promise<boolean> {
  console.log(ATTACK_HEAD);
  let within = true;
  for (const one of ATTACKED.filter(({ attack, name }) => `${attack}: ${name}`.includes(rows))) {
    const { perSecond } = STRENGTHS[one.attack];
    const strengths = [0, perSecond, Number.POSITIVE_INFINITY];
    const samples = strengths.map((): Samples => ({ echoes: [], connects: [], failed: 0, attempts: [] }));
    const before = await server.refused();
    // The first round warms up.
    for (let round = 0; round <= rounds; round++)
      for (const [at, strength] of strengths.entries())
        await sample(server, one, { ms, strength, into: round > 0 ? samples[at] : undefined });
    const after = await server.refused();
    const counted = Object.keys(after)
      .map((reason) => [reason, (after[reason] ?? 0) - (before[reason] ?? 0)] as const)
      .filter(([reason, count]) => count > 0 && !["normal", "reset"].includes(reason))
      .map((pair) => pair.join(" "));
    const [quiet, stated] = samples as [Samples, Samples];
    if (one.name !== "none") within &&= median(stated.echoes) / median(quiet.echoes) <= WITHIN;
    console.log(
      `| ${[one.attack, one.name, ...cellsOf(samples, one.attack), counted.join(", ")].join(" | ")} |`,
    );
  }
  return within;
}

const ATTACK_HEAD =
  "| attack | limit | p99 echo, ms: quiet | stated strength | ratio | as it can | ratio " +
  "| p99 connect, ms: quiet | stated | as it can | failed | attempts a second: stated | as it can | counted |\n" +
  "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|";

function cellsOf([quiet, stated, full]: readonly Samples[], attack: Attack): string[] {
  if (!quiet || !stated || !full) return [];
  const echo = (samples: Samples) => median(samples.echoes);
  const ratio = (samples: Samples) => (echo(samples) / echo(quiet)).toFixed(2);
  const connects = [quiet, stated, full].map((samples) => median(samples.connects).toFixed(2));
  const attempts = [stated, full].map((samples) => `${Math.round(median(samples.attempts))}`);
  attempts[0] += ` ${STRENGTHS[attack].unit}`;
  return [
    ...[echo(quiet).toFixed(2), echo(stated).toFixed(2), ratio(stated), echo(full).toFixed(2), ratio(full)],
    ...[...connects, `${stated.failed}, ${full.failed}`, ...attempts],
  ];
}

interface Sampling {
  readonly ms: number;
  /** Attempts a second; 0: no attacker. */
  readonly strength: number;
  /** `undefined`: the sample is thrown away. */
  readonly into: Samples | undefined;
}

async function sample(server: LimitServer, one: Attacked, { ms, strength, into }: Sampling): Promise<void> {
  await apply(server, one);
  const port = server.ports[one.listener];
  const attacker = strength > 0 ? await Attacker.start(one.attack, port, strength) : undefined;
  const [made, began] = [attacker?.done ?? 0, performance.now()];
  const { echoes, connects, failed } = await honest(port, ms);
  const attempts = ((attacker?.done ?? 0) - made) / ((performance.now() - began) / 1_000);
  await attacker?.stop();
  await server.reset();
  if (into === undefined) return;
  into.echoes.push(p99(echoes));
  into.connects.push(p99(connects));
  into.attempts.push(attempts);
  into.failed += failed;
}

class Attacker {
  done = 0;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message) => {
      ({ done: this.done } = message as Done);
    });
  }

  static async start(kind: Attack, port: number, perSecond: number): Promise<Attacker> {
    const child = fork(fileURLToPath(import.meta.url), [ATTACKER, kind, `${port}`, `${perSecond}`]);
    const attacker = new Attacker(child);
    await once(child, "message");
    if (canPlace()) placeAttacker(child.pid as number);
    await new Promise((resolve) => setTimeout(resolve, 500));
    return attacker;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await once(this.#child, "close");
  }
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

async function main([rounds = "5", seconds = "1", which = "both", rows = ""]: string[]): Promise<number> {
  const server = await LimitServer.start();
  const load = () => loadavg()[0]?.toFixed(1);
  console.log(`load average ${load()}\n`);
  try {
    const ms = Number(seconds) * 1_000;
    if (which !== "attacks") await costs(server, Number(rounds), ms);
    console.log("");
    if (which !== "costs" && canPlace()) {
      placeServer(server.osPids);
      placeClient();
    }
    const within = which === "costs" || (await attacks(server, Number(rounds), ms, rows));
    console.log(`\nload average ${load()}`);
    return within ? 0 : 1;
  } finally {
    await server.stop();
  }
}

const [what, kind, port, perSecond] = process.argv.slice(2);
if (what === ATTACKER) attack(kind as Attack, Number(port), Number(perSecond));
else process.exitCode = await main(process.argv.slice(2));
