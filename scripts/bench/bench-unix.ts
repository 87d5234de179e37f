// What a message costs over a UNIX socket and over TCP on the loopback: one drover server listens on both, and the load
// goes to one after the other, round after round. node scripts/run.mjs bench-unix [ROUNDS] [SECONDS]. CPU of the worker.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./compare/median.js";

const ROOT = ["../..", ".."]
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(join(folder, "package.json"))) as string;
const TICK_US = 10_000;

interface Load {
  readonly name: string;
  readonly bytes: number;
  readonly inFlight: number;
  readonly connections: number;
}

const LOADS: readonly Load[] = [
  { name: "64 B, 1 in flight, 40 connections", bytes: 64, inFlight: 1, connections: 40 },
  { name: "64 B, 16 in flight, 40 connections", bytes: 64, inFlight: 16, connections: 40 },
  { name: "4 KiB, 8 in flight, 10 connections", bytes: 4096, inFlight: 8, connections: 10 },
];

type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/** @returns CPU microseconds of the worker per message */
async function measure(worker: number, where: Address, load: Load, seconds: number): Promise<number> {
  const frame = Buffer.alloc(2 + load.bytes);
  frame.writeUInt16BE(load.bytes);
  const batch = Buffer.concat(Array.from({ length: load.inFlight }, () => frame));
  let messages = 0;
  const sockets: Socket[] = [];
  for (let n = 0; n < load.connections; n++) {
    const socket = connect({ ...where, noDelay: true });
    await once(socket, "connect");
    let received = 0;
    socket.on("data", (bytes) => {
      for (received += bytes.length; received >= batch.length; received -= batch.length) {
        messages += load.inFlight;
        socket.write(batch);
      }
    });
    socket.write(batch);
    sockets.push(socket);
  }
  await pause(0.5);
  const [before, cpu] = [messages, cpuOf(worker)];
  await pause(seconds);
  const cost = (cpuOf(worker) - cpu) / (messages - before);
  for (const socket of sockets) socket.destroy();
  return cost;
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

/** User and system time in microseconds. */
function cpuOf(osPid: number): number {
  const fields = (readFileSync(`/proc/${osPid}/stat`, "utf8").split(") ")[1] ?? "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

const [rounds = "5", seconds = "2"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "bench-unix-"));
const path = join(folder, "echo.sock");
const listeners = [
  { name: "tcp", protocol: "echo", host: "127.0.0.1", port: 0 },
  { name: "unix", protocol: "echo", path },
];
const config = join(folder, "bench.json");
writeFileSync(
  config,
  JSON.stringify({ name: "bench-unix", workers: 1, listeners, adminPort: 0, logFormat: "json" }),
);
const server = spawn(process.execPath, [join(ROOT, "dist/main.js"), "start", "--config", config], {
  cwd: folder,
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  let log = "";
  server.stdout.on("data", (text) => {
    log += text;
  });
  while (!/ serves /.test(log)) await once(server.stdout, "data");
  const port = Number(/"listener":"tcp"[^\n]*?"port":(\d+)/.exec(log)?.[1]);
  const worker = Number(
    readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, "utf8").split(" ")[0],
  );
  console.log("| echo | TCP, CPU µs per message | UNIX | ratio |\n|---|---|---|---|");
  for (const load of LOADS) {
    const [tcp, unix]: [number[], number[]] = [[], []];
    for (let round = 0; round < Number(rounds); round++) {
      tcp.push(await measure(worker, { host: "127.0.0.1", port }, load, Number(seconds)));
      unix.push(await measure(worker, { path }, load, Number(seconds)));
    }
    const [over, beside] = [median(unix), median(tcp)];
    console.log(
      `| ${load.name} | ${beside.toFixed(2)} | ${over.toFixed(2)} | ${(over / beside).toFixed(2)} |`,
    );
  }
} finally {
  server.kill("SIGTERM");
  await once(server, "close");
  rmSync(folder, { recursive: true, force: true });
}
