/** Several listeners in one OS process: names, limits of each and of all, the tree, and how they stop. */
import { connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { drawTree } from "../../../src/cluster/inspect/tree.js";
import {
  defineProtocol,
  exit,
  lines,
  packet,
  type ServeListenersOptions,
  serve,
  whereis,
} from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import type { AcceptQuota } from "../../../src/tcp/listener/accept-quota.js";
import type { Listener } from "../../../src/tcp/listener/listener.js";
import { SharedMaximum } from "../../../src/tcp/listener/shared-maximum.js";
import { Loop } from "../../../src/tcp/loop/loop.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import { type ServerOptions, startServers, stopServers } from "../../../src/tcp/server.js";
import { bind } from "../../../src/transport/listening-socket.js";
import type { Client } from "../../support/client.js";
import { connected } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

const upper = defineProtocol({
  name: "upper",
  framing: lines(),
  states: { ready: { frame: (conn, line) => conn.send(line.toUpperCase()) } },
});

async function served<const Name extends string>(options: ServeListenersOptions<Name>) {
  const server = await serve(options);
  onTestFinished(() => server.stop());
  return server;
}

test("each listener serves its own protocol on its own address, and counts for itself", async () => {
  const { listeners } = await served({
    listeners: [
      { name: "devices", protocol: echo, port: 0 },
      { name: "ops", protocol: upper, port: 0, shutdown: "100ms" },
    ],
  });
  const { devices, ops } = listeners;
  expect(await (await connected(devices)).send("a").receive()).toEqual(["a"]);
  const client = await connected(ops);
  client.write("b\nc\n");
  await until(() => client.bytes.length === 4);
  expect(client.bytes.toString()).toBe("B\nC\n");
  expect(devices.counters).toMatchObject({ accepted: 1, framesReceived: 1 });
  expect(ops.counters).toMatchObject({ accepted: 1, framesReceived: 2 });
});

test("one that cannot listen stops all, and the error names its address", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await until(() => taken.listening);
  const { port } = taken.address() as { port: number };
  const free = bind("127.0.0.1", 0);
  free.close();
  const listeners = [
    { name: "first", protocol: echo, port: free.port },
    { name: "second", protocol: echo, port },
  ];
  await expect(serve({ listeners })).rejects.toThrow(`listen EADDRINUSE: 127.0.0.1:${port}`);
  const socket = connect(free.port, "127.0.0.1");
  const code = await new Promise((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.on("connect", () => resolve("connected"));
  });
  socket.destroy();
  expect(code).toBe("ECONNREFUSED");
});

test.each([
  [{ listeners: [] }, 'serve: "listeners" must be an array of at least one listener'],
  [{ listeners: [{ protocol: echo, port: 0 }] }, 'serve: listeners[0]: "name" must be a letter'],
  [
    { listeners: ["a", "a"].map((name) => ({ name, protocol: echo, port: 0 })) },
    'serve: listeners[1]: another listener is called "a": rename one',
  ],
  [{ listeners: [{ name: "a", port: 0 }] }, 'serve: listeners[0]: "protocol" is missing'],
  [{ listeners: [{ name: "a", protocol: echo }] }, 'serve: listener "a": "port" is missing'],
  [{ listeners: [{ name: "a", protocol: echo, port: 0, prot: 1 }] }, 'listener "a": unknown option "prot"'],
  [{ listeners: [{ name: "a", protocol: echo, port: 0 }], port: 1 }, 'serve: unknown option "port"'],
  [{ listeners: [{ name: "a", protocol: echo, port: 0 }], maxConnections: 0 }, '"maxConnections" must be'],
])("a mistake is refused with its place: %#", async (options, message) => {
  await expect(serve(options as ServeListenersOptions)).rejects.toThrow(message);
});

