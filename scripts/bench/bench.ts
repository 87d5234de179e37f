// npm run bench: compares drover on both transports with bare node:net and the tutorial's server in Erlang, in one run.
// Writes scripts/bench/results.json, the chart results.svg and the table in scripts/HOW-FAST.md.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { GENERATOR } from "../load/both-sides/messages.js";
import { GeneratorPool } from "../load/coordinator/generator-pool.js";
import { thisMachine } from "../load/coordinator/machine.js";
import { runGeneratorProcess } from "../load/generator/process.js";
import { BARE_NET, serveBareNet } from "./compare/bare-net.js";
import { bytesPerConnection, compare, LOADS } from "./compare/measure.js";
import { drawing, markdown, type Outcome } from "./compare/report.js";
import { contestants, isInstalled, type Server, start, WORKERS } from "./compare/servers.js";

const ENTRY = fileURLToPath(import.meta.url);
const GENERATORS = 2;
const PAGE = "scripts/HOW-FAST.md";
const HELP = `npm run bench -- [options]

Compares drover on both transports with bare node:net and the tutorial's server in Erlang, in one run of some four
minutes. Writes scripts/bench/results.json, the chart results.svg and the table in ${PAGE}.

  --rounds N     rounds of each load on each server (default 5)
  --seconds N    duration of each round in seconds (default 2)
  --idle N       idle connections for the memory measurement, at least 2000 (default 10000)
  --dry          print the table, write no files
  --help         print this
`;
const [BEGIN, END] = ["<!-- bench -->", "<!-- /bench -->"];

interface Options {
  rounds: number;
  seconds: number;
  idle: number;
  dry: boolean;
}

function optionsFrom(args: string[]): Options | undefined {
  const number = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      args,
      options: { rounds: number, seconds: number, idle: number, dry: { type: "boolean" } },
    });
    const whole = (name: "rounds" | "seconds" | "idle", or: number) => {
      const value = Number(values[name] ?? or);
      const least = name === "idle" ? 2_000 : 1;
      if (Number.isInteger(value) && value >= least) return value;
      throw new Error(
        `--${name} ${values[name]} is not a whole number of at least ${least}: type --${name} ${or}`,
      );
    };
    return {
      rounds: whole("rounds", 5),
      seconds: whole("seconds", 2),
      idle: whole("idle", 10_000),
      dry: values.dry ?? false,
    };
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}: npm run bench -- --help lists all options\n`);
    return undefined;
  }
}

async function main(args: string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  const options = optionsFrom(args);
  if (!options) return 64;
  if (process.platform !== "linux") {
    process.stderr.write("bench: needs Linux: CPU time and memory of the servers are read from /proc\n");
    return 69;
  }
  const outcome = await measure(options, args);
  const table = markdown(outcome);
  process.stdout.write(`${table}\n`);
  if (!options.dry) write(outcome, table);
  return outcome.rows.every(({ errors }) => errors === 0) ? 0 : 1;
}

async function measure({ rounds, seconds, idle }: Options, args: string[]): Promise<Outcome> {
  const log = (what: string) => void process.stderr.write(`bench: ${what}\n`);
  const servers: Server[] = [];
  const generators = new GeneratorPool(ENTRY, GENERATORS);
  try {
    for (const contestant of contestants(ROOT, ENTRY)) {
      if (isInstalled(contestant)) servers.push(await start(contestant));
      else log(`skipped ${contestant.name}: ${contestant.needs} is not installed`);
    }
    // First, while the servers are fresh: memory left over from a load would hide the cost of a connection.
    const bytes: Record<string, number> = {};
    for (const server of servers) {
      log(`${idle} idle connections, ${server.contestant.name}`);
      bytes[server.contestant.name] = await bytesPerConnection(server, idle, generators);
    }
    const rows = await compare(servers, LOADS, generators, { rounds, durationMs: seconds * 1_000 }, log);
    return {
      ...{ date: new Date().toISOString(), machine: thisMachine(), rounds, seconds, rows },
      command: `npm run bench${args.length > 0 ? ` -- ${args.join(" ")}` : ""}`,
      version: JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version,
      erlang: servers.some(({ contestant }) => contestant.needs) ? erlangVersion() : undefined,
      servers: servers.map(({ contestant: { name, about } }) => ({
        name,
        about: `${about}; ${WORKERS} workers`,
      })),
      idle: { connections: idle, bytes },
    };
  } finally {
    await Promise.all([generators.end(), ...servers.map((server) => server.stop())]);
  }
}

function erlangVersion(): string {
  const ask = 'io:format("~s", [erlang:system_info(otp_release)]), halt().';
  return execFileSync("erl", ["-noshell", "-eval", ask], { encoding: "utf8" });
}

function write(outcome: Outcome, table: string): void {
  writeFileSync(join(ROOT, "scripts/bench/results.json"), `${JSON.stringify(outcome, null, 2)}\n`);
  writeFileSync(join(ROOT, "scripts/bench/results.svg"), drawing(outcome));
  const page = readFileSync(join(ROOT, PAGE), "utf8");
  const [before = "", rest = ""] = page.split(BEGIN);
  const after = rest.split(END)[1] ?? "";
  writeFileSync(join(ROOT, PAGE), `${before}${BEGIN}\n${table}\n${END}${after}`);
}

/** Root of the repository. This file runs from dist/scripts, where it is bundled. */
const ROOT = (() => {
  for (const up of ["../..", ".."]) {
    const folder = fileURLToPath(new URL(up, import.meta.url));
    if (existsSync(join(folder, "package.json"))) return folder;
  }
  throw new Error("bench: no package.json above this file: run it with npm run bench in a clone");
})();

const [what, port] = process.argv.slice(2);
if (what === GENERATOR && process.send) runGeneratorProcess();
else if (what === BARE_NET) serveBareNet(Number(port), WORKERS);
else process.exitCode = await main(process.argv.slice(2));
