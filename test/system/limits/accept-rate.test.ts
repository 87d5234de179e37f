/** --accept-rate: so many new connections a second over all workers; the others wait and none is refused. */
import { afterEach, expect, test } from "vitest";
import { metricsNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, run, serveProgram } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

afterEach(endAll);

test("--accept-rate 10:6 with two workers: at no time more than 6 and 10 a second, all 20 are served, none is refused", async () => {
  const { port, adminPort } = await serveProgram(["--accept-rate=10:6", "--workers=2"]);
  const begun = performance.now();
  const served: number[] = [];
  const clients = await Promise.all(Array.from({ length: 20 }, () => FrameClient.connect(port)));
  const answers = clients.map(async (client, n) => {
    expect(await client.ask(`${n}`)).toBe(`${n}`);
    served.push(performance.now() - begun);
  });
  await Promise.all(answers);
  // An answer may be late, but no client is accepted early.
  for (const [at, ms] of served.entries()) expect(at + 1).toBeLessThanOrEqual(6 + ms / 100 + 1e-6);
  const metrics = await metricsNow(adminPort);
  expect(series(metrics, "drover_connections_accepted_total")).toBe(20);
  expect(series(metrics, "drover_connections_refused_total")).toBe(0);
  for (const client of clients) client.end();
});

test("with a burst of one, the only worker that accepts has the places of both, and all clients are served", async () => {
  const { port } = await serveProgram(["--accept-rate=1000:1", "--workers=2", "--max-connections=40"]);
  const clients = await Promise.all(Array.from({ length: 40 }, () => FrameClient.connect(port)));
  const answers = await Promise.all(clients.map((client, n) => client.ask(`${n}`)));
  expect(answers).toEqual(clients.map((_, n) => `${n}`));
  for (const client of clients) client.end();
});

test("without tokens the tree, the log and the metrics say that the listeners are rate limited", async () => {
  const { program, port, adminPort, control } = await serveProgram(["--accept-rate=0.01:2", "--workers=2"]);
  const clients = [await FrameClient.connect(port), await FrameClient.connect(port)];
  for (const client of clients) expect(await client.ask("here")).toBe("here");
  const waiting = await FrameClient.connect(port);
  await eventually(async () => {
    const { stdout } = await run(["tree", "--control", control]);
    return stdout.match(/listener.*rate_limited/g)?.length === 2;
  });
  const limited = () => program.lines.filter(({ state }) => state === "rate_limited");
  await program.until(() => limited().length >= 2);
  expect(limited().map(({ msg }) => msg)).toEqual(
    Array(2).fill(expect.stringMatching(/^accept rate reached, new connections wait on /)),
  );
  const metrics = await metricsNow(adminPort);
  expect(series(metrics, "drover_listener_rate_limited_seconds_total") ?? 0).toBeGreaterThan(0);
  expect(series(metrics, "drover_connections_accepted_total")).toBe(2);
  for (const client of [...clients, waiting]) client.socket.destroy();
});

test("clients that wait for the rate when a worker dies are served all the same", async () => {
  const { port, adminPort, control } = await serveProgram(["--accept-rate=4:2", "--workers=2"]);
  const { stdout } = await run(["info", "--json", "--control", control]);
  const [{ osPid }] = (JSON.parse(stdout) as { workers: [{ osPid: number }] }).workers;
  const clients = await Promise.all(Array.from({ length: 8 }, () => FrameClient.connect(port)));
  const answers = clients.map((client, n) => client.ask(`${n}`));
  const all = Promise.allSettled(answers);
  let answered = 0;
  for (const answer of answers)
    answer.then(
      () => answered++,
      () => {},
    );
  await until(() => answered >= 2);
  process.kill(osPid, "SIGKILL");
  const served = (await all).filter(({ status }) => status === "fulfilled").length;
  const metrics = await metricsNow(adminPort);
  // The worker may have accepted as many as there were tokens just before, of which the primary knows nothing.
  expect(served).toBeGreaterThanOrEqual(6);
  expect(series(metrics, "drover_connections_refused_total")).toBe(0);
  for (const client of clients) client.end();
});