test("above the maximum of all, a client of any listener is refused; below it there is room again", async () => {
  const { listeners } = await served({
    maxConnections: 3,
    listeners: [
      { name: "one", protocol: echo, port: 0, maxConnections: 2 },
      { name: "two", protocol: echo, port: 0 },
    ],
  });
  const { one, two } = listeners;
  const first = await connected(one);
  await first.send("1").receive();
  for (let n = 0; n < 2; n++) await (await connected(two)).send("x").receive();
  const refused = connect(one.port, "127.0.0.1").on("error", () => {});
  await until(() => refused.destroyed);
  expect(one.counters.refused.max_connections).toBe(1);
  await first.close();
  await until(() => one.counters.active === 0);
  expect(await (await connected(two)).send("y").receive()).toEqual(["y"]);
  expect([one.counters.active, two.counters.active]).toEqual([0, 3]);
});

/** Renewable listeners as in a worker, whose copies are bound again. */
async function workerLike(
  names: readonly string[],
  maximum: () => number,
  own: readonly number[] = [],
  quotas: readonly number[] = [],
) {
  const loop = new Loop();
  const endpoints = names.map((name) => new Endpoint({ name, loop }));
  const shared = new SharedMaximum(endpoints, maximum);
  const servers = endpoints.map((endpoint, at): ServerOptions => {
    const bound = bind("127.0.0.1", 0);
    const { port } = bound;
    let first: unknown = bound.handle;
    return {
      ...{ endpoint, shared, prefix: `${endpoint.name}.`, protocol: new CompiledProtocol(echo) },
      acquire: async () => {
        const handle = first ?? bind("127.0.0.1", port).handle;
        first = undefined;
        return { handle };
      },
      ...{ renewable: true, maxConnections: own[at] ?? Infinity, shutdown: "100ms" },
      quota: quotaOf(quotas[at] ?? Infinity),
    };
  });
  const root = await startServers(servers);
  onTestFinished(() => stopServers(root));
  const listenerOf = (name: string) => processOf(whereis(`${name}.listener`)!) as Listener;
  return { root, endpoints, listenerOf, states: () => names.map((name) => listenerOf(name).state) };
}

const quotaOf = (value: number): AcceptQuota => ({
  ...{ value, reportAt: value },
  reached: (active) => active >= value,
  released: () => {},
});

const clientOf = async ({ address }: Listener): Promise<Client> => {
  const client = await connected({ port: address.port });
  await client.send("hi").receive();
  return client;
};

test("at the maximum of all every listener is full at once; when any connection ends they accept again", async () => {
  const { listenerOf, states, endpoints } = await workerLike(["a", "b", "c"], () => 4, [Infinity, 2]);
  const clients: Client[] = [];
  for (const name of ["a", "b", "b", "a"]) {
    clients.push(await clientOf(listenerOf(name)));
    if (clients.length === 3) expect(states()).toEqual(["listening", "full", "listening"]);
  }
  expect(states()).toEqual(["full", "full", "full"]);
  expect(["a", "b", "c"].map((name) => listenerOf(name).maxConnections)).toEqual([2, 2, 0]);
  // One of b ends: all may take the place, and the first one has it.
  await clients[1]?.close();
  await until(() => states().every((state) => state === "listening"));
  await clientOf(listenerOf("c"));
  expect(states()).toEqual(["full", "full", "full"]);
  expect(endpoints.map(({ counters }) => counters.active)).toEqual([2, 1, 1]);
  expect(endpoints.every(({ counters }) => counters.refused.max_connections === 0)).toBe(true);
});

test("one that was ahead and then lacks room accepts again when a connection of another ends", async () => {
  let maximum = 8;
  const { listenerOf, states } = await workerLike(["a", "b"], () => maximum, [], [6]);
  const clients: Client[] = [];
  for (let n = 0; n < 6; n++) clients.push(await clientOf(listenerOf("a")));
  const others = [await clientOf(listenerOf("b")), await clientOf(listenerOf("b"))];
  expect(states()).toEqual(["ahead", "full"]);
  // As if another listener had taken the place before a looks for room.
  maximum = 7;
  await clients[0]?.close();
  // It waits for room now, no longer for other workers.
  await until(() => states()[0] === "full");
  expect(states()).toEqual(["full", "full"]);
  await others[0]?.close();
  await until(() => states().every((state) => state === "listening"));
});

