/** What the commands show of a server with two listeners. With one they show what they always have (looking.test.ts). */
import { expect, it } from "vitest";
import type { ConnectionRow } from "../../src/control/connections.js";
import type { Draining, ListenerInfo } from "../../src/control/program.js";
import { FakeControl, row } from "../admin/fake-control.js";
import { ask, running } from "../admin/support.js";
import { drover } from "./support.js";

const DEVICES: ListenerInfo = {
  ...{ listener: "devices", protocol: "chat", address: "[::]:2222", transport: "handle" },
  ...{ tls: true, proxy: true, maxConnections: 5_000, suspended: false },
};
const OPS: ListenerInfo = {
  ...{ listener: "ops", protocol: "greeter", address: "/run/ops.sock", transport: "stream" },
  ...{ tls: false, proxy: false, maxConnections: null, suspended: true },
};

async function two() {
  const control = new FakeControl();
  const [info, stats] = [await control.info(), control.stats()];
  control.info = async () => ({ ...info, listeners: [DEVICES, OPS] });
  const [numbers] = stats.listeners;
  control.stats = () => ({
    ...stats,
    listeners: [
      { ...numbers!, ...DEVICES, maxConnections: 5_000, acceptingWorkers: 0 },
      { ...numbers!, ...OPS, active: 1, maxConnections: null },
    ],
  });
  const at = (listener: string, one: ConnectionRow): ConnectionRow => ({ ...one, listener });
  control.rows = [
    at("devices", row(17, "talking", "10.0.0.7:51234")),
    at("ops", row(19, "waiting", "/run/ops.sock")),
  ];
  return { ...(await running({ control })), control };
}

it("info has a line for each", async () => {
  const { socketPath } = await two();
  const lines = (await drover(socketPath, ["info"])).stdout.split("\n");
  expect(lines.slice(5, 8)).toEqual([
    "listener devices  chat on [::]:2222, handle, TLS, PROXY protocol, at most 5000 connections",
    "listener ops      greeter on /run/ops.sock, stream, suspended",
    "admin             127.0.0.1:9464",
  ]);
});

it("connections have a column for them, and are filtered by one", async () => {
  const { socketPath, control } = await two();
  const { stdout } = await drover(socketPath, ["connections"], { columns: 54, isTTY: true });
  expect(stdout.split("\n").slice(0, 3)).toEqual([
    "pid     listener  state    peer            age  idle",
    "<1.17>  devices   talking  10.0.0.7:51234   1m   12s",
    "<1.19>  ops       waiting  /run/ops.sock    1m   12s",
  ]);
  await drover(socketPath, ["connections"], { values: new Map([["listener", "ops"]]) });
  expect(control.asked).toMatchObject({ listener: "ops" });
});

it("top has a table of them", async () => {
  const { socketPath } = await two();
  const lines = (await drover(socketPath, ["top"])).stdout.split("\n");
  const at = lines.findIndex((line) => line.startsWith("listener "));
  expect(lines.slice(at, at + 3)).toEqual([
    "listener  protocol  address        state          conns  limit  queue  accepted/s  frames/s   bytes/s",
    "devices   chat      [::]:2222      not accepting      2   5000      3           -         -         -",
    "ops       greeter   /run/ops.sock  suspended          1      -      3           -         -         -",
  ]);
  expect(lines.at(-3)).toMatch(/^<1\.17> +devices +talking/);
});

it("one of them is drained by its name", async () => {
  const { socketPath, control } = await two();
  control.draining = (listener?: string): Draining => ({
    ...control.drain_,
    status: listener === "ops" ? "drained" : "draining",
  });
  expect((await drover(socketPath, ["drain", "ops"])).stdout).toContain(
    "drained: all 2 connections finished",
  );
  expect(control.changes).toEqual(["drain 25000 ops"]);
  const answer = await ask({ socketPath }, { path: "/drain?listener=ops" });
  expect(answer).toMatchObject({ status: 200, json: { status: "drained" } });
});
