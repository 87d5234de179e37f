/** `connect` and `connection`: processes of outgoing connections, their names, links and ends. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  type ConnectError,
  connect,
  connection,
  defineProtocol,
  exit,
  lines,
  type Pid,
  send,
  startSupervisor,
  stop,
  whereis,
  whichChildren,
} from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import { stopSupervisor } from "../../../src/otp/supervisor/supervisor.js";
import { CONNECT_RESULTS, type OutgoingCounts } from "../../../src/tcp/observe/events.js";
import { limited, outgoingCounts } from "../../../src/tcp/outgoing/outgoing-protocol.js";
import { outgoingSupervisor, stopOutgoing } from "../../../src/tcp/outgoing/supervisor.js";
import { serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

const echo = defineProtocol({
  name: "shout",
  framing: lines(),
  states: { open: { frame: (conn, line) => conn.send(line.toUpperCase()) } },
});

/** A client whose answers are kept in its data. */
const client = defineProtocol({
  name: "asker",
  framing: lines(),
  data: () => ({ answers: [] as string[] }),
  states: {
    open: {
      enter: (conn) => conn.send("hello"),
      frame: (conn, line) => void conn.data.answers.push(line),
      message: (conn, line: string) =>
        line === "crash" ? fail() : line === "stop" ? stop() : conn.send(line),
      ended: () => stop(),
    },
  },
});

function fail(): never {
  throw new Error("on purpose");
}

/** Ends what a test leaves. */
function mine(pid: Pid): Pid {
  onTestFinished(() => exit(pid, "kill"));
  return pid;
}

const dataOf = (pid: Pid) => (processOf(pid) as unknown as { data: { answers: string[] } }).data;
const countsOf = (protocol: string) => outgoingCounts().find((one) => one.protocol === protocol);

async function silentServer() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on("error", () => {}))).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { server, sockets, port: (server.address() as AddressInfo).port };
}

test.each(["handle", "stream"] as const)(
  "runs the states of a protocol on a connection of its own (%s)",
  async (transport) => {
    const { port, counters } = await serving(echo);
    const before = countsOf("asker")?.connects.open ?? 0;
    const pid = mine(await connect(client, { port, name: "upstream", transport }));
    await until(() => dataOf(pid).answers.length === 1);
    send("upstream", "and more");
    await until(() => dataOf(pid).answers.length === 2);
    expect(dataOf(pid).answers).toEqual(["HELLO", "AND MORE"]);
    expect(whereis("upstream")).toBe(pid);
    expect(outgoingSupervisor()?.children()).toContain(pid);
    expect(countsOf("asker")).toMatchObject({ active: 1, connects: { open: before + 1 } });
    send(pid, "stop");
    await until(() => counters.active === 0 && countsOf("asker")?.active === 0);
    expect([whereis("upstream"), processOf(pid), countsOf("asker")?.active]).toEqual([
      undefined,
      undefined,
      0,
    ]);
  },
);

test("its data can be made for this connection, from its peer", async () => {
  const { port } = await serving(echo);
  const pid = mine(await connect(client, { port, data: (peer) => ({ answers: [`from ${peer.port}`] }) }));
  await until(() => dataOf(pid).answers.length === 2);
  expect(dataOf(pid).answers).toEqual([`from ${port}`, "HELLO"]);
});

test("connects to a host name, and to a UNIX socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "connect-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "x.sock");
  const { port } = await serving(echo);
  await serving(echo, { path });
  for (const where of [{ host: "localhost", port }, { path }]) {
    const pid = mine(await connect(client, where));
    await until(() => dataOf(pid).answers[0] === "HELLO");
  }
});

