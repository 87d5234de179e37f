/** Events that a state puts off: in which order they come back, and how many of them there may be. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  defineProtocol,
  lines,
  next,
  type Pid,
  packet,
  postpone,
  send,
  stop,
  sys,
} from "../../../src/index.js";
import { PostponedFrames } from "../../../src/tcp/connection/input/postponed-frames.js";
import { closedAs, connected, manualClock, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

test("postponed frames and messages come again after the next change of state, oldest first, before what waits", async () => {
  let pid: Pid | undefined;
  const server = await serving(
    defineProtocol({
      name: "later",
      framing: packet(2),
      states: {
        closed: {
          enter: (conn) => void (pid = conn.pid),
          frame: () => postpone,
          message: (_, text: string) => (text === "open" ? next("open") : postpone),
        },
        open: {
          enter: (conn) => conn.send("open"),
          frame: (conn, frame) => conn.send(`frame ${frame}`),
          message: (conn, text: string) => conn.send(`message ${text}`),
        },
      },
    }),
  );
  const client = await connected(server);
  client.send("1");
  await until(() => server.counters.framesReceived === 1);
  send(pid as Pid, "2");
  await turn();
  client.send("3");
  await until(() => server.counters.framesReceived === 2);
  send(pid as Pid, "open");
  send(pid as Pid, "4");
  expect(await client.receive(5)).toEqual(["open", "frame 1", "message 2", "frame 3", "message 4"]);
});

test("an async handler may postpone too, and an event may be postponed again and again", async () => {
  let pid: Pid | undefined;
  const server = await serving(
    defineProtocol({
      name: "thrice",
      framing: packet(2),
      states: {
        a: {
          enter: (conn) => void (pid = conn.pid),
          frame: async () => postpone,
          message: () => next("b"),
        },
        b: { frame: () => postpone, message: () => next("c") },
        c: { frame: (conn, frame) => conn.send(`${conn.state} ${frame}`) },
      },
    }),
  );
  const client = (await connected(server)).send("x", "y");
  await until(() => server.counters.framesReceived === 2);
  send(pid as Pid, "on");
  send(pid as Pid, "on");
  expect(await client.receive(2)).toEqual(["c x", "c y"]);
});

test("a client cannot fill the memory with frames that are put off: 64 of them, then its sending is stopped", async () => {
  let pid: Pid | undefined;
  let handled = 0;
  const server = await serving(
    defineProtocol({
      name: "hoard",
      framing: packet(2),
      states: {
        shut: { enter: (conn) => void (pid = conn.pid), frame: () => postpone, message: () => next("open") },
        open: { frame: () => void handled++ },
      },
    }),
  );
  const client = await connected(server);
  client.send(...new Array<string>(500).fill("x"));
  await until(() => server.counters.bytesReceived === 1500);
  await turn(20);
  expect(server.counters.framesReceived).toBe(64);
  send(pid as Pid, "open");
  await until(() => handled === 500);
});

test("large frames that are put off are bounded by their bytes", async () => {
  const server = await serving(
    defineProtocol({ name: "hoard", framing: packet(2), states: { shut: { frame: () => postpone } } }),
  );
  const client = await connected(server);
  for (let n = 0; n < 50; n++) client.send(Buffer.alloc(30_000));
  await until(() => server.counters.readsPaused > 0);
  await turn(20);
  // The third goes over 64 KiB behind the first.
  expect(server.counters.framesReceived).toBeLessThanOrEqual(5);
});

test("a client whose frames are put off is not idle", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "patient",
      framing: packet(2),
      states: { shut: { frame: () => postpone } },
      limits: { framesPerTurn: 1 },
    }),
  );
  const client = (await connected(server)).send("x", "y");
  await until(() => server.counters.framesReceived === 1);
  await clock.advance(300_000);
  expect(client.ended).toBe(false);
});

test("a borrowed frame that an async handler puts off is what it was when it came", async () => {
  let decide = () => {};
  const server = await serving(
    defineProtocol({
      name: "later",
      framing: packet(2),
      frames: "borrowed",
      states: {
        closed: {
          frame: async (_, frame) => {
            if (String(frame) === "open") return next("open");
            await new Promise<void>((resolve) => (decide = resolve));
            return postpone;
          },
        },
        open: { frame: (conn, frame) => conn.send(frame) },
      },
    }),
  );
  const one = (await connected(server)).send("mine");
  await until(() => server.counters.framesReceived === 1);
  (await connected(server)).send("open", "somebody else's");
  await until(() => server.counters.framesReceived === 3);
  decide();
  one.send("open");
  expect(await one.receive(1)).toEqual(["mine"]);
});

test("text that is put off stays text, also where frames are borrowed", async () => {
  const seen: unknown[] = [];
  const server = await serving(
    defineProtocol({
      name: "later",
      framing: lines(),
      frames: "borrowed",
      states: {
        closed: { frame: (_, line) => (line === "open" ? next("open") : postpone) },
        open: { frame: (_, line) => void seen.push(line) },
      },
    }),
  );
  const { socket } = await connected(server);
  socket.write("first\nopen\n");
  await until(() => seen.length > 0);
  expect(seen).toEqual(["first"]);
});

test("postponed frames are answered though the client has finished sending, and `ended` comes after them", async () => {
  const seen: string[] = [];
  const server = await serving(
    defineProtocol({
      name: "late",
      framing: lines(),
      states: {
        login: {
          frame: (conn) => {
            setImmediate(() => send(conn.pid, "checked"));
            return next("checking");
          },
        },
        checking: { frame: () => postpone, message: () => next("open") },
        open: {
          frame: (conn, line) => conn.send(`did ${line}`),
          ended: () => {
            seen.push("ended");
            return stop();
          },
        },
      },
    }),
  );
  const client = await connected(server);
  client.write("anna\none\ntwo\n").finish();
  await client.end();
  expect([client.bytes.toString(), seen]).toEqual(["did one\ndid two\n", ["ended"]]);
});

test("a client with one postponed frame is not idle under the default limits", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({ name: "patient", framing: packet(2), states: { shut: { frame: () => postpone } } }),
  );
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  await clock.advance(300_000);
  expect([client.ended, server.counters.closed.idle]).toEqual([false, 0]);
});

test("frames that come again wait for room in the output, messages do not", async () => {
  let pid: Pid | undefined;
  const handled: string[] = [];
  const server = await serving(
    defineProtocol({
      name: "recall",
      framing: packet(4),
      states: {
        shut: {
          enter: (conn) => void (pid = conn.pid),
          frame: () => postpone,
          message: (_, text) => (text === "open" ? next("open") : postpone),
        },
        open: {
          frame: (conn) => {
            handled.push("frame");
            conn.send(Buffer.alloc(400_000, 1));
          },
          message: (_, text: string) => void handled.push(text),
        },
      },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  for (let n = 0; n < 60; n++) client.write(Buffer.from([0, 0, 0, 1, 65]));
  await until(() => server.counters.framesReceived === 60);
  send(pid as Pid, "a message");
  send(pid as Pid, "open");
  await until(() => handled.includes("a message"));
  expect(handled.filter((one) => one === "frame").length).toBeLessThan(60);
  client.socket.resume();
  await until(() => client.received === 60 * 400_004);
  expect([handled.length, server.counters.closed.slow_consumer]).toEqual([61, 0]);
});

test("the bound on postponed frames holds over changes of state", async () => {
  let pid: Pid | undefined;
  let changes = 0;
  const server = await serving(
    defineProtocol({
      name: "toggle",
      framing: packet(4),
      states: {
        a: {
          enter: (conn) => void (pid = conn.pid),
          frame: () => postpone,
          message: () => next("b"),
        },
        b: { enter: () => void changes++, frame: () => postpone, message: () => next("a") },
      },
    }),
  );
  const client = await connected(server);
  for (let n = 0; n < 10; n++) client.write(Buffer.from([0, 0x10, 0, 0])).write(Buffer.alloc(1 << 20));
  await until(() => server.counters.framesReceived === 2);
  for (let n = 1; n <= 5; n++) {
    send(pid as Pid, "to b");
    send(pid as Pid, "to a");
    await until(() => changes === n);
    await turn(20);
  }
  expect(server.counters.framesReceived).toBe(2);
});

test("what is counted of postponed frames is what waits, however they are postponed, recalled and handled", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(100), fc.boolean(), fc.boolean()), { maxLength: 60 }), (steps) => {
      // A queue of frames as a connection has it: new ones are postponed, the oldest comes again.
      const waiting: { size: number }[] = [];
      let frames: PostponedFrames | undefined;
      let consumed = 0;
      for (const [size, again, put] of steps) {
        if (again && frames && waiting.length > 0) {
          const oldest = waiting.shift() as { size: number };
          frames.recall();
          if (put) {
            frames.add(consumed);
            waiting.push(oldest);
          } else frames.handled(consumed);
          if (frames.count === 0) frames = undefined;
        } else {
          consumed += size;
          if (frames && !put) {
            frames.handled(consumed);
            continue;
          }
          const counted = frames === undefined ? 0 : size;
          frames ??= new PostponedFrames(consumed);
          frames.add(consumed);
          waiting.push({ size: counted });
        }
        const bytes = waiting.reduce((sum, one) => sum + one.size, 0);
        expect([frames?.count ?? 0, frames?.bytes ?? 0]).toEqual([waiting.length, bytes]);
      }
    }),
  );
});

test("a frame that is put off after the client's FIN waits for limits.handler at most", async () => {
  const clock = manualClock();
  let pid: Pid | undefined;
  const server = await serving(
    defineProtocol({
      name: "late",
      framing: packet(2),
      active: 1,
      states: {
        shut: {
          enter: (conn) => void (pid = conn.pid),
          frame: (_, frame) => (String(frame) === "later" ? postpone : undefined),
          message: (conn) => conn.setActive(1),
        },
      },
    }),
  );
  (await connected(server)).send("x", "later").finish();
  await until(() => server.counters.framesReceived === 1);
  await turn(20);
  send(pid as Pid, "go on");
  await until(() => server.counters.framesReceived === 2);
  await clock.advance(119_000);
  expect(server.counters.active).toBe(1);
  await clock.advance(2_000);
  await clock.advance(2_000);
  expect(await closedAs(server)).toEqual({ handler_timeout: 1 });
});

test("frames that are put off wait for limits.handler at most, also where the FIN came while suspended", async () => {
  const clock = manualClock();
  let pid: Pid | undefined;
  const server = await serving(
    defineProtocol({
      name: "late",
      framing: packet(2),
      states: { shut: { enter: (conn) => void (pid = conn.pid), frame: () => postpone } },
    }),
  );
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  await sys.suspend(pid as Pid);
  client.finish();
  await turn(20);
  await clock.advance(130_000);
  expect(server.counters.active).toBe(1);
  await sys.resume(pid as Pid);
  await clock.advance(130_000);
  await clock.advance(2_000);
  expect(await closedAs(server)).toEqual({ handler_timeout: 1 });
});

test("frames that are handled between those that are put off do not count against their bound", async () => {
  const server = await serving(
    defineProtocol({
      name: "mixed",
      framing: packet(2),
      states: {
        shut: {
          frame: (_, frame) => {
            const text = String(frame);
            if (text.startsWith("later")) return postpone;
            return text === "open" ? next("open") : undefined;
          },
        },
        open: { frame: (conn, frame) => conn.send(frame) },
      },
    }),
  );
  const client = await connected(server);
  const large = Buffer.alloc(30_000);
  client.send("later 1", large, large, large, "later 2", "open");
  expect(await client.receive(2)).toEqual(["later 1", "later 2"]);
});
