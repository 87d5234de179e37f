/** Two listeners on two workers: frames over TLS with a limit, lines on a UNIX socket. One program for all tests, in order. */
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { post } from "../../admin/support.js";
import { http, metricsNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, ROOT, run } from "../../support/program.js";
import { testOnce } from "../../support/test-once.js";
import { eventually } from "../../support/until.js";

const CERTIFICATES = join(ROOT, "test/support/certificates");

const FILES = {
  "acme.ts": `
import { defineConfig } from "drover";
export default defineConfig({
  name: "acme",
  workers: 2,
  control: "acme.sock",
  listeners: [
    {
      name: "devices", protocol: "echo", port: 0, host: "127.0.0.1", maxConnections: 4,
      tls: { cert: "${CERTIFICATES}/server.crt", key: "${CERTIFICATES}/server.key" },
    },
    { name: "ops", protocol: "./greeter.ts", path: "ops.sock", mode: "0660", shutdown: "1s" },
  ],
});
`,
  "greeter.ts": `
import { defineProtocol, lines } from "drover";
export default defineProtocol({
  name: "greeter",
  framing: lines(),
  states: { waiting: { frame: (conn, line) => conn.send(\`hello \${line}\`) } },
});
`,
};

let program: Program;
let port: number;
let adminPort: number;

beforeAll(async () => {
  adminPort = await freePort();
  const args = ["start", "--config=acme.ts", `--admin-port=${adminPort}`, "--log-format=json"];
  program = new Program(args, { files: FILES });
  await program.line(({ msg }) => / serves /.test(msg ?? ""));
  port = (await program.line(({ listener, port }) => listener === "devices" && port > 0)).port;
});
afterAll(endAll);

const path = (name: string) => join(program.dir, name);
const drover = (...line: string[]) => run([...line, "--control", path("acme.sock")]);
const resume = (listener: string) => post({ socketPath: path("acme.sock") }, "/resume", { listener });
const json = async (path: string) => JSON.parse((await http(adminPort, path)).body);

async function device(): Promise<FrameClient> {
  const ca = readFileSync(join(CERTIFICATES, "ca.crt"));
  const socket = connectTls({ port, host: "127.0.0.1", ca, servername: "localhost" });
  await once(socket, "secureConnect");
  return new FrameClient(socket);
}

async function operator(): Promise<Socket> {
  const socket = connect(path("ops.sock"));
  await once(socket, "connect");
  return socket;
}

async function greeted(socket: Socket, name: string): Promise<string> {
  socket.write(`${name}\n`);
  return String((await once(socket, "data"))[0]);
}

test("each serves its own protocol, and the log, the tree and the list name both", async () => {
  const client = await device();
  expect(await client.ask("hello")).toBe("hello");
  const socket = await operator();
  expect(await greeted(socket, "ada")).toBe("hello ada\n");
  expect(statSync(path("ops.sock")).mode & 0o777).toBe(0o660);
  const { msg } = await program.line(({ msg }) => / serves /.test(msg ?? ""));
  expect(msg).toContain(
    `serves devices (echo on 127.0.0.1:${port}), ops (greeter on ${path("ops.sock")}) with 2 workers`,
  );
  const [worker] = (await json("/tree")).children.filter(({ kind }: { kind: string }) => kind === "worker");
  const [top] = worker.children;
  expect(top.name).toBe("listeners");
  expect(top.children.map(({ name }: { name: string }) => name)).toEqual(["devices", "ops"]);
  expect((await json("/connections?listener=ops")).matched).toBe(1);
  client.end();
  socket.end();
});

testOnce("info and connections name both, and a listener that is not there", async () => {
  const [client, socket] = [await device(), await operator()];
  expect(await client.ask("hello")).toBe("hello");
  await greeted(socket, "bea");
  const info = (await drover("info")).stdout;
  expect(info).toMatch(/listener devices +echo on 127\.0\.0\.1:\d+, \w+, TLS, at most 4 connections/);
  expect(info).toMatch(/listener ops +greeter on \S+ops\.sock, \w+\n/);
  const list = (await drover("connections")).stdout;
  expect(list).toMatch(/<\d\.\d+> +devices +ready +127/);
  expect(list).toMatch(/<\d\.\d+> +ops +waiting /);
  expect((await drover("connections", "--listener", "opps")).stderr).toContain(
    'no listener "opps": there are devices, ops',
  );
  client.end();
  socket.end();
});

