/** A real Prometheus scrapes the built program, and promtool reads its metrics. */
import { spawnSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { http } from "../../support/admin-http.js";
import { find, testWith } from "../../support/peers.js";
import { endAll, type Served, serveProgram } from "../../support/program.js";
import { endScrapers, Prometheus, prometheus } from "../../support/prometheus.js";
import { eventually } from "../../support/until.js";

const promtool = testWith("promtool", "apt-get install prometheus");

let served: Served;
beforeAll(async () => {
  served = await serveProgram();
});
afterEach(endScrapers);
afterAll(endAll);

const SIZE = 100;
/** Bytes on the wire, with the header of {packet, 2}. */
const BYTES = SIZE + 2;

prometheus("what it has counted is exactly what was sent, once it is quiet", async () => {
  const { port, adminPort } = served;
  const server = await Prometheus.scraping(adminPort);
  const { tally } = await runLoad({ port, connections: 20, window: 4, size: SIZE, frames: 20_000 });
  expect(tally).toMatchObject({ opened: 20, sent: 20_000, echoed: 20_000 });
  const exact: Readonly<Record<string, number>> = {
    drover_frames_received_total: 20_000,
    drover_frames_sent_total: 20_000,
    drover_bytes_received_total: 20_000 * BYTES,
    drover_bytes_sent_total: 20_000 * BYTES,
    drover_connections_accepted_total: 20,
    drover_connections_closed_total: 20,
    drover_connections_active: 0,
  };
  for (const [name, wanted] of Object.entries(exact))
    await eventually(async () => (await server.value(`sum(${name})`)) === wanted);
});

promtool("promtool check metrics is clean, after clients", async () => {
  const { body } = await http(served.adminPort, "/metrics");
  const { status, stdout, stderr } = spawnSync(find("promtool") as string, ["check", "metrics"], {
    input: body,
    encoding: "utf8",
  });
  expect(`${stdout}${stderr}`.trim()).toBe("");
  expect(status).toBe(0);
});
