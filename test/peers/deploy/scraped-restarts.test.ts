/** A real Prometheus scrapes the built program while workers are killed under load. */
import { afterEach, expect } from "vitest";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { http, series } from "../../support/admin-http.js";
import { endAll, serveProgram } from "../../support/program.js";
import { endScrapers, Prometheus, prometheus } from "../../support/prometheus.js";
import { eventually } from "../../support/until.js";

afterEach(async () => {
  await endScrapers();
  await endAll();
});

/** Bytes of a frame. */
const SIZE = 100;
/** Two less than the restart intensity allows. */
const KILLS = 12;
/** Milliseconds under load between a worker that serves again and the next kill. */
const BETWEEN_KILLS = 500;

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
      (await server.query('up{job=~"drover-.*"}[5m]')).flatMap(({ values }) => values.map(([, up]) => up));
    await eventually(async () => (await scraped()).length > 100);
    over.abort();
    await load;

    const restarts = 'sum(drover_supervisor_restarts_total{supervisor="drover"})';
    await eventually(async () => (await server.value(restarts)) === KILLS);
    await eventually(async () => (await server.value("sum(drover_connections_active)")) === 0);
    const books = "sum(drover_connections_accepted_total) - sum(drover_connections_closed_total)";
    await eventually(async () => (await server.value(books)) === 0);

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
