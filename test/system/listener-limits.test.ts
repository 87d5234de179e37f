/** Two listeners with limits of their own below one of both: all three are exact over all workers, and none refuses a client. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { http, series } from "../support/admin-http.js";
import { FrameClient } from "../support/frames.js";
import { freePort } from "../support/ports.js";
import { endAll, Program } from "../support/program.js";
import { eventually } from "../support/until.js";

const [DEVICES, OPS, BOTH] = [12, 10, 20];
const TIMES = 3;

let [devices, ops, adminPort] = [0, 0, 0];
beforeAll(async () => {
  [devices, ops, adminPort] = [await freePort(), await freePort(), await freePort()];
  const config = {
    ...{ workers: 3, maxConnections: BOTH, adminPort, logFormat: "json" },
    listeners: [
      { name: "devices", protocol: "echo", host: "127.0.0.1", port: devices, maxConnections: DEVICES },
      { name: "ops", protocol: "echo", host: "127.0.0.1", port: ops, maxConnections: OPS },
    ],
  };
  const program = new Program(["start", "--config=acme.json"], {
    files: { "acme.json": JSON.stringify(config) },
  });
  await program.line((line) => / serves /.test(line.msg ?? ""));
});
afterAll(endAll);

/** Sends clients to the listeners until all were served. @param full connections at which the first of them may leave */
async function crowd(counts: { readonly devices: number; readonly ops: number }, full: number) {
  const here = { devices: 0, ops: 0 };
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
    await reached;
    await pause(20);
    await client.ask("bye");
    here[listener]--;
    client.socket.end();
    await client.closed;
  };
  const names = (["devices", "ops"] as const).flatMap((name) => Array<typeof name>(counts[name]).fill(name));
  await Promise.all(names.map(visit));
  return most;
}

async function totals(name: string): Promise<number[]> {
  const { body } = await http(adminPort, "/metrics/now");
  return ["devices", "ops"].map((listener) => series(body, name, { listener }) ?? -1);
}

test("with three times the clients on both, the limit of both is reached exactly, and no limit is exceeded", async () => {
  const most = await crowd({ devices: TIMES * DEVICES, ops: TIMES * OPS }, BOTH);
  expect(most.both).toBe(BOTH);
  expect(most.devices).toBeLessThanOrEqual(DEVICES);
  expect(most.ops).toBeLessThanOrEqual(OPS);
  expect(await totals("drover_connections_refused_total")).toEqual([0, 0]);
  expect(await totals("drover_connections_accepted_total")).toEqual([TIMES * DEVICES, TIMES * OPS]);
});

test("with three times the clients on one, its own limit is reached exactly", async () => {
  await eventually(async () => (await totals("drover_connections_active")).every((active) => active === 0));
  const most = await crowd({ devices: TIMES * DEVICES, ops: 0 }, DEVICES);
  expect(most).toEqual({ devices: DEVICES, ops: 0, both: DEVICES });
  expect(await totals("drover_connections_refused_total")).toEqual([0, 0]);
});
