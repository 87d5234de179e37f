// What a PROXY header costs: connect, one echo, close, without a header and with version 1 and 2; two drover servers on
// transport handle, alternately, round after round. node scripts/run.mjs bench-proxy [ROUNDS] [SECONDS]. The bar is 1.15.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GENERATOR } from "../load/both-sides/messages.js";
import { GeneratorPool } from "../load/coordinator/generator-pool.js";
import { runGeneratorProcess } from "../load/generator/process.js";
import { compare, type Load } from "./compare/measure.js";
import { median } from "./compare/median.js";
import { type Contestant, type Server, start, WORKERS } from "./compare/servers.js";

const ENTRY = fileURLToPath(import.meta.url);
/** Root of the repository. This file runs from dist/scripts, where it is bundled. */
const ROOT = ["../..", ".."]
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(join(folder, "package.json"))) as string;
const GENERATORS = 2;

const drover = (name: string, ...flags: string[]): Contestant => ({
  ...{ name, about: "transport handle" },
  command: (port) => [
    ...[process.execPath, join(ROOT, "dist/main.js"), "start", "--transport", "handle", ...flags],
    ...["--host", "127.0.0.1", "--port", `${port}`, "--workers", `${WORKERS}`],
    ...["--admin-port", "0", "--log-level", "fatal"],
  ],
});

const connect = { mode: "connect", connections: 50, reset: true } as const;
const about = "connect, one echo, close; 50 at once";
/** Each load is for one of the two servers. */
const ROWS: readonly (readonly [server: number, load: Load])[] = [
  [0, { name: "no header", about, options: connect }],
  [1, { name: "PROXY v1", about, options: { ...connect, proxy: 1 } }],
  [1, { name: "PROXY v2", about, options: { ...connect, proxy: 2 } }],
];

async function main([rounds = "5", seconds = "2"]: string[]): Promise<number> {
  const servers: Server[] = [];
  const generators = new GeneratorPool(ENTRY, GENERATORS);
  const samples = new Map<string, number[]>();
  let errors = 0;
  try {
    servers.push(await start(drover("plain")));
    servers.push(await start(drover("proxied", "--proxy-from", "127.0.0.1")));
    // The first round warms up.
    for (let round = 0; round <= Number(rounds); round++)
      for (const [at, load] of ROWS) {
        const settings = { rounds: 1, durationMs: Number(seconds) * 1_000, warmUp: false };
        const [row] = await compare([servers[at] as Server], [load], generators, settings, () => {});
        if (round === 0) continue;
        errors += row?.errors ?? 0;
        samples.set(load.name, [...(samples.get(load.name) ?? []), row?.cpuUs.median ?? 0]);
      }
  } finally {
    await Promise.all([generators.end(), ...servers.map((server) => server.stop())]);
  }
  const medians = new Map([...samples].map(([name, all]) => [name, median(all)]));
  const plain = medians.get("no header") as number;
  console.log("| connect, one echo, close | CPU µs per connection | beside none |\n|---|---|---|");
  for (const [name, cpu] of medians)
    console.log(`| ${name} | ${cpu.toFixed(1)} | ${(cpu / plain).toFixed(2)} |`);
  return errors === 0 ? 0 : 1;
}

const [what] = process.argv.slice(2);
if (what === GENERATOR && process.send) runGeneratorProcess();
else process.exitCode = await main(process.argv.slice(2));
