/** A real Prometheus scrapes the built program, and its own tool finds nothing wrong with what it gets. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { FrameClient } from "../support/frames.js";
import { find, testWith } from "../support/peers.js";
import { endAll, eventually, freePort, http, serveProgram } from "../support/program.js";

const promtool = testWith("promtool", "apt-get install prometheus");
const prometheus = testWith("prometheus", "apt-get install prometheus");
afterEach(endAll);

promtool("promtool check metrics is clean", async () => {
  const { port, adminPort } = await serveProgram();
  const client = await FrameClient.connect(port);
  await client.ask("hello");
  const { body } = await http(adminPort, "/metrics");
  const { status, stdout, stderr } = spawnSync(find("promtool") as string, ["check", "metrics"], {
    input: body,
    encoding: "utf8",
  });
  expect(`${stdout}${stderr}`.trim()).toBe("");
  expect(status).toBe(0);
  client.end();
});

prometheus("Prometheus scrapes it: the target is up, and the counts are those of what was sent", async () => {
  const { port, adminPort, program } = await serveProgram();
  const client = await FrameClient.connect(port);
  for (let n = 0; n < 10; n++) await client.ask(`frame ${n}`);
  const dir = mkdtempSync(join(tmpdir(), "drover-prometheus-"));
  const own = await freePort();
  writeFileSync(
    join(dir, "prometheus.yml"),
    `global: { scrape_interval: 500ms }\nscrape_configs:\n  - job_name: drover\n    static_configs: [{ targets: ["127.0.0.1:${adminPort}"] }]\n`,
  );
  const args = [
    `--config.file=${dir}/prometheus.yml`,
    `--storage.tsdb.path=${dir}/data`,
    `--web.listen-address=127.0.0.1:${own}`,
  ];
  const scraper = spawn(find("prometheus") as string, args, { stdio: "ignore" });
  const query = async (text: string): Promise<number | undefined> => {
    const answer = await http(own, `/api/v1/query?query=${encodeURIComponent(text)}`).catch(() => undefined);
    const value = answer?.status === 200 && JSON.parse(answer.body).data.result[0]?.value[1];
    return value ? Number(value) : undefined;
  };
  try {
    await eventually(async () => (await query('up{job="drover"}')) === 1);
    await eventually(async () => (await query("sum(drover_frames_received_total)")) === 10);
    expect(await query("sum(drover_connections_active)")).toBe(1);
    process.kill(program.workers()[0] as number, "SIGKILL");
    await eventually(
      async () => (await query('drover_supervisor_restarts_total{child=~"worker.*"} > 0')) === 1,
    );
    expect(await query("sum(drover_frames_received_total)")).toBe(10);
  } finally {
    scraper.kill("SIGKILL");
    await new Promise((resolve) => scraper.once("close", resolve));
    rmSync(dir, { recursive: true, force: true });
    client.end();
  }
});
