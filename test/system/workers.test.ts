/** Deaths of workers: one under load, all at once, more often than the restart intensity allows. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { runLoad } from "../../scripts/load/generator/run.js";
import { http, series } from "../support/admin-http.js";
import { FrameClient } from "../support/frames.js";
import { isAlive } from "../support/os-processes.js";
import { freePort } from "../support/ports.js";
import { endAll, Program, serveProgram } from "../support/program.js";
import { eventually } from "../support/until.js";

afterEach(endAll);

const TOTALS = [
  "drover_connections_accepted_total",
  "drover_connections_closed_total",
  "drover_frames_received_total",
  "drover_frames_sent_total",
  "drover_bytes_received_total",
  "drover_bytes_sent_total",
  "drover_supervisor_restarts_total",
];

test("a worker that is killed under load is replaced at once, and costs its own connections only", async () => {
  const { program, port, adminPort } = await serveProgram();
  const load = new AbortController();
  let opened = false;
  const loaded = runLoad({
    port,
    connections: 20,
    window: 4,
    signal: load.signal,
    onOpened: () => void (opened = true),
  });
  await eventually(() => opened);
  const owners = await ownersOf(adminPort);
  const before = await eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    return (
      series(body, "drover_connections_active") === 20 &&
      (series(body, "drover_frames_received_total") ?? 0) > 1000 &&
      body
    );
  });

  const [victim, survivor] = program.workers() as [number, number];
  const killedAt = performance.now();
  process.kill(victim, "SIGKILL");
  const connects = connectAgainAndAgain(
    port,
    () => program.workers().length === 2 && !program.workers().includes(victim),
  );
  await program.line(
    (line) => line.report === "supervisor" && line.reason === "killed" && line.offender.id === "worker 1",
  );
  await eventually(async () => (await workerStates(adminPort))[0] === "running");
  expect(performance.now() - killedAt).toBeLessThan(1000);
  const { refused, served } = await connects;
  expect(refused).toBe(0);
  expect(served).toBeGreaterThan(0);

  const after = await eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    return series(body, "drover_supervisor_restarts_total", { child: "worker 1" }) === 1 && body;
  });
  for (const name of TOTALS)
    expect(series(after, name), name).toBeGreaterThanOrEqual(series(before, name) ?? 0);
  load.abort();
  const { connections } = await loaded;
  const lost = connections.filter((one) => one.error !== undefined);
  expect(lost.length).toBe(owners.get(1) ?? 0);
  expect(lost.every((one) => ["reset", "closedEarly", "shortReply"].includes(one.error as string))).toBe(
    true,
  );
  expect(connections.every((one) => one.error !== "mismatch" && one.error !== "hung")).toBe(true);
  expect(program.workers()).toContain(survivor);
  const { body } = await http(adminPort, "/metrics");
  expect(balanced(body)).toBe(true);
});

test("with all workers killed at once, clients that connect in the gap are served afterwards", async () => {
  const { program, port } = await serveProgram();
  // Stopped first, so that no replacement serves before the last one is killed.
  for (const worker of program.workers()) process.kill(worker, "SIGSTOP");
  const gap = Array.from({ length: 20 }, () => FrameClient.connect(port));
  for (const worker of program.workers()) process.kill(worker, "SIGKILL");
  const clients = await Promise.all([...gap, ...Array.from({ length: 20 }, () => FrameClient.connect(port))]);
  const answers = await Promise.all(clients.map((client, n) => client.ask(`client ${n}`)));
  expect(answers).toEqual(clients.map((_, n) => `client ${n}`));
  for (const client of clients) client.end();
});

test("five deaths within a minute are survived; the sixth ends the program with 70 and leaves nothing behind", async () => {
  const { program, port } = await serveProgram();
  const seen = new Set(program.workers());
  for (let death = 1; death <= 5; death++) {
    const before = program.workers();
    const victim = before[0] as number;
    process.kill(victim, "SIGKILL");
    await eventually(() => program.workers().length === 2 && !program.workers().includes(victim));
    await eventually(() => program.lines.filter((line) => line.report === "supervisor").length === death);
    await eventually(async () =>
      FrameClient.connect(port).then((client) => client.ask("up").finally(() => client.end())),
    );
    for (const worker of program.workers()) seen.add(worker);
  }
  await eventually(() => program.workers().length === 2);
  process.kill(program.workers()[0] as number, "SIGKILL");
  expect(await program.exited).toEqual({ code: 70, signal: null });
  const reports = program.lines.filter(
    (line) => line.report === "supervisor" && line.supervisor === "drover",
  );
  expect(reports.map((line) => `${line.errorContext} ${line.reason}`)).toEqual([
    ...Array(6).fill("child_terminated killed"),
    "shutdown reached_max_restart_intensity",
  ]);
  expect(program.stderr).toMatch(/^drover: gave up: /m);
  for (const worker of seen) expect(isAlive(worker)).toBe(false);
});

/** Number of connections of each worker. */
async function ownersOf(adminPort: number): Promise<Map<number, number>> {
  const tree = JSON.parse((await http(adminPort, "/tree?connections=1000")).body);
  const owners = new Map<number, number>();
  const visit = (node: any): void => {
    if (node.kind === "connection") {
      const worker = Number(/<(\d+)/.exec(node.pid)?.[1]);
      owners.set(worker, (owners.get(worker) ?? 0) + 1);
    }
    for (const child of node.children) visit(child);
  };
  visit(tree);
  return owners;
}

