/** Limits changed while the built program runs, with two workers: exact over both, and after the death of one. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LimitChange, LimitRow } from "../../../src/control/limits.js";
import { ask, post } from "../../admin/support.js";
import { metricNow, metricsNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isStopped } from "../../support/os-processes.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, run, serveProgram, serveProtocol } from "../../support/program.js";
import { servedClient } from "../../support/served-client.js";
import { eventually } from "../../support/until.js";

let [port, adminPort, control] = [0, 0, ""];
let program: Program;
beforeAll(async () => {
  ({ program, port, adminPort, control } = await serveProgram([
    ...["--workers=2", "--max-connections=40", "--watchdog=1m", "--max-restarts=50"],
  ]));
});
afterAll(endAll);

const limit = async (body: object, socketPath = control) => {
  const { status, json } = await post({ socketPath }, "/limit", body);
  const changed = json as Change;
  return { status, ...changed, text: changed.changes?.map(({ text, before }) => `${before} -> ${text}`) };
};

const opened: FrameClient[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) one.end();
  await limit({ reset: true });
  await eventually(async () => (await numbers()).active === 0);
});

/** A client of this address of the loopback network, ended after the test; `undefined` when it is refused. */
async function client(port: number, from?: string): Promise<FrameClient | undefined> {
  const one = await servedClient(port, from);
  if (one) opened.push(one);
  return one;
}

const clients = async (count: number, port: number, from?: string) =>
  (await Promise.all(Array.from({ length: count }, () => client(port, from)))).flatMap((one) => one ?? []);

type Change = LimitChange & { readonly error?: string };

const numbers = async () => {
  const body = await metricsNow(adminPort);
  return {
    active: series(body, "drover_connections_active"),
    accepted: series(body, "drover_connections_accepted_total"),
  };
};

test("a lowered maximum keeps what is open, admits no client until there is room, and is exact over both workers", async () => {
  const open = await clients(12, port);
  expect(open).toHaveLength(12);
  const { accepted = 0 } = await numbers();
  const { workers, notes, text } = await limit({ limit: "max-connections", value: 8 });
  expect([text, workers.map(({ state }) => state)]).toEqual([["40 -> 8"], ["applied", "applied"]]);
  expect(notes).toEqual(["12 connections are open: they go on, and new clients wait until fewer than 8 are"]);
  expect(await open[0]?.ask("still here")).toBe("still here");
  // These wait in the backlog: each is served when it is its turn.
  const waiting = Array.from({ length: 10 }, () => client(port));
  for (const one of open.splice(0, 5)) one.end();
  await eventually(async () => (await numbers()).accepted === accepted + 1);
  expect(await numbers()).toEqual({ active: 8, accepted: accepted + 1 });
  expect((await limit({ limit: "max-connections", value: 17 })).status).toBe(200);
  expect((await Promise.all(waiting)).filter(Boolean)).toHaveLength(10);
  expect((await numbers()).active).toBe(17);
});

test("a limit on addresses counts connections from before it, holds for a worker that starts later, and is removed again", async () => {
  const open = await clients(6, port);
  expect((await limit({ limit: "max-per-address", value: "8" })).text).toEqual(["no limit -> 8"]);
  expect((await clients(6, port)).length).toBe(2);
  expect(await clients(2, port, "127.0.0.2")).toHaveLength(2);
  // A place that a connection from before the limit leaves is free.
  open[0]?.end();
  expect(await eventually(() => client(port))).toBeDefined();
  expect(await client(port)).toBeUndefined();
  for (const worker of program.workers()) process.kill(worker, "SIGKILL");
  const served = await eventually(async () => {
    const more = await clients(12, port);
    if (more.length === 8) return more;
    for (const one of more) one.end();
    return undefined;
  });
  expect(served).toHaveLength(8);
  expect((await limit({ limit: "max-per-address", value: "off" })).text).toEqual(["8 -> no limit"]);
  expect(await clients(20, port)).toHaveLength(20);
});

