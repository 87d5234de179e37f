/** A real Prometheus that scrapes the built program with the rules of scripts/deploy. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { http } from "./admin-http.js";
import { find, testWith } from "./peers.js";
import { freePort } from "./ports.js";
import { ROOT } from "./program.js";
import { eventually } from "./until.js";

export const prometheus = testWith("prometheus", "apt-get install prometheus");

/** Prometheus processes of the running test. */
const scrapers: AsyncDisposable[] = [];

/** For `afterEach`. */
export async function endScrapers(): Promise<void> {
  for (const scraper of scrapers.splice(0)) await scraper[Symbol.asyncDispose]();
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, text: string];
  readonly values: readonly (readonly [at: number, text: string])[];
}

export class Prometheus {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Starts a Prometheus with the rules of scripts/deploy. One job scrapes this target every second; 45 more, `drover-N`,
   * every 5 s each, of which only `up` is kept: a scrape's timeout is at most its interval, and a second is not enough for
   * a machine that starts workers at the same time.
   */
  static async scraping(adminPort: number): Promise<Prometheus> {
    const dir = mkdtempSync(join(tmpdir(), "drover-prometheus-"));
    const own = await freePort();
    const static_configs = [{ targets: [`127.0.0.1:${adminPort}`] }];
    const drop = [{ source_labels: ["__name__"], regex: ".*", action: "drop" }];
    const others = Array.from({ length: 45 }, (_, at) => `drover-${at + 1}`);
    const config = {
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [join(ROOT, "scripts", "deploy", "alerts.yml")],
      scrape_configs: [
        { job_name: "drover", static_configs },
        ...others.map((job_name) => ({
          ...{ job_name, static_configs, metric_relabel_configs: drop },
          ...{ scrape_interval: "5s", scrape_timeout: "5s" },
        })),
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
