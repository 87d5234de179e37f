/** State of a process as text: what it shows, hides and cuts. */
import { inspect } from "node:util";
import { expect, it } from "vitest";
import { shownCopy } from "../../../src/cluster/inspect/shown-copy.js";
import { formatValue, stateView } from "../../../src/cluster/inspect/state-text.js";
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

it("shows values of each kind, and what is left out", () => {
  class Device {
    readonly id = 7;
    #secret = 1;
    get secret() {
      return this.#secret;
    }
  }
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const cases: [unknown, string][] = [
    [[1, "two", null, undefined, 3n], "[ 1, 'two', null, undefined, 3n ]"],
    [new Device(), "Device { id: 7 }"],
    [circular, "<ref *1> { self: [Circular *1] }"],
    [Object.create(null), "[Object: null prototype] {}"],
    [{ r: /a+/g, f: Math.max }, "{ r: /a+/g, f: [Function: max] }"],
    [{ a: { b: { c: { d: { e: { f: 1 } } } } } }, "{ a: { b: { c: { d: { e: [Object] } } } } }"],
    [Buffer.from("hi"), "<Buffer 68 69>"],
    [new Set(["a"]), "Set(1) { 'a' }"],
    ["x".repeat(1001), `'${"x".repeat(1000)}… (+1)'`],
  ];
  for (const [value, text] of cases) expect(formatValue(value).replace(/\s+/g, " ")).toBe(text);
  // Node encloses it in brackets up to 22.
  expect(formatValue({ [Symbol("s")]: 1 })).toMatch(/^\{ \[?Symbol\(s\)\]?: 1 \}$/);
  expect(formatValue(new RangeError("far"))).toMatch(/^RangeError: far\n +at /);
  expect(formatValue(Array.from({ length: 60 }, (_, n) => n))).toMatch(/49,\s+… 10 more items\s+\]$/);
  expect(formatValue(Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, n])))).toMatch(
    /k99: 99,\s+'…': … 1 more key\s+\}$/,
  );
  expect(formatValue(new Map(Array.from({ length: 52 }, (_, n) => [n, n])))).toMatch(/… 2 more items => …/);
});

it("shows data without running code of it", () => {
  let calls = 0;
  const call = () => `${calls++}`;
  const getter = (key: PropertyKey) => Object.defineProperty({}, key, { enumerable: true, get: call });
  const proxy = new Proxy({}, new Proxy({}, { get: () => call }));
  const values = [
    getter("x"),
    getter(Symbol.toStringTag),
    getter("constructor"),
    { [inspect.custom]: call },
    Object.defineProperty(new Error("x"), "stack", { get: call }),
    proxy,
    Object.create(proxy),
    new Map([[proxy, getter("y")]]),
  ];
  for (const value of [...values, values]) formatValue(value);
  expect(calls).toBe(0);
  expect(formatValue(getter("x"))).toBe("{ x: [Getter] }");
  expect(formatValue(proxy)).toBe("[Proxy]");
});

it("shows a small part of what is large", () => {
  const many = <T>(of: () => T) => Array.from({ length: 100 }, of);
  const large = many(() => many(() => many(() => ({ a: 1 }))));
  expect(formatValue(large)).toMatch(/…/);
  expect(JSON.stringify(shownCopy(large)).length).toBeLessThan(100_000);
});

it("survives data that throws when inspected", async () => {
  class Hostile {
    [inspect.custom](): never {
      throw new Error("no");
    }
  }
  const hostile = () => new Hostile();
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
