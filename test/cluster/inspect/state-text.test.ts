/** State of a process as text: what it shows, hides and cuts. */
import { inspect } from "node:util";
import { expect, it } from "vitest";
import { stateView } from "../../../src/cluster/inspect/state-text.js";
import { call, defineProtocol, genServer, lines, start, sys } from "../../../src/index.js";
import { type Process, processOf } from "../../../src/otp/process/process.js";
import type { Connection } from "../../../src/tcp/connection/connection.js";
import { connected, testServer } from "../../support/serving.js";
import { until } from "../../support/until.js";

async function connectionWith(data: () => unknown, frame?: () => Promise<void>): Promise<Connection> {
  const server = await testServer(
    defineProtocol({
      name: "holder",
      framing: lines(),
      data,
      states: { ready: { ...(frame && { frame }) } },
    }),
  );
  const client = await connected(server);
  client.write("go\n");
  const children = processOf(server.connections) as unknown as { children(): Connection["pid"][] };
  const [pid] = await until(() => children.children().length > 0 && children.children());
  const conn = processOf(pid!) as Connection;
  await until(() => conn.framesReceived === 1);
  return conn;
}

const wait = () => new Promise<void>(() => {});

it("shows the state, data and status of a connection", async () => {
  const conn = await connectionWith(() => ({ nick: "ann", seen: new Map([["a", 1]]) }), wait);
  expect(stateView(conn)).toMatchObject({
    pid: conn.pid.toString(),
    name: "holder",
    state: "ready",
    data: "{ nick: 'ann', seen: Map(1) { 'a' => 1 } }",
    // Also in the middle of a handler that never comes back.
    status: { status: "waiting", framesReceived: 1, messageQueueLength: 0, timers: "[]", postponed: "[]" },
  });
});

it("cuts data to 16 KiB", async () => {
  const conn = await connectionWith(
    () => ({ a: Array.from({ length: 1e5 }, (_, n) => `${n}`.repeat(500)) }),
    wait,
  );
  const { data } = stateView(conn);
  expect(data.length).toBeLessThan(16 * 1024 + 20);
  expect(data).toMatch(/… \(\+\d+\)$/);
});

it("survives data that throws when inspected", async () => {
  const hostile = () => ({
    [inspect.custom]: () => {
      throw new Error("no");
    },
  });
  const conn = await connectionWith(hostile, wait);
  expect(stateView(conn).data).toBe("cannot be shown");
});

it("shows the state of a gen_server as its formatStatus returns it", async () => {
  const vault = genServer({
    name: "vault",
    init: () => ({ user: "ann", password: "s3cret" }),
    formatStatus: (state: { user: string }) => ({ ...state, password: "…" }),
  });
  const pid = await start(vault, undefined);
  const view = stateView(processOf(pid) as Process);
  expect(view).toMatchObject({ name: "vault", data: "{ user: 'ann', password: '…' }" });
  expect(JSON.stringify(view)).not.toContain("s3cret");
});

it("shows the last messages of a process with sys.log on", async () => {
  const counter = genServer({
    name: "counter",
    init: () => ({ n: 0 }),
    calls: { next: (self) => ++self.state.n },
  });
  const pid = await start(counter, undefined);
  expect(stateView(processOf(pid) as Process).status).not.toHaveProperty("log");
  await sys.log(pid, true);
  await call(pid, "next");
  expect(stateView(processOf(pid) as Process).status.log).toEqual([
    expect.stringContaining("in: "),
    expect.stringContaining("out: 1"),
  ]);
});