test("the limit of one is exact, and not that of the other", async () => {
  const clients: FrameClient[] = [];
  for (let at = 0; at < 4; at++) clients.push(await device());
  expect(await Promise.all(clients.map((client) => client.ask("in")))).toEqual(Array(4).fill("in"));
  let served = false;
  const fifth = device().then(async (client) => {
    await client.ask("late");
    served = true;
    return client;
  });
  const socket = await operator();
  expect(await greeted(socket, "bob")).toBe("hello bob\n");
  // The operator of the test before has left, which its worker may learn later.
  const metrics = await eventually(async () => {
    const text = await metricsNow(adminPort);
    return series(text, "drover_connections_active", { listener: "ops" }) === 1 && text;
  });
  expect(series(metrics, "drover_connections_active", { listener: "devices" })).toBe(4);
  expect(series(metrics, "drover_max_connections", { listener: "devices" })).toBe(4);
  expect(series(metrics, "drover_listener_info", { listener: "devices", tls: "true" })).toBe(1);
  expect(served).toBe(false);
  clients[0]?.end();
  clients.push(await fifth);
  for (const client of clients) client.end();
  socket.end();
});

test("one is suspended by its name while the other serves, and what the page reads shows it", async () => {
  expect((await drover("suspend", "devices")).stdout).toBe(
    "worker 1  devices  suspended\nworker 2  devices  suspended\n",
  );
  const socket = await operator();
  expect(await greeted(socket, "cy")).toBe("hello cy\n");
  const waiting = device();
  const ready = await eventually(async () => {
    const body = await json("/ready");
    return body.acceptQueue === 1 && body;
  });
  expect(ready).toEqual({
    ok: true,
    status: "ready",
    workers: 2,
    acceptQueue: 1,
    listeners: [
      { listener: "devices", status: "suspended", acceptQueue: 1 },
      { listener: "ops", status: "accepting" },
    ],
  });
  const { listeners } = await json("/stats");
  expect(listeners).toMatchObject([
    { listener: "devices", protocol: "echo", suspended: true, acceptingWorkers: 0, tls: true },
    { listener: "ops", protocol: "greeter", suspended: false, acceptingWorkers: 2, tls: false },
  ]);
  expect((await drover("top")).stdout).toMatch(/devices +echo +127\.0\.0\.1:\d+ +suspended/);
  await resume("devices");
  const client = await waiting;
  expect(await client.ask("served")).toBe("served");
  client.end();
  socket.end();
});

test("a killed worker comes back with both", async () => {
  const [victim] = program.workers() as [number];
  process.kill(victim, "SIGKILL");
  await eventually(async () => {
    const { workers } = await json("/info");
    return workers.every(
      ({ osPid, state }: { osPid: number; state: string }) => osPid !== victim && state === "running",
    );
  });
  const client = await device();
  expect(await client.ask("again")).toBe("again");
  expect(await greeted(await operator(), "dee")).toBe("hello dee\n");
  client.end();
});

test("one is drained while the other serves", async () => {
  const [socket, client] = [await operator(), await device()];
  await greeted(socket, "eve");
  const ended = once(socket, "close");
  const { code, stdout } = await drover("drain", "ops", "--deadline=100ms");
  expect([code, stdout]).toEqual([1, expect.stringContaining("did not finish before the deadline")]);
  await ended;
  expect(await client.ask("here")).toBe("here");
  expect((await json("/ready")).listeners.map(({ status }: { status: string }) => status)).toEqual([
    "accepting",
    "suspended",
  ]);
  await resume("ops");
  expect(await greeted(await operator(), "fay")).toBe("hello fay\n");
  client.end();
});

test("at the end the UNIX socket is removed", async () => {
  program.signal("SIGTERM");
  const folder = path("ops.sock");
  await program.line(({ msg }) => /^stopping/.test(msg ?? ""));
  expect((await program.exited).code).toBe(0);
  expect(existsSync(folder)).toBe(false);
});