test("networks are denied and admitted again while the server runs, and open connections go on", async () => {
  const open = await client(port, "127.0.0.2");
  expect((await limit({ limit: "deny", add: "127.0.0.2" })).notes).toEqual([
    "open connections go on: it counts for new clients",
  ]);
  expect(await clients(4, port, "127.0.0.2")).toHaveLength(0);
  expect(await clients(4, port)).toHaveLength(4);
  expect(await open?.ask("still here")).toBe("still here");
  expect((await limit({ limit: "deny", remove: ["127.0.0.2"] })).text).toEqual(["127.0.0.2 -> none"]);
  expect(await clients(4, port, "127.0.0.2")).toHaveLength(4);
  expect(await limit({ limit: "allow", add: "127.0.0.3" })).toMatchObject({
    status: 409,
    error: expect.stringContaining("type `drover limit allow 127.0.0.3` to admit only this one"),
  });
  expect((await limit({ limit: "allow", value: "127.0.0.3" })).status).toBe(200);
  expect(await clients(2, port)).toHaveLength(0);
  expect(await clients(2, port, "127.0.0.3")).toHaveLength(2);
  expect((await limit({ reset: true })).text).toEqual(["127.0.0.3 -> all"]);
  expect(await clients(2, port)).toHaveLength(2);
});

test("a listener has limits of its own, which are shown with where each came from, and every change is audited", async () => {
  const [main, ops] = [await freePort(), await freePort()];
  const config = {
    ...{ workers: 2, maxConnections: 100, adminPort: 0, logFormat: "json", addressRate: "100:200" },
    framesPerSecond: 1_000,
    listeners: [
      { name: "main", protocol: "echo", host: "127.0.0.1", port: main, maxPerAddress: 50 },
      { name: "ops", protocol: "echo", host: "127.0.0.1", port: ops, lifetime: "1h" },
    ],
  };
  const several = new Program(["start", "--config=acme.json", "--control=acme.sock"], {
    files: { "acme.json": JSON.stringify(config) },
  });
  await several.line((line) => / serves /.test(line.msg ?? ""));
  const socketPath = `${several.dir}/acme.sock`;
  const drover = async (...line: string[]) => (await run([...line, `--control=${socketPath}`])).stdout;
  expect(await drover("limit", "--listener=ops", "max-connections", "3")).toBe(
    "max-connections of listener ops: 3, previously none of its own\n" +
      "in force in 2 workers, until the server ends: set it in the configuration to keep it\n",
  );
  const served = await clients(3, ops);
  expect(served).toHaveLength(3);
  const waits = client(ops);
  expect(await clients(10, main)).toHaveLength(10);
  served[0]?.end();
  expect(await waits).toBeDefined();
  const rows = (await ask({ socketPath }, { path: "/limits" })).json as LimitRow[];
  expect(rows.map(({ limit, listener, text, origin }) => [limit, listener, text, origin])).toEqual([
    ["max-connections", null, "100", "file"],
    ["when-full", null, "queue", "default"],
    ["accept-rate", null, "no limit", "default"],
    ["max-per-address", null, "no limit", "default"],
    ["address-rate", null, "100:200", "file"],
    ["address-ban", null, "none", "default"],
    ["allow", null, "all", "default"],
    ["deny", null, "none", "default"],
    ["first-frame", null, "the protocol's own, else no limit", "default"],
    ["lifetime", null, "the protocol's own, else no limit", "default"],
    ["frames-per-second", null, "1000", "file"],
    ["bytes-per-second", null, "the protocol's own, else no limit", "default"],
    ["worker-outbound", null, "the protocol's own, else 256M", "default"],
    ["worker-inbound", null, "the protocol's own, else 256M", "default"],
    ["max-memory", null, "no limit", "default"],
    ["max-lag", null, "1s", "default"],
    ["max-per-address", "main", "50", "file"],
    ["max-connections", "ops", "3", "changed"],
    ["lifetime", "ops", "1h", "file"],
  ]);
  expect(await drover("limit", "max-connections", "--listener=ops")).toMatch(
    /listener ops +3 +changed at \d\d:\d\d by drover command \(uid \d+\); configured: none of its own\n$/,
  );
  const audit = await several.line((line) => line.audit === "limit");
  expect(audit).toMatchObject({
    ...{ via: "control_socket", result: "ok" },
    request: { limit: "max-connections", value: "3", listener: "ops" },
  });
  const info = (await ask({ socketPath }, { path: "/info" })).json;
  expect(info.listeners[1]).toMatchObject({ listener: "ops", maxConnections: 3 });
});

