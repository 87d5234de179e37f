/** Faults of the log on standard output: disk full, reader gone, reader asleep, flood. The program serves on. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { http, metric } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { TALKATIVE } from "../../support/logging.js";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const started: { child: ChildProcess; dir: string }[] = [];

afterEach(async () => {
  await endAll();
  for (const { child, dir } of started.splice(0)) {
    const closed = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGKILL")) await closed;
    rmSync(dir, { recursive: true, force: true });
  }
});

/** Starts the program with its standard output redirected by a shell, and waits until it serves. */
async function inShell(redirection: string, ...args: string[]) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const dir = mkdtempSync(join(tmpdir(), "drover-logs-"));
  writeFileSync(join(dir, "talkative.js"), TALKATIVE);
  const ports = ["--host=127.0.0.1", `--port=${port}`, `--admin-port=${adminPort}`, "--workers=1"];
  const node = process.env.NODE ?? process.execPath;
  const argv = ["-c", `exec "$@" ${redirection}`, "bash", node, MAIN, "start", ...ports, ...args];
  const child = spawn("bash", argv, {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, XDG_RUNTIME_DIR: dir },
    stdio: ["ignore", "ignore", "ignore"],
  });
  started.push({ child, dir });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await eventually(async () => (await http(adminPort, "/ready").catch(() => undefined))?.status === 200);
  return { child, exited, port, adminPort, dir };
}

/** Clients that connect, ask and leave, one after the other: several log lines each at level trace. */
async function visits(port: number, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const client = await FrameClient.connect(port);
    expect(await client.ask(`visit ${n}`)).toBe(`visit ${n}`);
    client.end();
  }
}

const lost = async (adminPort: number) => (await metric(adminPort, "drover_log_lines_dropped_total")) ?? 0;

test("a full disk costs log lines, which are counted, and nothing else", async () => {
  const { child, exited, port, adminPort } = await inShell(
    "> /dev/full",
    "./talkative.js",
    "--log-level=trace",
  );
  await visits(port, 40);
  // 1 MiB is buffered; further lines are dropped.
  await eventually(async () => (await lost(adminPort)) > 0);
  expect((await http(adminPort, "/ready")).status).toBe(200);
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});

test("a reader of its output that goes away costs log lines, and nothing else", async () => {
  const { child, exited, port, adminPort } = await inShell(
    "> >(exec head -n 1 > /dev/null)",
    "--log-level=trace",
  );
  await visits(port, 50);
  await eventually(async () => (await lost(adminPort)) > 0);
  await visits(port, 1);
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});

test("a reader of its output that sleeps holds up neither clients, nor scrapes, nor the end", async () => {
  const { child, exited, port, adminPort } = await inShell(
    "> >(exec sleep 120)",
    "./talkative.js",
    "--log-level=trace",
  );
  await visits(port, 40);
  await eventually(async () => (await lost(adminPort)) > 0);
  await visits(port, 1);
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});

test("a flood of crashes is ten lines a second and a sum, however many clients cause it", async () => {
  const code = `import { defineProtocol, packet } from "drover";
    export default defineProtocol({
      name: "brittle",
      framing: packet(2),
      states: { ready: { frame: (_, frame) => { throw new Error(frame.toString()); } } },
    });`;
  const { program, port, adminPort } = await serveProtocol("brittle.ts", code, ["--workers=1"]);
  const CRASHES = 300;
  // All are there before the first crash: a slow machine does not stretch the flood.
  const clients: FrameClient[] = [];
  while (clients.length < CRASHES)
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => FrameClient.connect(port)))));
  // Messages differ, and still count as one kind for the rate limit.
  for (const [at, client] of clients.entries()) client.send(`bad frame ${at} {"level":"info"}\n\u001b[2J`);
  await Promise.all(clients.map((client) => client.closed));
  await eventually(async () => (await metric(adminPort, "drover_crashes_total")) === CRASHES);
  const reports = () => program.lines.filter((line) => line.report !== undefined);
  /** Each crash is two reports, of the process and of its supervisor. */
  const told = () => reports().reduce((sum, line) => sum + (line.suppressed ?? 1), 0);
  await eventually(() => told() === 2 * CRASHES);
  expect(reports().length).toBeLessThan(CRASHES);
  expect(program.stdout).not.toContain("\u001b");
  const perSecond = new Map<string, number>();
  for (const line of reports()) {
    const second = `${line.report} ${Math.floor(Date.parse(line.time) / 1000)}`;
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  // A second of the clock may span two windows of the rate limit: ten lines and a sum in each.
  for (const [second, lines] of perSecond) expect(lines, second).toBeLessThanOrEqual(22);
});

test("a log that is rotated by copying and truncating goes on in the same file; SIGUSR2 changes nothing", async () => {
  const { child, exited, port, adminPort, dir } = await inShell(">> server.log", "--log-level=debug");
  const file = join(dir, "server.log");
  await visits(port, 3);
  const closed = () =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.includes("connection closed"));
  await eventually(() => closed().length === 3);
  truncateSync(file);
  child.kill("SIGUSR2");
  await visits(port, 2);
  await eventually(() => closed().length === 2);
  // The file has no leading zeros where the truncated lines were.
  for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) JSON.parse(line);
  expect(await lost(adminPort)).toBe(0);
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});
