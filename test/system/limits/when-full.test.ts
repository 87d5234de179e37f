/** --when-full with two workers: exact, whichever worker the clients land on. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { metricsNow, series } from "../../support/admin-http.js";
import { Client } from "../../support/client.js";
import { FrameClient } from "../../support/frames.js";
import { isStopped } from "../../support/os-processes.js";
import { endAll, type Served, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const POLITE = `
import { defineProtocol, lines } from "drover";
export default defineProtocol({
  name: "polite",
  framing: lines(),
  full: "full, come again",
  states: { ready: { frame: (conn, line) => conn.send(line), shutdown: (conn) => conn.send("bye") } },
});
`;

const text = ({ bytes }: Client): string => bytes.toString();

test("--when-full refuse: 10 of 10 are served, the next ones get the frame and are counted, and a place that is free is taken", async () => {
  const { port, adminPort } = await serveProtocol("polite.ts", POLITE, [
    "--when-full=refuse",
    "--max-connections=10",
    "--workers=2",
  ]);
  onTestFinished(endAll);
  const held = await Promise.all(Array.from({ length: 10 }, () => Client.connect(port)));
  for (const client of held) client.write("here\n");
  for (const client of held) await eventually(async () => text(client) === "here\n");
  for (let n = 0; n < 5; n++) {
    const refused = await Client.connect(port);
    await eventually(async () => refused.ended);
    expect(text(refused)).toBe("full, come again\n");
    refused.socket.end();
  }
  const full = await metricsNow(adminPort);
  expect(series(full, "drover_connections_active")).toBe(10);
  expect(series(full, "drover_connections_refused_total", { reason: "max_connections" })).toBe(5);
  held.shift()?.socket.end();
  const next = await eventually(async () => {
    const client = (await Client.connect(port)).write("next\n");
    await eventually(async () => text(client) !== "");
    return text(client) === "next\n" && client;
  });
  for (const client of [...held, next]) client.socket.end();
});

test("--when-full shed: each client above the limit takes the place of the longest idle one of its worker, and is served", async () => {
  const { port, adminPort } = await serveProtocol("polite.ts", POLITE, [
    "--when-full=shed",
    "--max-connections=4",
    "--workers=2",
  ]);
  onTestFinished(endAll);
  const clients: Client[] = [];
  for (let n = 0; n < 12; n++) {
    const client = (await Client.connect(port)).write(`${n}\n`);
    await eventually(async () => text(client).startsWith(`${n}\n`));
    clients.push(client);
  }
  await eventually(async () => clients.filter(({ ended }) => ended).length === 8);
  for (const client of clients.filter(({ ended }) => ended)) expect(text(client)).toMatch(/^\d+\nbye\n$/);
  // A client that has read the end is counted until its server has.
  const metrics = await eventually(async () => {
    const text = await metricsNow(adminPort);
    return series(text, "drover_connections_closed_total", { reason: "shed" }) === 8 && text;
  });
  expect(series(metrics, "drover_connections_active")).toBe(4);
  expect(series(metrics, "drover_connections_accepted_total")).toBe(12);
  expect(series(metrics, "drover_connections_refused_total")).toBe(0);
  for (const client of clients) client.socket.destroy();
});

const SLOW_START = `
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "slow-start",
  framing: packet(2),
  worker: { start: async () => { while (existsSync("hold")) await setTimeout(20); } },
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});
`;

describe("ten places of two workers, in order:", () => {
  let server: Served;
  beforeAll(async () => {
    server = await serveProtocol("slow.ts", SLOW_START, ["--max-connections=10", "--workers=2"]);
  });
  afterAll(endAll);
  afterEach(() =>
    eventually(async () => series(await metricsNow(server.adminPort), "drover_connections_active") === 0),
  );

  test("a worker that is stopped keeps its places, so that no more than the limit are taken when it goes on", async () => {
    const { program, port, adminPort } = server;
    const stopped = program.workers()[1] as number;
    process.kill(stopped, "SIGSTOP");
    await eventually(() => isStopped(stopped));
    const clients = await Promise.all(Array.from({ length: 10 }, () => FrameClient.connect(port)));
    let served = 0;
    const answers = clients.map((client, n) => client.ask(`${n}`).then(() => served++));
    await eventually(async () => served === 5);
    process.kill(stopped, "SIGCONT");
    await Promise.all(answers);
    expect(series(await metricsNow(adminPort), "drover_connections_active")).toBe(10);
    for (const client of clients) client.end();
  });

  test("while one of two workers is dead, the other one serves all 10 places, and never more than 10 are taken in all", async () => {
    const { program, port, adminPort } = server;
    const hold = join(program.dir, "hold");
    writeFileSync(hold, "");
    expect(existsSync(hold)).toBe(true);
    process.kill(program.workers()[1] as number, "SIGKILL");
    // Until it is gone it may accept.
    await eventually(
      async () => series(await metricsNow(adminPort), "drover_workers", { state: "starting" }) === 1,
    );
    const clients = await Promise.all(Array.from({ length: 14 }, () => FrameClient.connect(port)));
    const answers = clients.map((client, n) => client.ask(`${n}`));
    for (const answer of answers) answer.catch(() => {});
    await eventually(async () => series(await metricsNow(adminPort), "drover_connections_active") === 10);
    rmSync(hold);
    await eventually(async () => {
      const metrics = await metricsNow(adminPort);
      expect(series(metrics, "drover_connections_active")).toBe(10);
      return series(metrics, "drover_workers", { state: "running" }) === 2;
    });
    const settled = new Map<number, FrameClient>();
    for (const [n, answer] of answers.entries())
      void answer.then(
        () => settled.set(n, clients[n] as FrameClient),
        () => {},
      );
    await eventually(async () => settled.size === 10);
    // Those that wait are served in the places of those that leave.
    for (const client of [...settled.values()].slice(0, 4)) client.end();
    await Promise.all(answers);
    expect(series(await metricsNow(adminPort), "drover_connections_refused_total")).toBe(0);
    for (const client of clients) client.socket.destroy();
  });
});