test("clients above the maximum wait, are refused, and wait again as when-full is changed, also with workers that start later", async () => {
  await limit({ limit: "max-connections", value: 4 });
  const open = await clients(4, port);
  expect(open).toHaveLength(4);
  expect((await limit({ limit: "when-full", value: "refuse" })).text).toEqual(["queue -> refuse"]);
  expect(await client(port)).toBeUndefined();
  expect((await limit({ limit: "when-full", value: "queue", listener: "main" })).text).toEqual([
    "refuse -> queue",
  ]);
  const waits = await FrameClient.connect(port);
  opened.push(waits);
  const answer = waits.ask("hi");
  expect([(await numbers()).active, waits.isClosed]).toEqual([4, false]);
  open[0]?.end();
  expect(await answer).toBe("hi");
  await limit({ limit: "when-full", value: "off", listener: "main" });
  for (const worker of program.workers()) process.kill(worker, "SIGKILL");
  await eventually(async () => {
    const more = await clients(4, port);
    if (more.length === 4) return true;
    for (const one of more) one.end();
    return false;
  });
  expect(await client(port)).toBeUndefined();
});

/** Sum of the counter of this reason, over both workers. */
const closedAs = async (reason: string) =>
  series(await metricsNow(adminPort), "drover_connections_closed_total", { reason }) ?? 0;

test("a first frame deadline and a lifetime end open connections and later ones, also of a worker that starts later", async () => {
  const silent = async () => {
    const one = await FrameClient.connect(port);
    opened.push(one);
    return one;
  };
  const talking = (await client(port)) as FrameClient;
  const open = await silent();
  const before = await closedAs("first_frame_timeout");
  expect((await limit({ limit: "first-frame", value: "500ms" })).text).toEqual([
    "the protocol's own, else no limit -> 500ms",
  ]);
  await open.closed;
  expect(await talking.ask("a frame has come")).toBe("a frame has come");
  await (await silent()).closed;
  await eventually(async () => (await closedAs("first_frame_timeout")) === before + 2);
  expect((await limit({ limit: "lifetime", value: "1s", listener: "main" })).status).toBe(200);
  await talking.closed;
  for (const worker of program.workers()) process.kill(worker, "SIGKILL");
  const later = (await eventually(() => client(port))) as FrameClient;
  await later.closed;
  await (await silent()).closed;
  // What a listener has of its own replaces the server's.
  await limit({ limit: "first-frame", value: "1h", listener: "main" });
  await limit({ limit: "lifetime", value: "off", listener: "main" });
  expect(await (await silent()).ask("hi")).toBe("hi");
});

test("frames and bytes a second pause open connections one by one, and a higher limit lets them go on at once", async () => {
  const count = 1_000;
  const flood = async (what: object) => {
    const one = (await client(port)) as FrameClient;
    expect((await limit(what)).status).toBe(200);
    for (let n = 0; n < count; n++) one.send(`frame ${n}`);
    await one.receive();
    // Another connection has a rate of its own.
    expect(await client(port)).toBeDefined();
    return one;
  };
  const byFrames = await flood({ limit: "frames-per-second", value: 1 });
  expect(byFrames.frames.length).toBeLessThan(count / 2);
  await limit({ limit: "frames-per-second", value: 1_000_000 });
  await eventually(() => byFrames.frames.length === count - 1);
  await limit({ reset: true });
  const byBytes = await flood({ limit: "bytes-per-second", value: 20 });
  expect(byBytes.frames.length).toBeLessThan(count / 2);
  await limit({ limit: "bytes-per-second", value: "off" });
  await eventually(() => byBytes.frames.length === count - 1);
  expect((await byBytes.receive()).toString()).toBe("frame 1");
});

