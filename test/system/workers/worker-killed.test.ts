/** A worker that is killed under load: it is replaced, and costs its own connections only. */
import { afterEach, expect, test } from "vitest";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

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

test("a worker that is killed under load is replaced, and costs its own connections only", async () => {
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
  const before = await eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    return (
      series(body, "drover_connections_active") === 20 &&
      (series(body, "drover_frames_received_total") ?? 0) > 1000 &&
      body
    );
  });

  // Only now: a client that is connected may still wait in the backlog.
  const owners = await eventually(async () => {
    const found = await ownersOf(adminPort);
    return [...found.values()].reduce((sum, count) => sum + count, 0) === 20 && found;
  });
  const [victim, survivor] = program.workers() as [number, number];
  process.kill(victim, "SIGKILL");
  const connects = connectAgainAndAgain(
    port,
    () => program.workers().length === 2 && !program.workers().includes(victim),
  );
  await program.line(
    (line) => line.report === "supervisor" && line.reason === "killed" && line.offender.id === "worker 1",
  );
  await eventually(async () => (await workerStates(adminPort))[0] === "running");
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
