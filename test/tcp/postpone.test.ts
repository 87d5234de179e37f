/** Events that a state puts off: in which order they come back, and how many of them there may be. */
import { expect, test } from "vitest";
import { defineProtocol, lines, next, type Pid, packet, postpone, send } from "../../src/index.js";
import { connected, manualClock, serving } from "../support/serving.js";
import { turn, until } from "../support/until.js";

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