test("what cannot be reached is an error with a code, and is counted", async () => {
  const { server, port } = await silentServer();
  server.close();
  const before = countsOf("asker")?.connects.econnrefused ?? 0;
  const refused = await connect(client, { port }).catch((error: ConnectError) => error);
  expect(refused).toMatchObject({
    name: "ConnectError",
    code: "econnrefused",
    reason: { connect: "econnrefused" },
    message: `connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  expect(countsOf("asker")?.connects.econnrefused).toBe(before + 1);
  await expect(connect(client, { path: "/no/such" })).rejects.toMatchObject({ code: "enoent" });
  await expect(connect(client, { host: "no-such-host.invalid", port })).rejects.toMatchObject({
    code: expect.stringMatching(/^(enotfound|eai_again)$/),
  });
});

test("a name that is taken is refused before anything is connected", async () => {
  const { port, counters } = await serving(echo);
  const pid = mine(await connect(client, { port, name: "only" }));
  await expect(connect(client, { port, name: "only" })).rejects.toMatchObject({
    reason: { already_started: pid },
  });
  expect(counters.accepted).toBe(1);
});

test("linked: a crash of either ends the other; one that has gone ends the attempt", async () => {
  const { port, counters } = await serving(echo);
  const one = mine(await connect(client, { port }));
  const other = mine(await connect(client, { port, link: one }));
  send(other, "crash");
  await until(() => !processOf(one));
  await until(() => counters.active === 0);
  await expect(connect(client, { port, link: one })).rejects.toMatchObject({ reason: "noproc" });
});

test("a caller that ends while it connects cancels it", async () => {
  const { port } = await serving(echo);
  const caller = mine(await connect(client, { port }));
  const before = countsOf("asker")?.connects.open;
  const attempt = connect(client, { port, link: { pid: caller } });
  exit(caller, "kill");
  await expect(attempt).rejects.toMatchObject({ code: "cancelled" });
  expect(countsOf("asker")?.connects.open).toBe(before);
});

test("in a tree of one's own it is a child like another: restarted, and counted", async () => {
  const { port, sockets } = await silentServer();
  const root = await startSupervisor("own", { intensity: 5 }, [connection(client, { port, name: "db" })]);
  onTestFinished(() => stopSupervisor(root));
  const first = whereis("db") as Pid;
  expect((await whichChildren(root)).map(({ id, pid }) => [id, pid])).toEqual([["db", first]]);
  (await until(() => sockets[0])).end();
  const second = await until(() => (whereis("db") !== first ? whereis("db") : undefined));
  expect((processOf(root) as unknown as { restartsLeft: number }).restartsLeft).toBe(4);
  await stopSupervisor(root);
  expect(processOf(second)).toBeUndefined();
});

test("in a tree of one's own, one that cannot be opened is a failed start", async () => {
  const { server, port } = await silentServer();
  server.close();
  await expect(startSupervisor("own", {}, [connection(client, { port })])).rejects.toMatchObject({
    reason: { shutdown: { failed_to_start_child: "asker", reason: { connect: "econnrefused" } } },
  });
});

test("stopping the supervisor outgoing ends all connections, and the next connect begins anew", async () => {
  const { port, counters } = await serving(echo);
  const pids = [await connect(client, { port }), await connect(client, { port, reconnect: true })];
  await stopOutgoing();
  expect(pids.map(processOf)).toEqual([undefined, undefined]);
  await until(() => counters.active === 0);
  expect(outgoingSupervisor()).toBeUndefined();
  mine(await connect(client, { port }));
  expect(outgoingSupervisor()?.active).toBe(1);
});

test.each([
  [{}, '"port" is missing: give a whole number from 1 to 65535, or "path"'],
  [{ port: 0 }, '"port" must be a whole number from 1 to 65535, got 0'],
  [{ port: 1, path: "/x" }, '"path" and "port" are two addresses: remove one of them'],
  [
    { path: `/${"x".repeat(107)}` },
    `"path" /${"x".repeat(107)}: the path has 108 bytes, the maximum is 107: choose a shorter one`,
  ],
  [
    { port: 1, hots: "x" },
    'unknown option "hots"; the options are port, host, path, tls, proxy, reconnect, name, timeout, data, options, transport, link',
  ],
  [
    { port: 1, tls: false },
    '"tls" must be true, or options such as { ca: "ca.pem" }: there is no way to turn verification off',
  ],
  [{ path: "/x", tls: true }, '"tls.serverName" is missing: give the name that the certificate of /x is for'],
  [
    { port: 1, tls: { rejectUnauthorized: false } },
    'unknown option "tls.rejectUnauthorized"; the options are ca, cert, key, passphraseFile, serverName, alpn, minVersion',
  ],
  [
    { port: 1, reconnect: { first: "1s", max: "1ms" } },
    '"reconnect" must be true, or { first: "200ms", max: "15s" }: restartDelay: max must not be less than first',
  ],
  [{ port: 1, name: "" }, '"name" must be a non-empty string'],
])("the options %j are refused", async (options, message) => {
  await expect(connect(client, options as never)).rejects.toThrow(new TypeError(`connect: ${message}`));
});

test("of more protocols than the metrics take the last ones are counted as one", () => {
  const connects = Object.fromEntries(
    CONNECT_RESULTS.map((result) => [result, 2]),
  ) as OutgoingCounts["connects"];
  const counts = ["a", "b", "c", "d"].map((protocol) => ({ protocol, active: 1, connects }));
  expect(limited(counts, 4)).toBe(counts);
  expect(limited(counts, 3)).toEqual([
    ...counts.slice(0, 2),
    {
      protocol: "other",
      active: 2,
      connects: Object.fromEntries(CONNECT_RESULTS.map((result) => [result, 4])),
    },
  ]);
});
