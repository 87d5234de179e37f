/** A gateway in the built program: clients over a UNIX socket, outgoing connections in its workers. */
import { once } from "node:events";
import { existsSync, lstatSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { Client } from "../../support/client.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, run } from "../../support/program.js";
import { testOnce } from "../../support/test-once.js";
import { eventually } from "../../support/until.js";

const gateway = (port: number) => `
import { connect, defineProtocol, next, raw, send, stop } from "drover";
const END = "end";
const relay = {
  enter: (conn) => conn.throttleBy(conn.data.other),
  frame: (conn, bytes) => send(conn.data.other, bytes),
  message: (conn, bytes) => (bytes === END ? stop() : conn.send(bytes)),
  ended: (conn) => (send(conn.data.other, END), stop()),
};
const upstream = defineProtocol({ name: "upstream", framing: raw(), states: { relay } });
const keeper = defineProtocol({ name: "keeper", framing: raw(), states: { idle: { ended: () => stop() } } });
void connect(keeper, { port: ${port}, name: "kept", reconnect: { first: "50ms", max: "200ms" } });
export default defineProtocol({
  name: "gateway",
  framing: raw(),
  data: () => ({ other: undefined }),
  states: {
    connecting: {
      async enter(conn) {
        conn.data.other = await connect(upstream, { port: ${port}, link: conn, data: () => ({ other: conn.pid }) });
        return next("relay");
      },
    },
    relay,
  },
});
`;

let program: Program;
let path: string;
let adminPort: number;
let far: { port: number; sockets: Socket[]; stop(): void; begin(): Promise<unknown> };

function farEnd(): Promise<typeof far> {
  const sockets: Socket[] = [];
  let server = createServer();
  const begin = async (port = 0) => {
    server = createServer((socket) => {
      sockets.push(socket.on("error", () => {}));
      socket.on("data", (bytes) => socket.write(bytes));
    }).listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const stop = () => {
    server.close();
    for (const socket of sockets.splice(0)) socket.resetAndDestroy();
  };
  return begin().then((port) => ({ port, sockets, stop, begin: () => begin(port) }));
}

beforeAll(async () => {
  far = await farEnd();
  adminPort = await freePort();
  program = new Program(
    [
      ...["start", "./gateway.ts", "--path=clients.sock", "--mode=0660", "--workers=2"],
      ...[`--admin-port=${adminPort}`, "--log-format=json"],
    ],
    { files: { "gateway.ts": gateway(far.port) } },
  );
  path = join(program.dir, "clients.sock");
  await program.line((line) => / serves /.test(line.msg ?? ""));
});

afterAll(async () => {
  far.stop();
  await endAll();
});

const metrics = async () => (await http(adminPort, "/metrics")).body;
const command = (...args: string[]) => run(args, { env: { DROVER_CONTROL: control() } });
const control = () => join(program.dir, `drover-${process.getuid?.()}`, "drover.sock");

test("it listens on the UNIX socket with its mode, and says so in the log", () => {
  expect(lstatSync(path).mode & 0o777).toBe(0o660);
  expect(program.lines.find((line) => / serves /.test(line.msg))?.msg).toContain(
    `serves gateway on ${path} with 2 workers`,
  );
});

test("clients of all workers reach the far end, through processes that the tree shows beside the listener", async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connectTo(path)));
  for (const [n, client] of clients.entries()) client.write(`hello ${n}`);
  await eventually(() => clients.every((client, n) => `${client.bytes}` === `hello ${n}`));
  const { stdout } = await command("tree");
  expect(stdout).toMatch(new RegExp(`listener +${path} running`));
  expect(stdout).toMatch(/outgoing +\d+, temporary, shutdown 2s/);
  expect(stdout).toMatch(new RegExp(`upstream +relay +127\\.0\\.0\\.1:${far.port}`));
  expect(stdout).toMatch(new RegExp(`kept +127\\.0\\.0\\.1:${far.port} open`));
  await eventually(
    async () => series(await metrics(), "drover_outgoing_active", { protocol: "upstream" }) === 20,
  );
  expect(series(await metrics(), "drover_connections_active")).toBe(20);
  await Promise.all(clients.map((client) => client.close()));
  await eventually(
    async () => series(await metrics(), "drover_outgoing_active", { protocol: "upstream" }) === 0,
  );
  const labels = { protocol: "upstream", result: "open" };
  expect(series(await metrics(), "drover_outgoing_connects_total", labels)).toBe(20);
});

test("a far end that is killed and comes back is connected to again, and no restart is counted", async () => {
  const before = series(await metrics(), "drover_restarts_left", { supervisor: "tcp_server" });
  far.stop();
  const failed = { protocol: "keeper", result: "econnrefused" };
  await eventually(async () => (series(await metrics(), "drover_outgoing_connects_total", failed) ?? 0) >= 4);
  await far.begin();
  await eventually(
    async () => series(await metrics(), "drover_outgoing_active", { protocol: "keeper" }) === 2,
  );
  expect(series(await metrics(), "drover_restarts_left", { supervisor: "tcp_server" })).toBe(before);
  expect(program.lines.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^connection to 127\.0\.0\.1:\d+ ended: .*; next attempt in \d+ ms$/),
      expect.stringMatching(
        /^cannot connect to 127\.0\.0\.1:\d+: connect ECONNREFUSED .*; next attempt in \d+ ms$/,
      ),
    ]),
  );
});

test("a worker that is killed loses no client that is waiting, and its totals stay", async () => {
  const open = { protocol: "upstream", result: "open" };
  const before = series(await metrics(), "drover_outgoing_connects_total", open) as number;
  for (const pid of program.workers()) process.kill(pid, "SIGKILL");
  const client = (await Client.connectTo(path)).write("still there");
  await eventually(() => `${client.bytes}` === "still there");
  await eventually(
    async () => series(await metrics(), "drover_outgoing_connects_total", open) === before + 1,
  );
  await client.close();
});

testOnce("what is in the way of the socket is refused with its path", async () => {
  const taken = await run(["check", "--path", path]);
  expect([taken.code, taken.stdout]).toEqual([
    69,
    expect.stringContaining(`UNIX socket ${path}: another program accepts connections on it`),
  ]);
  const file = join(program.dir, "file");
  writeFileSync(file, "precious");
  const inTheWay = await run(["start", "--path", file]);
  expect([inTheWay.code, inTheWay.stderr]).toEqual([
    78,
    `drover: UNIX socket ${file}: exists and is not a socket: remove it, or choose another path\n`,
  ]);
});

test("at the end everything is closed, and the socket is gone", async () => {
  const client = await Client.connectTo(path);
  await eventually(() => far.sockets.length > 0);
  program.signal("SIGTERM");
  expect((await program.exited).code).toBe(0);
  expect([existsSync(path)]).toEqual([false]);
  await client.end();
});
