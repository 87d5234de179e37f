/** What a protocol has beside its states: options, what a worker opens and closes, children. In `serve` and `connect`. */
import * as v from "valibot";
import { expect, test } from "vitest";
import {
  become,
  child,
  connect,
  counter,
  defineProtocol,
  genServer,
  lines,
  packet,
  serve,
  stop,
} from "../../../src/index.js";
import { compiledProtocol } from "../../../src/tcp/outgoing/outgoing-protocol.js";
import { readOptions, showOptions } from "../../../src/tcp/protocol/options/options.js";
import { validateProtocol } from "../../../src/tcp/protocol/validate/validate.js";
import { connected, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

const schema = v.object({
  database: v.pipe(v.string(), v.url()),
  batch: v.optional(v.pipe(v.number(), v.minValue(1)), 100),
  trace: v.optional(v.boolean(), false),
  pin: v.optional(v.pipe(v.string(), v.maxLength(4), v.metadata({ secret: true }))),
});

/** Notes what happens. */
function tracked(more: object = {}) {
  const seen: string[] = [];
  const protocol = defineProtocol({
    name: "tracker",
    framing: packet(2),
    options: schema,
    worker: {
      start: async ({ options }) => {
        seen.push(`start ${options.database}`);
        return { open: true, batch: options.batch };
      },
      stop: (pool) => {
        pool.open = false;
        seen.push("stop");
      },
      ...more,
    },
    data: (_peer, { worker }) => worker.batch,
    states: {
      ready: {
        enter: () => void seen.push("enter"),
        frame: (conn) => conn.send(`${conn.worker.open} ${conn.data} ${conn.options.database}`),
        leave: () => void seen.push("leave"),
      },
    },
  });
  return { protocol, seen };
}

const database = "db://a/b";

test("options are typed values in handlers; worker.start comes before the first client, worker.stop after the last", async () => {
  const { protocol, seen } = tracked();
  const server = await serving(protocol, { options: { database, batch: 7 } });
  expect(seen).toEqual([`start ${database}`]);
  const client = await connected(server);
  expect(await client.send("x").receive()).toEqual([`true 7 ${database}`]);
  await server.stop();
  expect(seen).toEqual([`start ${database}`, "enter", "leave", "stop"]);
});

const wrong: [given: object, says: string][] = [
  [
    {},
    'options of the protocol tracker: "database" is missing: set it with --set database=…, or in "options"',
  ],
  [{ database, batch: 0 }, "serve: options.batch: Invalid value: Expected >=1 but received 0"],
  [
    { database, btch: 5 },
    'serve: options.btch: no option "btch": the options of tracker are database, batch, trace, pin',
  ],
  [{ database, pin: "hunter2" }, "serve: options.pin: the value is not valid (it is secret)"],
];

test.for(wrong)("serve refuses the options %j", async ([options, says]) => {
  await expect(serve(tracked().protocol, { port: 0, options } as never)).rejects.toThrow(says);
});

test("a text of a flag is read as JSON where the schema refuses text", () => {
  const { protocol } = tracked();
  const set = (key: string, value: string) => ({ key, value, text: true, place: `--set ${key}` });
  const given = [set("database", database), set("batch", "20"), set("trace", "true"), set("pin", "1234")];
  expect(readOptions(protocol, given)).toEqual({ database, batch: 20, trace: true, pin: "1234" });
  expect(() => readOptions(protocol, [...given, set("batch", "abc")])).toThrow(
    '--set batch: Invalid type: Expected number but received "abc"',
  );
  expect(() => readOptions(protocol, [...given, set("batch", "-1")])).toThrow("--set batch: Invalid value");
});

test("secrets are not shown: marked by the schema, by their name, or as the password of a URL", () => {
  const options = { database: "db://app:hunter2@a/b", pin: "1234", apiKey: "k", batch: 1 };
  expect(showOptions(tracked().protocol, options).map(({ key, text }) => [key, text])).toEqual([
    ["database", "db://app:***@a/b"],
    ["pin", "(secret)"],
    ["apiKey", "(secret)"],
    ["batch", "1"],
  ]);
});

test("any Standard Schema will do, unless it is async", async () => {
  const own = (validate: (value: any) => any) => ({
    "~standard": { version: 1 as const, vendor: "own", validate },
  });
  const upper = own(({ name }) => ({ value: { name: String(name).toUpperCase() } }));
  const protocol = (options: any) =>
    defineProtocol({ name: "own", framing: lines(), options, states: { s: {} } });
  expect(readOptions(protocol(upper), [{ key: "name", value: "a", text: false, place: "" }])).toEqual({
    name: "A",
  });
  expect(() => readOptions(protocol(own(async () => ({ value: {} }))), [])).toThrow(
    "a schema that is not async",
  );
});

test("a protocol with options that only outgoing connections speak is compiled once", () => {
  const options = v.object({ batch: v.optional(v.number(), 100) });
  const upstream = defineProtocol({ name: "upstream", framing: lines(), options, states: { s: {} } });
  const compiled = compiledProtocol(upstream);
  expect(compiled.instance.options).toEqual({ batch: 100 });
  // A field: a failure that prints a whole compiled protocol is unreadable.
  expect(compiledProtocol(upstream) === compiled).toBe(true);
});

test("a worker.start that fails is a failed start, and what was started before is stopped", async () => {
  const { protocol, seen } = tracked();
  const failing = defineProtocol({
    name: "failing",
    framing: lines(),
    worker: { start: () => Promise.reject(new RangeError("no route")) },
    states: { s: {} },
  });
  const listeners = [
    { name: "one", protocol, port: 0, options: { database } },
    { name: "two", protocol: failing, port: 0 },
  ];
  await expect(serve({ listeners })).rejects.toThrow("protocol failing: worker.start: RangeError: no route");
  expect(seen).toEqual([`start ${database}`, "stop"]);
});

test("a worker.stop that hangs is waited for within the shutdown time, one second at least; one that fails is told", async () => {
  const hanging = tracked({ stop: () => new Promise(() => {}) });
  const server = await serve(hanging.protocol, { port: 0, shutdown: "100ms", options: { database } });
  await expect(server.stop()).rejects.toThrow("tracker: worker.stop has not settled within 1000 ms");
  const failing = tracked({ stop: () => Promise.reject(new Error("busy")) });
  const other = await serve(failing.protocol, { port: 0, shutdown: "100ms", options: { database } });
  await expect(other.stop()).rejects.toThrow("tracker: worker.stop: Error: busy");
});

test("listeners with the same options share what the worker opens, with others they do not", async () => {
  const { protocol, seen } = tracked();
  const listener = (name: string, database: string) => ({ name, protocol, port: 0, options: { database } });
  const server = await serve({
    listeners: [listener("a", "db://1"), listener("b", "db://1"), listener("c", "db://2")],
  });
  expect(seen).toEqual(["start db://1", "start db://2"]);
  await server.stop();
});

test("children run under the supervisor from before the listeners to after the connections", async () => {
  const seen: string[] = [];
  const flusher = genServer({
    name: "flusher",
    init: (of: string) => {
      seen.push(`init ${of}`);
      return { of };
    },
    terminate: () => void seen.push("terminate"),
    trapExit: true,
  } as never);
  const server = await serving(
    defineProtocol({
      name: "flushing",
      framing: packet(2),
      worker: { start: () => "pool", stop: () => void seen.push("stop") },
      children: ({ worker }) => [child(flusher as never, worker as never)],
      states: { ready: { frame: () => stop(), leave: () => void seen.push("leave") } },
    }),
  );
  expect(seen).toEqual(["init pool"]);
  const client = await connected(server);
  await client.send("").close();
  await until(() => server.counters.active === 0 && seen.length > 1);
  await server.stop();
  expect(seen).toEqual(["init pool", "leave", "terminate", "stop"]);
});

test("an outgoing connection has the options of connect, else those of the listener that serves its protocol", async () => {
  const seen: string[] = [];
  const echo = defineProtocol({
    name: "echo",
    framing: packet(2),
    options: v.object({ word: v.optional(v.string(), "none") }),
    states: { ready: { enter: (conn) => void seen.push(conn.options.word) } },
  });
  const server = await serving(echo, { options: { word: "served" } });
  await connect(echo, { port: server.port, options: { word: "own" } });
  await connect(echo, { port: server.port });
  await until(() => seen.length === 4);
  expect(seen.filter((word) => word !== "served")).toEqual(["own"]);
  const other = await serving(tracked().protocol, { options: { database } });
  const lone = tracked().protocol;
  await expect(connect(lone, { port: other.port })).rejects.toThrow("which only a listener starts");
});

test("a protocol that a connection becomes has options, worker and metrics of its own", async () => {
  const seen: string[] = [];
  const logins = counter("Logins");
  const inner = defineProtocol({
    name: "inner",
    framing: packet(2),
    options: v.object({ word: v.optional(v.string(), "none") }),
    worker: {
      start: ({ options }) => `pool of ${options.word}`,
      stop: (pool) => void seen.push(`stop ${pool}`),
    },
    metrics: { logins },
    states: {
      open: {
        enter: (conn) => {
          conn.metrics.logins.inc();
          conn.send(`${conn.options.word}, ${conn.worker}`);
        },
      },
    },
  });
  const outer = defineProtocol({
    name: "outer",
    framing: packet(2),
    states: { open: { frame: () => become(inner) } },
    becomes: () => [inner],
  });
  const server = await serving(outer, { options: { word: "given" } });
  const client = await connected(server);
  expect(await client.send("go").receive()).toEqual(["given, pool of given"]);
  expect(logins.value()).toBe(1);
  await client.close();
  await server.stop();
  expect(seen).toEqual(["stop pool of given"]);
});

const right = { name: "right", framing: lines(), states: { s: {} } };
const undefinable: [more: object, says: string][] = [
  [{ options: {} }, '"options" must be a schema, such as v.object({ database: v.string() }) of valibot'],
  [
    { worker: () => {} },
    '"worker" must be an object such as { start: ({ options }) => …, stop: (pool) => … }',
  ],
  [{ worker: { begin: () => {} } }, "unknown key worker.begin; a worker has start and stop"],
  [{ worker: { stop: () => {} } }, "worker.start must be a function"],
  [{ worker: { start: () => {}, stop: 1 } }, "worker.stop must be a function, got number"],
  [{ children: {} }, '"children" must be a list of child specs, or a function that returns one'],
];

test.for(undefinable)("defineProtocol refuses %j", ([more, says]) => {
  expect(() => validateProtocol({ ...right, ...more } as never)).toThrow(says);
});
