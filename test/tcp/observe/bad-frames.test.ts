/** Frames that the framing refuses: how the connection ends, what `bad` may answer, and what is noted of them. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { customFraming, defineProtocol, FramingError, next, stop } from "../../../src/index.js";
import type { ConnectionClosed } from "../../../src/tcp/observe/events.js";
import { closedAs, connected, crashes, serving, testServer } from "../../support/serving.js";
import { until } from "../../support/until.js";

/** As packet(2), and a frame that begins with "!" is bad. */
const framing = customFraming<string>({
  name: "checked",
  decode(bytes) {
    const length = bytes.length < 2 ? 2 : 2 + bytes.readUInt16BE(0);
    if (bytes.length < length || length === 2) return length > 2 ? length : undefined;
    const frame = bytes.toString("utf8", 2, length);
    if (frame.startsWith("!")) throw new FramingError("frame_invalid", `crc of ${frame.slice(1)}`);
    return { frame, length };
  },
  encode: (frame) => Buffer.concat([Buffer.of(0, frame.length), Buffer.from(frame)]),
});

function answering(bad: object, reasons: readonly string[] = []) {
  const seen: string[] = [];
  const protocol = defineProtocol({
    name: "checked",
    framing,
    reasons,
    limits: { linger: 20 },
    states: {
      ready: {
        frame: (conn: any, frame: string) => conn.send(frame),
        leave: () => void seen.push("leave"),
        ...bad,
      },
      other: { enter: () => void seen.push("other") },
    },
  } as never);
  return { protocol, seen };
}

test("a bad frame ends the connection as frame_invalid, with the message of the framing, and no crash", async () => {
  const closed: ConnectionClosed[] = [];
  const note = (event: unknown) => void closed.push(event as ConnectionClosed);
  subscribe("tcp.connection.closed", note);
  onTestFinished(() => void unsubscribe("tcp.connection.closed", note));
  const reports = crashes();
  const server = await testServer(answering({}).protocol);
  const client = (await connected(server)).send("one", "!two", "three");
  expect(await client.receive(1)).toEqual(["one"]);
  expect(await closedAs(server)).toEqual({ frame_invalid: 1 });
  expect(closed).toMatchObject([{ counted: "frame_invalid", detail: "crc of two" }]);
  expect(server.endpoint.badFrame).toMatchObject({
    code: "frame_invalid",
    message: "crc of two",
    protocol: "checked",
  });
  expect(reports).toEqual([]);
});

test("`bad` may answer before the end, and may take its time", async () => {
  const bad = async (conn: any, error: FramingError) => {
    await new Promise((resolve) => setImmediate(resolve));
    conn.send(`ERR ${error.message}`);
  };
  for (const cell of [(conn: any, error: FramingError) => conn.send(`ERR ${error.message}`), bad]) {
    const { protocol, seen } = answering({ bad: cell });
    const server = await serving(protocol);
    const client = await connected(server);
    client.send("one", "!two", "three");
    expect(await client.receive(2)).toEqual(["one", "ERR crc of two"]);
    client.send("four");
    expect(await closedAs(server)).toEqual({ frame_invalid: 1 });
    expect(seen).toEqual(["leave"]);
  }
});

test("`bad` may end the connection for a reason of its own; to another state it does not go", async () => {
  const own = await serving(answering({ bad: () => stop("bad_crc") }, ["bad_crc"]).protocol);
  (await connected(own)).send("!");
  await until(() => own.counters.own.bad_crc === 1);
  const { protocol, seen } = answering({ bad: () => next("other") });
  const server = await serving(protocol);
  (await connected(server)).send("!");
  expect(await closedAs(server)).toEqual({ frame_invalid: 1 });
  expect(seen).toEqual(["leave"]);
});

test("a `bad` that throws is a crash of this connection", async () => {
  const reports = crashes();
  const server = await serving(answering({ bad: () => Promise.reject(new Error("lost")) }).protocol);
  (await connected(server)).send("!");
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(reports).toHaveLength(1);
});

test("a framing's decode that has a fault is a crash, not a bad frame", async () => {
  const reports = crashes();
  const faulty = customFraming<string>({ decode: () => null as never, encode: () => Buffer.alloc(1) });
  const server = await serving(
    defineProtocol({ name: "faulty", framing: faulty, limits: { linger: 20 }, states: { s: {} } }),
  );
  (await connected(server)).send("x");
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(reports).toHaveLength(1);
});
