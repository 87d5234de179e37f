/** Two listeners with limits of their own below one of both: all three are exact over all workers, and none refuses a client. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { metricsNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, run } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const [DEVICES, OPS, BOTH] = [12, 10, 20];
const TIMES = 3;

let [devices, ops, adminPort] = [0, 0, 0];
let program: Program;
beforeAll(async () => {
  [devices, ops, adminPort] = [await freePort(), await freePort(), await freePort()];
  const config = {
    ...{ workers: 3, maxConnections: BOTH, adminPort, logFormat: "json" },
    listeners: [
      { name: "devices", protocol: "echo", host: "127.0.0.1", port: devices, maxConnections: DEVICES },
      { name: "ops", protocol: "echo", host: "127.0.0.1", port: ops, maxConnections: OPS },
    ],
  };
  program = new Program(["start", "--config=acme.json"], {
    files: { "acme.json": JSON.stringify(config) },
  });
  await program.line((line) => / serves /.test(line.msg ?? ""));
});
afterAll(endAll);

/** Clients of the crowd that are served at the moment, as the clients know. */
const here = { devices: 0, ops: 0 };

/**
 * Sends clients to the listeners until all were served.
 * @param full connections at which the first of them may leave
 */
async function crowd(counts: { readonly devices: number; readonly ops: number }, full: number, stayMs = 20) {
  Object.assign(here, { devices: 0, ops: 0 });
  const most = { devices: 0, ops: 0, both: 0 };
  let opened = () => {};
  const reached = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const visit = async (listener: "devices" | "ops"): Promise<void> => {
    const client = await FrameClient.connect(listener === "devices" ? devices : ops);
    await client.ask("hello");
    here[listener]++;
    most[listener] = Math.max(most[listener], here[listener]);
    most.both = Math.max(most.both, here.devices + here.ops);
    if (here.devices + here.ops === full) opened();
    // A client of a worker that is killed leaves at once.
    await Promise.race([reached.then(() => pause(stayMs)), client.left]);
    here[listener]--;
    client.socket.end();
    await client.closed;
  };
  const names = (["devices", "ops"] as const).flatMap((name) => Array<typeof name>(counts[name]).fill(name));
  const ends = await Promise.allSettled(names.map(visit));
  return { ...most, failed: ends.filter(({ status }) => status === "rejected").length };
}

async function totals(name: string): Promise<number[]> {
  const body = await metricsNow(adminPort);
  return ["devices", "ops"].map((listener) => series(body, name, { listener }) ?? -1);
}

test("with three times the clients on both, the limit of both is reached exactly, and no limit is exceeded", async () => {
  const most = await crowd({ devices: TIMES * DEVICES, ops: TIMES * OPS }, BOTH);
  expect(most).toMatchObject({ both: BOTH, failed: 0 });
  expect(most.devices).toBeLessThanOrEqual(DEVICES);
  expect(most.ops).toBeLessThanOrEqual(OPS);
  expect(await totals("drover_connections_refused_total")).toEqual([0, 0]);
  expect(await totals("drover_connections_accepted_total")).toEqual([TIMES * DEVICES, TIMES * OPS]);
});

test("with three times the clients on one, its own limit is reached exactly", async () => {
  await eventually(async () => (await totals("drover_connections_active")).every((active) => active === 0));
  const most = await crowd({ devices: TIMES * DEVICES, ops: 0 }, DEVICES);
  expect(most).toEqual({ devices: DEVICES, ops: 0, both: DEVICES, failed: 0 });
  expect(await totals("drover_connections_refused_total")).toEqual([0, 0]);
});

test("while workers are added, removed and killed, no limit is exceeded and no client is refused", async () => {
  await eventually(async () => (await totals("drover_connections_active")).every((active) => active === 0));
  let full = 1;
  const scale = async (workers: number) => {
    const { code, stderr } = await run(["scale", String(workers)], {
      cwd: program.dir,
      env: { XDG_RUNTIME_DIR: program.dir },
    });
    expect([code, stderr]).toEqual([0, ""]);
  };
  let changing = true;
  const changes = async () => {
    await scale(4);
    await scale(2);
    // From the next crowd on: none of its clients leaves before all places are taken.
    full = BOTH;
    await eventually(() => here.devices + here.ops === BOTH);
    process.kill(program.workers()[0] as number, "SIGKILL");
    await scale(3);
    changing = false;
  };
  const crowds = async () => {
    while (changing) {
      const most = await crowd({ devices: 8 * DEVICES, ops: 8 * OPS }, full, 150);
      expect(most.both).toBeLessThanOrEqual(BOTH);
      expect(most.devices).toBeLessThanOrEqual(DEVICES);
      expect(most.ops).toBeLessThanOrEqual(OPS);
      // Only those that a killed worker had accepted.
      expect(most.failed).toBeLessThanOrEqual(BOTH);
    }
  };
  await Promise.all([crowds(), changes()]);
  expect(await totals("drover_connections_refused_total")).toEqual([0, 0]);
});
