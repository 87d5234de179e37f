/** A machine that gives the whole program a tenth of the time: nothing is killed for being slow. */
import { afterAll, expect, test } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, serveProtocol } from "../../support/program.js";

afterAll(endAll);

/** Computes for so many milliseconds of CPU time. */
const BUSY = `
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "busy",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const { user } = process.cpuUsage();
        while (process.cpuUsage().user - user < Number(frame) * 1_000);
        conn.send(String(process.pid));
      },
    },
  },
});
`;

/** Milliseconds in which all OS processes run, and in which they are stopped, in turn: long beside a turn of the scheduler. */
const [RUN, REST] = [100, 900];
const WATCHDOG = 5_000;

/** Lets these OS processes run for a tenth of the time until `over`. */
async function starve(osPids: readonly number[], over: () => boolean): Promise<void> {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  while (!over()) {
    for (const osPid of osPids) process.kill(osPid, "SIGSTOP");
    await pause(REST);
    for (const osPid of osPids) process.kill(osPid, "SIGCONT");
    await pause(RUN);
  }
}

test("at a tenth of the CPU time, workers that compute are not killed by a watchdog of 5 s, and answer", async () => {
  const args = ["--workers=2", `--watchdog=${WATCHDOG}ms`];
  const { program, port, adminPort } = await serveProtocol("busy.ts", BUSY, args);
  const workers = program.workers();
  const clients = await Promise.all(Array.from({ length: 4 }, () => FrameClient.connect(port)));
  for (const client of clients) await client.ask("0");
  let answers = 0;
  let over = false;
  // For twice the time of the watchdog, and until each client has had several answers.
  const from = performance.now();
  const ask = async (client: FrameClient) => {
    for (let n = 0; n < 5 || performance.now() - from < 2 * WATCHDOG; n++) {
      await client.ask("20");
      answers++;
    }
  };
  const starving = starve([program.osPid, ...workers], () => over);
  await Promise.all(clients.map(ask));
  over = true;
  await starving;
  expect(answers).toBeGreaterThanOrEqual(20);
  expect(program.workers()).toEqual(workers);
  expect(program.lines.filter(({ level }) => level === "error")).toEqual([]);
  const { body } = await http(adminPort, "/metrics");
  expect(series(body, "drover_supervisor_restarts_total")).toBe(0);
  for (const client of clients) client.end();
  // A tenth of what a busy machine gives: 45 s at a load average of 15.
}, 300_000);
