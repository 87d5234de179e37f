/** Traces: what they show, their limits, and that nothing is left of them afterwards. */
import { expect, it } from "vitest";
import { traceProcess } from "../../../src/cluster/inspect/tracer.js";
import type { TraceLine } from "../../../src/control/trace.js";
import {
  begin,
  call,
  cast,
  defineProtocol,
  exit,
  genServer,
  genStatem,
  next,
  packet,
  send,
  start,
} from "../../../src/index.js";
import { type Process, processOf } from "../../../src/otp/process/process.js";
import { settle } from "../../../src/otp/time/clock.js";
import type { Connection } from "../../../src/tcp/connection/connection.js";
import { connected, manualClock, testServer } from "../../support/serving.js";
import { until } from "../../support/until.js";

const gate = defineProtocol({
  name: "gate",
  framing: packet(2),
  states: {
    closed: {
      frame: (conn, frame) => {
        conn.send(`no ${frame}`);
        if (String(frame) === "open") return next("open");
        if (String(frame) === "crash") throw new Error("as told");
      },
    },
    open: {
      frame: (conn, frame) => void conn.send(frame),
      message: (conn, message: unknown) => void conn.send(JSON.stringify(message)),
      idle: { after: "1m", do: next("closed") },
    },
  },
});

/** A server with one connection that is traced. */
async function traced(protocol = gate as Parameters<typeof testServer>[0]) {
  const server = await testServer(protocol);
  const client = await connected(server);
  const children = processOf(server.connections) as Process & { children(): Connection["pid"][] };
  const [pid] = await until(() => children.children().length > 0 && children.children());
  const conn = processOf(pid!) as Connection;
  await until(() => !conn.waiting);
  const lines: TraceLine[] = [];
  return { server, client, conn, lines, stop: traceProcess(conn, (line) => lines.push(line)) };
}

/** Without what no test can know. */
const short = (lines: readonly TraceLine[]) => lines.map(({ at: _at, pid: _pid, ...line }) => line);

it("traces the frames of a connection both ways, its states, messages and events, and its end", async () => {
  const clock = manualClock();
  const { client, conn, lines } = await traced();
  await client.send("open").receive(1);
  send(conn.pid, { hello: 1 });
  await client.receive(2);
  await clock.advance(61_000);
  await until(() => conn.state === "closed");
  client.finish();
  await until(() => !conn.alive);
  expect(short(lines)).toEqual([
    { what: "frame_in", state: "closed", length: 4, hex: "6f70656e", text: "open" },
    { what: "frame_out", state: "closed", length: 7, hex: "6e6f206f70656e", text: "no open" },
    { what: "state", state: "open", text: "from closed" },
    { what: "message", state: "open", text: "{ hello: 1 }" },
    { what: "frame_out", state: "open", length: 11, hex: "7b2268656c6c6f223a317d", text: '{"hello":1}' },
    { what: "event", state: "open", text: "idle" },
    { what: "state", state: "closed", text: "from open" },
    { what: "event", state: "closed", text: "ended" },
    { what: "end", text: "normal" },
  ]);
  expect(new Set(lines.map(({ pid }) => pid))).toEqual(new Set([conn.pid.toString()]));
});

