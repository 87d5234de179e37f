// CPU per command of the example `resp` beside a real redis-server, both loaded by redis-benchmark, in turn, round after
// round. node scripts/run.mjs bench-resp [ROUNDS] [COMMANDS]. Needs redis-server and redis-benchmark.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./compare/median.js";

const ROOT = ["../..", ".."]
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(join(folder, "package.json"))) as string;
const TICK_US = 10_000;
const TESTS = ["ping_mbulk", "set", "get", "incr", "rpush", "lpop", "hset", "lrange_100", "mset"];
const PORTS = { drover: 26_379, redis: 26_380 };

/** User and system time of an OS process in microseconds, with all of its threads. */
function cpuOf(osPid: number): number {
  const fields = (readFileSync(`/proc/${osPid}/stat`, "utf8").split(") ")[1] ?? "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** @returns CPU microseconds of the server per command */
function measure(osPid: number, port: number, test: string, inFlight: number, commands: number): number {
  const before = cpuOf(osPid);
  const args = ["-p", String(port), "-c", "50", "-n", String(commands), "-P", String(inFlight)];
  execFileSync("redis-benchmark", [...args, "-r", "100000", "-t", test, "-q"]);
  return (cpuOf(osPid) - before) / commands;
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the server on port ${port} has ended`);
    const socket = connect(port, "127.0.0.1");
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const [rounds = "3", commands = "200000"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "bench-resp-"));
const options = { cwd: folder, stdio: "ignore" } as const;
const drover = spawn(
  process.execPath,
  [
    ...[join(ROOT, "dist/main.js"), "start", "resp", "--host=127.0.0.1", `--port=${PORTS.drover}`],
    ...["--admin-port=0", "--name=bench-resp", "--log-level=warn"],
  ],
  options,
);
const redis = spawn(
  "redis-server",
  ["--port", String(PORTS.redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
  options,
);
try {
  await Promise.all([listening(drover, PORTS.drover), listening(redis, PORTS.redis)]);
  const [worker] = readFileSync(`/proc/${drover.pid}/task/${drover.pid}/children`, "utf8").split(" ");
  const osPids = { drover: Number(worker), redis: redis.pid as number };
  console.log("| CPU µs per command | drover | Redis | ratio |\n|---|--:|--:|--:|");
  for (const inFlight of [1, 16]) {
    for (const test of TESTS) {
      const costs = { drover: [] as number[], redis: [] as number[] };
      const count = Math.ceil(Number(commands) / (test === "lrange_100" || test === "mset" ? 10 : 1));
      for (let round = 0; round < Number(rounds); round++) {
        for (const name of ["drover", "redis"] as const)
          costs[name].push(measure(osPids[name], PORTS[name], test, inFlight, count));
      }
      const [ours, theirs] = [median(costs.drover), median(costs.redis)];
      const numbers = [ours, theirs, ours / theirs].map((value) => value.toFixed(2)).join(" | ");
      console.log(`| ${test.toUpperCase()}, ${inFlight} in flight | ${numbers} |`);
    }
  }
} finally {
  for (const server of [drover, redis]) server.kill("SIGTERM");
  await Promise.all([once(drover, "close"), once(redis, "close")]);
  rmSync(folder, { recursive: true, force: true });
}
