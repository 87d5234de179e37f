/** `become`: a connection goes on in another protocol. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  become,
  type Conn,
  defineProtocol,
  delimited,
  exit,
  lines,
  next,
  type Protocol,
  packet,
  postpone,
  send,
  serve,
  stop,
} from "../../../src/index.js";
import type { ConnectionClosed } from "../../../src/tcp/observe/events.js";
import type { TraceEvent } from "../../../src/tcp/observe/trace.js";
import { packet2 } from "../../support/client.js";
import { playing } from "../../support/playing.js";
import { closedAs, connected, crashes, manualClock, testServer } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const log: string[] = [];
const note = (what: string) => void log.push(what);

const binary = defineProtocol({
  name: "binary",
  framing: packet(2),
  data: () => ({ user: "made" }),
  states: {
    open: {
      enter: (conn, from) => note(`binary entered from ${from}, ${conn.data.user}`),
      frame: (conn, frame) => {
        if (String(frame) === "back") return become(text);
        conn.send(`${conn.data.user} ${frame}`);
      },
      message: (conn, message) => conn.send(`message ${message}`),
      ended: (conn) => {
        conn.send("bye");
        return stop();
      },
      leave: () => note("binary left"),
    },
  },
  terminate: () => note("binary terminated"),
  limits: { idle: 5_000 },
  becomes: () => [text],
});

const text: Protocol<any, any, string, string> = defineProtocol({
  name: "text",
  framing: lines(),
  states: {
    greeting: {
      enter: () => note("text entered"),
      frame: (conn, line) => {
        switch (line) {
          case "binary":
            return become(binary);
          case "ann":
            return become(binary, { user: "ann" });
          case "async":
            return turn(2).then(() => become(binary));
          case "late":
            return next("late");
          case "foreign":
            return become(defineProtocol({ ...binary, name: "foreign" }));
          default:
            return conn.send(line);
        }
      },
      message: (_conn, message) => (message === "become" ? become(binary) : postpone),
      leave: () => note("text left"),
    },
    late: {
      timeout: { after: "1s", do: () => note("text timeout") },
      idle: { after: "2s", do: () => note("text idle") },
      timers: { ping: { after: "3s", do: () => note("text ping") } },
      frame: () => become(binary),
    },
  },
  terminate: () => note("text terminated"),
  becomes: () => [binary],
});

async function speaking(options = {}) {
  log.length = 0;
  return playing(text, options);
}

test("bytes of the other protocol may be in the same chunk, wherever it is cut", async () => {
  const bytes = Buffer.concat([Buffer.from("hi\nbinary\n"), packet2("one"), packet2("two")]);
  const answer = Buffer.concat([Buffer.from("hi\n"), packet2("made one"), packet2("made two")]).toString();
  for (let at = 0; at <= bytes.length; at++) {
    const play = await speaking();
    if (at > 0) await play.receive(bytes.subarray(0, at));
    if (at < bytes.length) await play.receive(bytes.subarray(at));
    expect(play.sent).toBe(answer);
    expect(log).toEqual(["text entered", "text left", "binary entered from undefined, made"]);
  }
});

test("the data may be given, and the protocol may be changed back", async () => {
  const play = await speaking();
  await play.receive(
    Buffer.concat([Buffer.from("ann\n"), packet2("x"), packet2("back"), Buffer.from("hi\n")]),
  );
  expect(play.sent).toBe(`${packet2("ann x")}hi\n`);
  expect([play.conn.label, play.conn.state, play.conn.data]).toEqual(["text", "greeting", undefined]);
  expect(log).toEqual([
    "text entered",
    "text left",
    "binary entered from undefined, ann",
    "binary left",
    "text entered",
  ]);
  await play.receiveEnd();
  expect(log.slice(-2)).toEqual(["text left", "text terminated"]);
});

test("an async handler, and a message, may become another protocol", async () => {
  const play = await speaking();
  await play.receive(Buffer.concat([Buffer.from("async\n"), packet2("x")]), 8);
  expect(play.sent).toBe(packet2("made x").toString());
  const other = await speaking();
  await other.receive(packet2("yy").subarray(0, 3));
  send(other.conn.pid, "one");
  send(other.conn.pid, "become");
  await turn(4);
  // The postponed message comes again, and the incomplete line is an incomplete frame.
  expect(other.sent).toBe(packet2("message one").toString());
  await other.receive("y");
  expect(other.sent).toBe(`${packet2("message one")}${packet2("made yy")}`);
});

test("timers, limits and the deadline of idle clients are those of the other protocol", async () => {
  const clock = manualClock();
  const play = await speaking();
  await play.receive("late\nbinary\n");
  await clock.advance(4_500);
  expect([play.conn.alive, play.conn.label]).toEqual([true, "binary"]);
  // Idle at 5 s, then 1 s for the client to close its side.
  await clock.advance(2_500);
  expect(log.filter((line) => line.startsWith("text "))).toEqual(["text entered", "text left"]);
  expect(play.endpoint.counters.closed.idle).toBe(1);
  expect(clock.pending).toBe(0);
});

test("a timer that has expired and was postponed does not come again", async () => {
  const clock = manualClock();
  const seen: string[] = [];
  const second: Protocol<any, any, string, string> = defineProtocol({
    name: "second",
    framing: lines(),
    states: {
      open: {
        timers: {
          tick: () => void seen.push("second"),
          tock: { after: "1s", do: () => void seen.push("tock") },
        },
      },
    },
  });
  const play = await playing(
    defineProtocol({
      name: "first",
      framing: lines(),
      states: { only: { timers: { tick: { after: "1s", do: postpone } }, frame: () => become(second) } },
      becomes: () => [second],
    }),
  );
  await clock.advance(1_500);
  await turn();
  await play.receive("x\n");
  await clock.advance(500);
  expect(seen).toEqual([]);
  await clock.advance(500);
  await turn();
  expect(seen).toEqual(["tock"]);
});

test("a client that has finished sending is told to the other protocol too", async () => {
  const half = defineProtocol({
    ...binary,
    name: "half",
  });
  const first = defineProtocol({
    name: "first",
    framing: lines(),
    states: { open: { ended: () => undefined, message: () => become(half) } },
    becomes: () => [half],
  });
  const play = await playing(first);
  await play.receiveEnd();
  send(play.conn.pid, "go");
  await turn(3);
  expect(play.sent).toBe(packet2("bye").toString());
});

test("`active` is that of the other protocol", async () => {
  const seen: string[] = [];
  const counted: Protocol<any, any, string, string> = defineProtocol({
    name: "counted",
    framing: lines(),
    active: 2,
    states: {
      open: {
        frame: (_conn, line) => void seen.push(line),
        passive: () => void seen.push("passive"),
      },
    },
  });
  const play = await playing(
    defineProtocol({
      name: "first",
      framing: lines(),
      active: 3,
      states: { open: { frame: (_conn, line) => (line === "go" ? become(counted) : undefined) } },
      becomes: () => [counted],
    }),
  );
  await play.receive("x\ngo\na\nb\nc\n");
  expect(seen).toEqual(["a", "b", "passive"]);
  (play.conn as Conn<any, any>).setActive("once");
  await turn(2);
  expect(seen).toEqual(["a", "b", "passive", "c"]);
});

describe("what shows a connection knows the other protocol", () => {
  test("tree, state, counters, the event at its end", async () => {
    const closed: ConnectionClosed[] = [];
    const listener = (event: unknown) => void closed.push(event as ConnectionClosed);
    subscribe("tcp.connection.closed", listener);
    onTestFinished(() => void unsubscribe("tcp.connection.closed", listener));
    const play = await speaking({ timed: true });
    await play.receive(Buffer.concat([Buffer.from("binary\n"), packet2("x")]));
    expect(play.conn.inspect()).toMatchObject({ protocol: "binary", state: "open", framesReceived: 2 });
    expect(play.endpoint.counters).toMatchObject({ framesReceived: 2, framesSent: 1, active: 1 });
    const { counts } = play.endpoint.latency as { counts: number[] };
    // Both `enter`, and both frames.
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4);
    await play.receiveEnd();
    expect(closed).toMatchObject([{ protocol: "binary", state: "open", counted: "closed" }]);
  });

  test("a trace goes on, and may end in it", async () => {
    const play = await speaking();
    const events: TraceEvent[] = [];
    const end = play.conn.trace((event) => void events.push(event));
    await play.receive(Buffer.concat([Buffer.from("binary\n"), packet2("x")]));
    expect(events.map(({ what, state, content }) => `${what} ${state} ${content}`)).toEqual([
      "frame_in greeting binary",
      "event greeting become binary",
      "state open undefined",
      "frame_in open x",
      "frame_out open made x",
    ]);
    end();
    await play.receive(packet2("y"));
    expect(events).toHaveLength(5);
    expect(play.conn.cells).toBe(play.conn.protocol.cellsOf("open"));
  });
});

describe("a crash that says so", () => {
  test("a protocol that is not listed", async () => {
    const reports = crashes();
    const play = await speaking();
    await play.receive("foreign\n");
    expect(String(reports[0]?.reason)).toContain(
      'protocol text may not become foreign: list it in "becomes", such as becomes: () => [imap]',
    );
    expect(play.endpoint.counters.closed.crash).toBe(1);
    expect(log).toEqual(["text entered", "text left", "text terminated"]);
  });

  test("frames that are postponed", async () => {
    const reports = crashes();
    const play = await playing(
      defineProtocol({
        name: "first",
        framing: lines(),
        states: { open: { frame: () => postpone, message: () => become(binary) } },
        becomes: () => [binary],
      }),
    );
    await play.receive("a\nb\n");
    send(play.conn.pid, "go");
    await turn(2);
    expect(String(reports[0]?.reason)).toContain(
      "become(binary): 2 postponed frames wait (lines, protocol first, state open); handle them first",
    );
  });

  test("a `data` that throws, before anything is left", async () => {
    const reports = crashes();
    log.length = 0;
    const failing = defineProtocol({
      ...binary,
      name: "failing",
      data: (): { user: string } => {
        throw new Error("no data");
      },
    });
    const play = await playing(
      defineProtocol({
        name: "first",
        framing: lines(),
        states: { open: { frame: () => become(failing), leave: () => note("left") } },
        becomes: () => [failing],
      }),
    );
    await play.receive("x\n");
    expect(String(reports[0]?.reason)).toContain("no data");
    expect([log, play.conn.label]).toEqual([["left"], "first"]);
  });

  test("two that become each other without end", async () => {
    const reports = crashes();
    const other: Protocol<any, any, string, string> = defineProtocol({
      name: "other",
      framing: lines(),
      states: { open: { enter: () => become(one) } },
      becomes: () => [one],
    });
    const one: Protocol<any, any, string, string> = defineProtocol({
      name: "one",
      framing: lines(),
      states: { open: { enter: () => become(other) } },
      becomes: () => [other],
    });
    await playing(one);
    expect(String(reports[0]?.reason)).toContain("endless loop of state changes");
  });
});

test("a shutdown handler may become another protocol, which has the rest of the time", async () => {
  const goodbye: Protocol<any, any, string, string> = defineProtocol({
    name: "goodbye",
    framing: lines(),
    states: {
      open: {
        enter: (conn) => conn.send("last words?"),
        frame: (conn, line) => {
          conn.send(line);
          return stop();
        },
      },
    },
  });
  const first = defineProtocol({
    name: "first",
    framing: packet(2),
    states: { open: { shutdown: () => become(goodbye) } },
    becomes: () => [goodbye],
  });
  const server = await testServer(first, { shutdown: "2s" });
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  const stopped = server.stop();
  await until(() => client.bytes.toString() === "last words?\n");
  client.write("none\n").finish();
  await stopped;
  expect((await client.end()).bytes.toString()).toBe("last words?\nnone\n");
});

test("bytes that are no frame of the other protocol end the connection, with the reason", async () => {
  const server = await testServer(text);
  const client = await connected(server);
  client.write(`binary\n${"x".repeat(3)}`);
  await until(() => server.counters.framesReceived === 1);
  client.finish();
  await client.end();
  expect(await closedAs(server)).toEqual({ truncated: 1 });
  exit(server.connections, "normal");
});

describe("what is wrong with `becomes` is said before anything starts", () => {
  const minimal = { name: "a", framing: delimited("x"), states: { open: {} } };
  const cases: [string, () => any, string][] = [
    ["no list", () => ({ a: 1 }), 'protocol "a": "becomes" must return a list of protocols'],
    ["no protocol", () => [{ name: "b" }], 'protocol "b": "framing" must be'],
    ["nothing", () => [undefined], "a protocol is made by defineProtocol"],
    ["two of one name", () => [{ ...minimal }], '"becomes" leads to two protocols called "a"'],
  ];
  test.each(cases)("%s", async (_name, becomes, message) => {
    const protocol = defineProtocol({ ...minimal, becomes });
    await expect(serve(protocol, { port: 0 })).rejects.toThrow(message);
  });

  test("no function", () => {
    expect(() => defineProtocol({ ...minimal, becomes: [] as any })).toThrow(
      'protocol "a": "becomes" must be a function, got object',
    );
  });
});