async function workerStates(adminPort: number): Promise<string[]> {
  const tree = JSON.parse((await http(adminPort, "/tree")).body);
  return tree.children.filter((node: any) => node.kind === "worker").map((node: any) => node.state);
}

/** Connects, asks and disconnects, one client after the other, until `over`; counts refused connections. */
async function connectAgainAndAgain(
  port: number,
  over: () => boolean,
): Promise<{ refused: number; served: number }> {
  let refused = 0;
  let served = 0;
  do {
    try {
      const client = await FrameClient.connect(port);
      // A connection accepted by the dying worker ends with it; one still in the backlog must be served.
      served += await client.ask("hello").then(
        () => 1,
        () => 0,
      );
      client.end();
    } catch {
      refused++;
    }
  } while (!over() || served === 0);
  return { refused, served };
}

/** accepted = active + closed. */
function balanced(metrics: string): boolean {
  const [accepted, active, closed] = [
    "connections_accepted_total",
    "connections_active",
    "connections_closed_total",
  ].map((name) => series(metrics, `drover_${name}`) ?? Number.NaN) as [number, number, number];
  return accepted === active + closed;
}

test("the program is ready when all its workers are, though the first serves already", async () => {
  const code = `import cluster from "node:cluster";
    import { existsSync } from "node:fs";
    import { defineProtocol, packet } from "drover";
    const wait = () => new Promise((resolve) => setTimeout(resolve, 10));
    while (cluster.worker?.id === 2 && !existsSync("open")) await wait();
    export default defineProtocol({
      name: "slow",
      framing: packet(2),
      states: { ready: { frame: (conn, frame) => conn.send(frame) } },
    });`;
  const [port, adminPort] = [await freePort(), await freePort()];
  const ports = [`--port=${port}`, `--admin-port=${adminPort}`];
  const args = ["start", "./slow.ts", "--host=127.0.0.1", "--workers=2", ...ports];
  const program = new Program(args, { files: { "slow.ts": code } });
  const client = await eventually(() => FrameClient.connect(port).catch(() => undefined));
  expect(String(await client.ask("hello"))).toBe("hello");
  const early = await http(adminPort, "/ready");
  expect([early.status, early.body]).toEqual([503, expect.stringContaining("starting")]);
  expect((await http(adminPort, "/health")).status).toBe(200);
  writeFileSync(join(program.dir, "open"), "");
  await program.line(({ msg }) => / serves /.test(msg ?? ""));
  expect((await http(adminPort, "/ready")).status).toBe(200);
  client.end();
});
