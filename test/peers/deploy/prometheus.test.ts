/** A real Prometheus scrapes the built program while workers are killed under load. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, ROOT, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const promtool = testWith("promtool", "apt-get install prometheus");
const prometheus = testWith("prometheus", "apt-get install prometheus");
/** Prometheus processes of the running test. */
const scrapers: AsyncDisposable[] = [];

afterEach(async () => {
  for (const scraper of scrapers.splice(0)) await scraper[Symbol.asyncDispose]();
  await endAll();
});

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, text: string];
  readonly values: readonly (readonly [at: number, text: string])[];
}

class Prometheus {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Starts a Prometheus with the rules of scripts/deploy. Ten jobs scrape this target once a second each, so that a
   * scrape has a second (its timeout is at most its interval); of all but the first only `up` is kept.
   */
  static async scraping(adminPort: number): Promise<Prometheus> {
    const dir = mkdtempSync(join(tmpdir(), "drover-prometheus-"));
    const own = await freePort();
    const static_configs = [{ targets: [`127.0.0.1:${adminPort}`] }];
    const drop = [{ source_labels: ["__name__"], regex: ".*", action: "drop" }];
    const others = Array.from({ length: 9 }, (_, at) => `drover-${at + 1}`);
    const config = {
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [join(ROOT, "scripts", "deploy", "alerts.yml")],
      scrape_configs: [
        { job_name: "drover", static_configs },
        ...others.map((job_name) => ({ job_name, static_configs, metric_relabel_configs: drop })),
      ],
    };
    // JSON is YAML.
    writeFileSync(join(dir, "prometheus.yml"), JSON.stringify(config));
    const args = [
      `--config.file=${dir}/prometheus.yml`,
      `--storage.tsdb.path=${dir}/data`,
      `--web.listen-address=127.0.0.1:${own}`,
    ];
    const scraper = spawn(find("prometheus") as string, args, { stdio: "ignore" });
    const closed = new Promise((resolve) => scraper.once("close", resolve));
    scrapers.push({
      async [Symbol.asyncDispose]() {
        scraper.kill("SIGKILL");
        await closed;
        rmSync(dir, { recursive: true, force: true });
      },
    });
    const prometheus = new Prometheus(own);
    await eventually(async () => (await prometheus.value('up{job="drover"}')) === 1);
    return prometheus;
  }

  async query(text: string): Promise<readonly Series[]> {
    const path = `/api/v1/query?query=${encodeURIComponent(text)}`;
    const answer = await http(this.#port, path).catch(() => undefined);
    return answer?.status === 200 ? JSON.parse(answer.body).data.result : [];
  }

  async value(text: string): Promise<number | undefined> {
    const [found] = await this.query(text);
    return found && Number(found.value[1]);
  }
}

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

const SIZE = 100;
/** Bytes on the wire, with the header of {packet, 2}. */
const BYTES = SIZE + 2;

prometheus("what it has counted is exactly what was sent, once it is quiet", async () => {
  const { port, adminPort } = await serveProgram();
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

/** Two less than the restart intensity allows. */
const KILLS = 12;
/** Milliseconds under load between a worker that serves again and the next kill. */
const BETWEEN_KILLS = 1_000;

prometheus(
  "while workers are killed under load no scrape fails, no counter falls, and the budget's alert fires",
  async () => {
    const budget = [`--max-restarts=${KILLS + 2}`, "--max-seconds=600", "--workers=3"];
    const { port, adminPort, program } = await serveProgram(budget);
    const server = await Prometheus.scraping(adminPort);
    const over = new AbortController();
    let echoed = 0;
    const load = (async () => {
      while (!over.signal.aborted) {
        // A low rate: it is enough that frames are under way at every kill.
        const run = { port, connections: 12, window: 1, size: SIZE, durationMs: 500, signal: over.signal };
        const { tally } = await runLoad(run);
        expect(tally).toMatchObject({ wrongBytes: 0, errors: { mismatch: 0, hung: 0, connectRefused: 0 } });
        echoed += tally.echoed;
      }
    })();

    for (let kill = 1; kill <= KILLS; kill++) {
      // Not while one still starts: that would count as a start that failed.
      await eventually(async () => {
        const { body } = await http(adminPort, "/metrics");
        const restarts = series(body, "drover_supervisor_restarts_total", { supervisor: "drover" }) ?? 0;
        return restarts === kill - 1 && series(body, "drover_worker_up") === 3;
      });
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_KILLS));
      process.kill(program.workers()[kill % 3] as number, "SIGKILL");
      await program.until(
        () => program.lines.filter((line) => line.reason === "killed").length >= kill || undefined,
      );
    }
    const scraped = async () =>
      (await server.query('up{job=~"drover.*"}[5m]')).flatMap(({ values }) => values.map(([, up]) => up));
    await eventually(async () => (await scraped()).length > 100);
    over.abort();
    await load;

    const restarts = 'sum(drover_supervisor_restarts_total{supervisor="drover"})';
    await eventually(async () => (await server.value(restarts)) === KILLS);
    await eventually(async () => (await server.value("sum(drover_connections_active)")) === 0);
    const accepted = await server.value("sum(drover_connections_accepted_total)");
    await eventually(async () => (await server.value("sum(drover_connections_closed_total)")) === accepted);

    expect((await scraped()).filter((up) => up !== "1")).toEqual([]);
    const counters = await server.query('{__name__=~".+_total",job="drover"}[5m]');
    expect(counters.length).toBeGreaterThan(100);
    for (const { metric, values } of counters) {
      const numbers = values.map(([, text]) => Number(text));
      expect(
        numbers.filter((value, at) => value < (numbers[at - 1] ?? 0)),
        JSON.stringify(metric),
      ).toEqual([]);
    }

    // Only counts since the last report of a killed worker are lost: 1 s at most.
    const counted = (await server.value("sum(drover_frames_received_total)")) as number;
    expect(counted).toBeGreaterThan(echoed / 2);
    expect(counted).toBeLessThanOrEqual(echoed + KILLS * 12);
    const fires = 'ALERTS{alertname="DroverRestartBudgetLow",alertstate="firing",supervisor="drover"}';
    // The rules are evaluated once a second, after the scrape.
    await eventually(async () => (await server.value(fires)) === 1);
    const flapping = 'ALERTS{alertname="DroverWorkerFlapping",alertstate="firing"}';
    await eventually(async () => (await server.value(flapping)) === 1);
  },
  180_000,
);