it("shows 256 bytes of a frame, control characters escaped", async () => {
  const { client, lines } = await traced();
  await client.send(Buffer.concat([Buffer.from("\x1b[2J\u202e"), Buffer.alloc(1_000, 0xff)])).receive(1);
  const [frame] = lines;
  expect(frame).toMatchObject({ what: "frame_in", length: 1_007 });
  expect(frame?.hex).toHaveLength(512);
  expect(frame?.text).toMatch(/^\\x1b\[2J\\u202e\ufffd+$/);
});

it("sends 200 lines a second, and the number of lines dropped", async () => {
  const clock = manualClock();
  const { client, lines } = await traced();
  await client.send(...Array.from({ length: 300 }, () => "x")).receive(300);
  expect(lines).toHaveLength(200);
  await clock.advance(1_000);
  expect(short(lines.slice(200))).toEqual([{ what: "dropped", length: 400 }]);
  await client.send("y").receive(301);
  expect(short(lines.slice(201))).toMatchObject([{ what: "frame_in" }, { what: "frame_out" }]);
});

it("reports the crash that ends a trace", async () => {
  const { client, conn, lines } = await traced();
  client.send("crash");
  await until(() => !conn.alive);
  expect(lines.at(-1)).toMatchObject({ what: "end", text: expect.stringContaining("as told") });
});

it("two traces of one connection are independent", async () => {
  const { client, conn, lines, stop } = await traced();
  const others: TraceLine[] = [];
  traceProcess(conn, (line) => others.push(line));
  await client.send("1").receive(1);
  stop();
  await client.send("2").receive(2);
  expect([lines.length, others.length]).toEqual([2, 4]);
});

it("restores the connection's own cells afterwards, in whatever state it is by then", async () => {
  const { server, client, conn, stop } = await traced();
  const before = server.protocol.cellsOf("open");
  await client.send("open").receive(1);
  expect(conn.cells).not.toBe(before);
  stop();
  expect([conn.cells, server.endpoint.traces]).toEqual([before, undefined]);
  expect(await client.send("still").receive(2)).toEqual(["no open", "still"]);
});

it("other connections keep their own cells meanwhile", async () => {
  const { server, client, conn } = await traced();
  const other = await connected(server);
  await other.send("open").receive(1);
  const children = (
    processOf(server.connections) as unknown as { children(): Connection["pid"][] }
  ).children();
  const untraced = children.map((pid) => processOf(pid) as Connection).find((one) => one !== conn);
  expect(untraced?.cells).toBe(server.protocol.cellsOf("open"));
  await client.close();
  await until(() => server.endpoint.traces === undefined);
});

it("shows a frame in borrowed memory while it is valid", async () => {
  const borrowed = defineProtocol({
    name: "borrowed",
    framing: packet(2),
    frames: "borrowed",
    states: { ready: { frame: (conn, frame) => conn.send(frame) } },
  });
  const { client, lines } = await traced(borrowed);
  await client.send("one", "two", "three").receive(3);
  expect(lines.filter(({ what }) => what === "frame_in").map(({ text }) => text)).toEqual([
    "one",
    "two",
    "three",
  ]);
});

it("traces the calls, casts, replies and messages of a gen_server", async () => {
  const counter = genServer({
    name: "counter",
    init: () => ({ count: 0 }),
    calls: { add: (self, by: number) => (self.state.count += by) },
    casts: { reset: (self) => void (self.state.count = 0) },
    info: () => {},
  });
  const ref = await start(counter, undefined);
  const lines: TraceLine[] = [];
  const stop = traceProcess(processOf(ref) as Process, (line) => lines.push(line));
  expect(await call(ref, "add", 2)).toBe(2);
  cast(ref, "reset");
  send(ref, "hello");
  await settle();
  stop();
  await settle();
  expect(processOf(ref)?.sys).toBeUndefined();
  await call(ref, "add", 1);
  expect(short(lines)).toEqual([
    { what: "call", text: "add(2)" },
    { what: "call", text: "reply 2" },
    { what: "message", text: "reset()" },
    { what: "message", text: "'hello'" },
  ]);
});

it("traces the states of a gen_statem as well, and its end", async () => {
  const light = genStatem({
    name: "light",
    init: () => begin("red", undefined),
    states: { red: { info: () => next("green") }, green: { info: () => next("red") } },
  });
  const ref = await start(light, undefined);
  const lines: TraceLine[] = [];
  traceProcess(processOf(ref) as Process, (line) => lines.push(line));
  await settle();
  send(ref, "go");
  await settle();
  exit(ref, "kill");
  expect(short(lines)).toEqual([
    { what: "message", state: "red", text: "'go'" },
    { what: "state", state: "green", text: "from red" },
    { what: "end", text: "killed" },
  ]);
});