test("a place that becomes free is offered first to the listener that has waited longest", () => {
  const endpoints = ["a", "b", "c"].map((name) => new Endpoint({ name, loop: new Loop() }));
  const [a, b, c] = endpoints as [Endpoint, Endpoint, Endpoint];
  const shared = new SharedMaximum(endpoints, () => 2);
  const offered: string[] = [];
  const accept = (endpoint: Endpoint) => {
    endpoint.counters.active++;
    shared.accepted(endpoint);
  };
  for (const endpoint of endpoints)
    shared.join(endpoint, { heedLimit: () => {}, heedRoom: () => void offered.push(endpoint.name) });
  accept(a);
  accept(b);
  const ended = (endpoint: Endpoint): string => {
    endpoint.counters.active--;
    shared.released();
    return offered.splice(0).join("");
  };
  expect(ended(a)).toBe("acb");
  accept(a);
  expect(ended(b)).toBe("cba");
  accept(c);
  expect(ended(a)).toBe("bac");
});

test("connections of a listener that is being restarted count, and their ends are noticed", async () => {
  const { listenerOf, states } = await workerLike(["a", "b"], () => 2);
  const clients = [await clientOf(listenerOf("a")), await clientOf(listenerOf("a"))];
  await until(() => states().every((state) => state === "full"));
  const before = listenerOf("a").pid;
  exit(before, "kill");
  await until(() => whereis("a.listener") !== undefined && listenerOf("a").pid !== before);
  await until(() => states().every((state) => state === "full"));
  await clients[0]?.close();
  await until(() => states().every((state) => state === "listening"));
});

test("a listener that gives up is restarted as a whole, and the other does not notice", async () => {
  const { root, listenerOf, endpoints } = await workerLike(["a", "b"], () => 10);
  const client = await clientOf(listenerOf("b"));
  const server = () => processOf(whereis("a.connections")!)!.parent?.pid;
  const before = server();
  for (let n = 0; n < 6; n++) {
    const pid = whereis("a.listener")!;
    exit(pid, "kill");
    await until(() => whereis("a.listener") !== undefined && whereis("a.listener") !== pid);
  }
  expect(server()).not.toBe(before);
  expect(await client.send("still").receive(2)).toEqual(["hi", "still"]);
  const tree = await drawTree(processOf(root)!, 10);
  const names = (node: typeof tree): unknown => [node.name, ...node.children.map(names)];
  expect(names(tree)).toEqual([
    "listeners",
    ["a", ["connections"], ["listener"]],
    ["b", ["connections", ["echo"]], ["listener"]],
  ]);
  expect(endpoints[1]?.counters.active).toBe(1);
});

test("all listeners stop at once: none accepts while the connections of another drain", async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const slow = defineProtocol({
    name: "slow",
    framing: packet(2),
    states: {
      ready: {
        frame: async (conn, frame) => {
          await gate;
          conn.send(frame);
        },
      },
    },
  });
  const server = await serve({
    listeners: ["a", "b", "c"].map((name) => ({ name, protocol: slow, port: 0, shutdown: "1h" })),
  });
  const listeners = Object.values(server.listeners);
  const clients = await Promise.all(listeners.map((listener) => connected(listener)));
  for (const client of clients) client.send("x");
  await until(() => listeners.every(({ counters }) => counters.framesReceived === 1));
  const stopped = server.stop();
  await turn(3);
  const late = await Promise.all(
    listeners.map(
      ({ port }) =>
        new Promise((resolve) => {
          const socket = connect(port, "127.0.0.1");
          socket.on("error", () => resolve("refused"));
          socket.on("connect", () => resolve("connected"));
        }),
    ),
  );
  expect(late).toEqual(["refused", "refused", "refused"]);
  open();
  for (const client of clients) {
    expect(await client.receive()).toEqual(["x"]);
    client.socket.end();
  }
  await stopped;
});
