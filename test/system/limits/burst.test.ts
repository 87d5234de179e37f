/** Clients that all come back at once after an outage: admitted by `--accept-rate`, every one of them. */
import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, expect, test } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { isStopped } from "../../support/os-processes.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const CLIENTS = Number(process.env.CLIENTS ?? 5_000);
/** A second: all of them are there within a minute, however many. */
const RATE = Math.max(1_000, CLIENTS / 50);
/** Clients at the same time: as many as the backlog takes. */
const AT_ONCE = 4_000;
const PROCESSES = 2;

/** Each client connects from one of 8 addresses, for want of ports, has its frame echoed, and leaves. */
const CROWD = `
const { connect } = require("node:net");
const [port, size, atOnce] = process.argv.slice(1).map(Number);
let [begun, ended, connected] = [0, 0, 0];
const wrong = [];
const next = () => {
  if (begun === size) return;
  const n = begun++;
  const frame = Buffer.from("\\0\\5" + String(10_000 + (n % 50_000)));
  const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0." + (2 + (n % 8)) });
  let got = Buffer.alloc(0);
  socket.on("connect", () => {
    if (++connected === atOnce / 4) process.stdout.write("waiting\\n");
    socket.write(frame);
  });
  socket.on("data", (chunk) => {
    got = Buffer.concat([got, chunk]);
    if (got.length >= frame.length) socket.end();
  });
  socket.on("error", (error) => wrong.push(error.message));
  socket.on("close", () => {
    if (!got.equals(frame)) wrong.push("client " + n + " had " + got.length + " bytes");
    if (++ended === size) process.stdout.write(JSON.stringify(wrong.slice(0, 10)));
    next();
  });
};
for (let n = 0; n < atOnce; n++) next();
`;

const crowds: ChildProcess[] = [];
afterAll(async () => {
  for (const child of crowds) child.kill("SIGKILL");
  await endAll();
});

/** @returns when many of its clients are connected: what all of them say in the end */
function crowd(port: number): Promise<{ readonly end: Promise<string> }> {
  const args = [port, CLIENTS / PROCESSES, AT_ONCE / PROCESSES].map(String);
  const child = spawn(process.execPath, ["-e", CROWD, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  crowds.push(child);
  let said = "";
  const end = new Promise<string>((resolve) => child.once("close", () => resolve(said)));
  return new Promise((resolve) => {
    child.stdout?.on("data", (text) => {
      said += text;
      resolve({ end });
    });
  });
}

test("a burst after an outage is admitted at the accept rate: all are served, none is refused, and no worker dies", async () => {
  const args = ["--workers=2", "--backlog=4096", `--accept-rate=${RATE}:100`, "--watchdog=0"];
  const { program, port, adminPort } = await serveProgram(args);
  const all = [program.osPid, ...program.workers()];
  for (const osPid of all) process.kill(osPid, "SIGSTOP");
  await eventually(() => all.every(isStopped));
  const served = await Promise.all(Array.from({ length: PROCESSES }, () => crowd(port)));
  for (const osPid of all) process.kill(osPid, "SIGCONT");
  expect(await Promise.all(served.map(({ end }) => end))).toEqual(Array(PROCESSES).fill("waiting\n[]"));
  const metrics = await eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    return series(body, "drover_connections_closed_total") === CLIENTS && body;
  });
  expect(series(metrics, "drover_connections_accepted_total")).toBe(CLIENTS);
  expect(series(metrics, "drover_connections_refused_total")).toBe(0);
  expect(series(metrics, "drover_listener_rate_limited_seconds_total")).toBeGreaterThan(0);
  expect([program.osPid, ...program.workers()]).toEqual(all);
  expect(program.lines.filter(({ level }) => level === "error")).toEqual([]);
}, 180_000);
