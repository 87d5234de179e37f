/** A worker whose memory stays above `--max-memory` although it closes connections: drained and replaced. */
import { afterAll, expect, test } from "vitest";
import { http, metric, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isAlive } from "../../support/os-processes.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/**
 * Answers the OS pid of its worker. `leak`: a thread takes 200 MiB, which are no memory of the connections. At shutdown
 * it says goodbye and stays until `bye`.
 */
const LEAKING = `
import { Worker } from "node:worker_threads";
import { defineProtocol, next, packet, stop } from "drover";
const LEAK = \`
  const kept = [];
  for (let mib = 0; mib < 200; mib++) kept.push(Buffer.alloc(1 << 20, 1));
  require("node:worker_threads").parentPort.postMessage("done");
  setInterval(() => kept.length, 1e6);
\`;
const frame = async (conn, frame) => {
  if (String(frame) === "leak")
    await new Promise((resolve) => new Worker(LEAK, { eval: true }).once("message", resolve));
  if (String(frame) === "bye") return stop("bye");
  conn.send(String(process.pid));
};
export default defineProtocol({
  name: "leaking",
  framing: packet(2),
  states: { ready: { frame } },
});
`;

/** A minute of the primary is two seconds: a worker is replaced after a minute. */
const QUICK_CLOCK = `
import cluster from "node:cluster";
import { performance } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";
if (cluster.isPrimary && isMainThread) {
  const now = performance.now.bind(performance);
  const start = now();
  Object.defineProperty(performance, "now", { value: () => start + 30 * (now() - start) });
}
`;

test("a worker whose resident size stays above --max-memory is replaced as soon as its clients have left, and the other serves on", async () => {
  const { program, port, adminPort } = await serveProgram(
    ["./leaking.ts", "--workers=2", "--max-memory=200M", "--watchdog=0", "--max-lag=0"],
    {
      files: { "leaking.ts": LEAKING, "quick-clock.mjs": QUICK_CLOCK },
      env: { NODE_OPTIONS: "--import=./quick-clock.mjs" },
    },
  );
  // One client of each worker, by its OS pid.
  const clients = new Map<string, FrameClient>();
  const extra: FrameClient[] = [];
  await eventually(async () => {
    const client = await FrameClient.connect(port);
    const osPid = await client.ask("who");
    if (clients.has(osPid)) extra.push(client);
    else clients.set(osPid, client);
    return clients.size === 2;
  });
  for (const client of extra) client.end();
  const [[leaking, victim], [other, honest]] = [...clients] as [[string, FrameClient], [string, FrameClient]];

  expect(await victim.ask("leak")).toBe(leaking);
  const line = await program.line(({ recycled }) => recycled !== undefined);
  expect(line.msg).toMatch(
    /^Replacing worker [12]: its memory has been too near to or above --max-memory \(200 MiB\) for \d+ s; it drains first$/,
  );
  // It accepts no more, and its own client is served until it leaves.
  await eventually(async () => /suspended/.test((await http(adminPort, "/tree")).body));
  const late = await FrameClient.connect(port);
  expect(await late.ask("who")).toBe(other);
  expect(await victim.ask("who")).toBe(leaking);
  victim.send("bye");
  expect(await victim.closed).toBe("end");

  const recycled = () => metric(adminPort, "drover_worker_recycles_total");
  await eventually(async () => (await recycled()) === 1);
  const workers = program.workers();
  expect(workers).toHaveLength(2);
  expect([workers.includes(Number(other)), isAlive(Number(leaking))]).toEqual([true, false]);
  // It is no death: nothing is reported, and the restart budget is whole.
  expect(program.lines.filter(({ report }) => report !== undefined)).toEqual([]);
  const { body } = await http(adminPort, "/metrics");
  expect(series(body, "drover_supervisor_restarts_total")).toBe(0);
  expect(await honest.ask("who")).toBe(other);
  for (const client of [honest, late]) client.end();
}, 120_000);