test("bounds on what a worker holds are of each worker: a listener has none of its own", async () => {
  expect((await limit({ limit: "worker-inbound", value: "32M" })).text).toEqual([
    "the protocol's own, else 256M -> 32M",
  ]);
  expect(await limit({ limit: "worker-outbound", value: "32M", listener: "main" })).toMatchObject({
    status: 400,
    error: expect.stringContaining("worker-outbound is a limit of each worker"),
  });
  expect(await limit({ limit: "worker-outbound", value: "1K" })).toMatchObject({
    status: 400,
    error: expect.stringContaining("worker-outbound: expected at least 1M"),
  });
});

/** Holds 150 MiB for ever at the frame `leak`. */
const LEAK = `
import { defineProtocol, packet } from "drover";
const leaked: Buffer[] = [];
export default defineProtocol({
  name: "leak",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        for (let mib = 0; mib < 150 && String(frame) === "leak"; mib++) leaked.push(Buffer.alloc(1 << 20, 1));
        conn.send(frame);
      },
    },
  },
});
`;

test("a maximum of memory is in force in a worker that runs and in one that starts later, and with off it is overloaded no more", async () => {
  const leak = await serveProtocol("leak.ts", LEAK, ["--workers=1"]);
  const overloaded = async () =>
    series(await metricsNow(leak.adminPort), "drover_overloaded", { cause: "memory" }) ?? 0;
  const only = await FrameClient.connect(leak.port);
  expect(await only.ask("leak")).toBe("leak");
  expect(await overloaded()).toBe(0);
  const lowered = await limit({ limit: "max-memory", value: "140M" }, leak.control);
  expect([lowered.text, lowered.workers.map(({ state }) => state)]).toEqual([
    ["no limit -> 140M"],
    ["applied"],
  ]);
  expect(lowered.notes).toEqual([expect.stringMatching(/^worker 1 has \d+ MiB: it may stop accepting/)]);
  await eventually(async () => (await overloaded()) > 0);
  // A worker that starts later has it as well.
  for (const worker of leak.program.workers()) process.kill(worker, "SIGKILL");
  await eventually(async () => (await overloaded()) === 0);
  expect(await (await FrameClient.connect(leak.port)).ask("leak")).toBe("leak");
  await eventually(async () => (await overloaded()) > 0);
  await limit({ limit: "max-lag", value: 0 }, leak.control);
  const rows = (await ask({ socketPath: leak.control }, { path: "/limits" })).json as LimitRow[];
  expect(rows.slice(-2).map(({ limit, text, origin }) => [limit, text, origin])).toEqual([
    ["max-memory", "140M", "changed"],
    ["max-lag", "off", "changed"],
  ]);
  expect((await limit({ limit: "max-memory", value: "off" }, leak.control)).status).toBe(200);
  await eventually(async () => (await overloaded()) === 0);
  const next = await FrameClient.connect(leak.port);
  expect(await next.ask("hi")).toBe("hi");
});

test("two changes at once come one after the other, and a worker that is stopped applies them when it goes on", async () => {
  // Tests before this one have killed workers.
  await eventually(async () => (await metricNow(adminPort, "drover_workers", { state: "running" })) === 2);
  const [worker = 0] = program.workers();
  process.kill(worker, "SIGSTOP");
  await eventually(() => isStopped(worker));
  const answers = Promise.all([2, 3].map((value) => limit({ limit: "max-per-address", value })));
  const [first, second] = await answers.finally(() => process.kill(worker, "SIGCONT"));
  expect([first?.text, second?.text]).toEqual([["no limit -> 2"], ["2 -> 3"]]);
  expect(first?.workers.map(({ state }) => state).sort()).toEqual(["applied", "not answering"]);
  await eventually(async () => {
    const served = await clients(8, port);
    for (const one of served) one.end();
    return served.length === 3;
  });
});
