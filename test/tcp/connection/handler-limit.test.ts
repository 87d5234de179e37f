/** Handlers whose promise does not settle: what ends them, and what they are told. */
import { expect, test } from "vitest";
import { defineProtocol, next, type Pid, packet, postpone, send, stop, sys } from "../../../src/index.js";
import { closedAs, connected, crashes, manualClock, serving, testServer } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const never = () => new Promise<void>(() => {});

/** Notes how a connection ends. */
function hanging(more: object = {}) {
  const seen: string[] = [];
  const signals: AbortSignal[] = [];
  const protocol = defineProtocol({
    name: "hanging",
    framing: packet(2),
    states: {
      ready: {
        frame: (conn) => {
          signals.push(conn.signal);
          return never();
        },
        leave: () => void seen.push("leave"),
        ...more,
      },
    },
    terminate: (_, reason) => void seen.push(JSON.stringify(reason)),
  });
  return { protocol, seen, signals };
}

test("a handler that takes longer than limits.handler ends its connection, and its signal is aborted", async () => {
  const clock = manualClock();
  const { protocol, seen, signals } = hanging();
  const server = await serving(protocol);
  (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  await clock.advance(119_000);
  expect([signals[0]?.aborted, seen]).toEqual([false, []]);
  await clock.advance(2_000);
  expect(signals[0]?.aborted).toBe(true);
  expect(String(signals[0]?.reason)).toContain("handler_timeout");
  await clock.advance(2_000);
  expect(await closedAs(server)).toEqual({ handler_timeout: 1 });
  expect(seen).toEqual(["leave", '{"shutdown":"handler_timeout"}']);
});

test("the time of a handler begins with that handler, not with the one before", async () => {
  const clock = manualClock();
  const settle: (() => void)[] = [];
  const server = await serving(
    defineProtocol({
      name: "steps",
      framing: packet(2),
      states: { ready: { frame: () => new Promise<void>((resolve) => settle.push(resolve)) } },
      limits: { handler: 10_000 },
    }),
  );
  const client = (await connected(server)).send("1", "2", "3");
  for (let n = 1; n <= 3; n++) {
    await until(() => settle.length === n);
    await clock.advance(9_000);
    settle[n - 1]?.();
  }
  await turn(20);
  await clock.advance(60_000);
  expect(client.ended).toBe(false);
});

test("a client that has gone while a handler hangs is let go after limits.handler", async () => {
  const clock = manualClock();
  const { protocol } = hanging();
  const server = await serving(protocol);
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  client.finish();
  await turn(20);
  await clock.advance(121_000);
  await clock.advance(2_000);
  expect(await closedAs(server)).toEqual({ handler_timeout: 1 });
});

test("a client that has finished sending is let go when its postponed frames wait longer than limits.handler", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({ name: "shut", framing: packet(2), states: { shut: { frame: () => postpone } } }),
  );
  (await connected(server)).send("x").finish();
  await until(() => server.counters.framesReceived === 1);
  await turn(20);
  await clock.advance(121_000);
  await clock.advance(2_000);
  expect(await closedAs(server)).toEqual({ handler_timeout: 1 });
});

test("a reset aborts the signal at once", async () => {
  const { protocol, signals } = hanging();
  const server = await serving(protocol);
  const client = (await connected(server)).send("x");
  await until(() => signals.length === 1);
  client.reset();
  await until(() => signals[0]?.aborted === true);
  expect(await closedAs(server)).toEqual({ reset: 1 });
});

test("a timeout that is a plain stop(...) ends the connection while a handler runs", async () => {
  const clock = manualClock();
  const { protocol, seen } = hanging({ timeout: { after: "2s", do: stop("too_long") } });
  const server = await serving(protocol);
  (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  await clock.advance(2_100);
  await clock.advance(2_000);
  expect(await closedAs(server)).toEqual({ stopped: 1 });
  expect(seen[0]).toBe("leave");
});

test("at shutdown a running handler may finish, and one that does not is left in time to run leave and terminate", async () => {
  const finished: string[] = [];
  let go = () => {};
  const server = await testServer(
    defineProtocol({
      name: "busy",
      framing: packet(2),
      states: {
        ready: {
          frame: async (conn, frame) => {
            if (String(frame) === "hang") return never();
            await new Promise<void>((resolve) => (go = resolve));
            conn.send("late answer");
          },
          leave: (conn) => void finished.push(`leave ${conn.signal.aborted}`),
        },
      },
      terminate: () => void finished.push("terminate"),
    }),
    { shutdown: "1s" },
  );
  const [one, other] = [await connected(server), await connected(server)];
  one.send("slow");
  other.send("hang");
  await until(() => server.counters.framesReceived === 2);
  const stopped = server.stop();
  await turn(5);
  go();
  expect(await one.receive(1)).toEqual(["late answer"]);
  await stopped;
  expect(finished.toSorted()).toEqual(["leave true", "leave true", "terminate", "terminate"]);
});

test("a suspended connection obeys its supervisor", async () => {
  let pid: Pid | undefined;
  const seen: string[] = [];
  const server = await testServer(
    defineProtocol({
      name: "suspended",
      framing: packet(2),
      states: { ready: { enter: (conn) => void (pid = conn.pid), leave: () => void seen.push("leave") } },
      terminate: () => void seen.push("terminate"),
    }),
  );
  await connected(server);
  await until(() => pid !== undefined);
  await sys.suspend(pid as Pid);
  await server.stop();
  expect(seen).toEqual(["leave", "terminate"]);
});

test("the mailbox of a connection that hangs is bounded, and what is dropped is counted", async () => {
  let pid: Pid | undefined;
  const server = await serving(
    defineProtocol({
      name: "member",
      framing: packet(2),
      maxMessages: 10,
      states: { ready: { enter: (conn) => void (pid = conn.pid), frame: never, message: () => {} } },
    }),
  );
  (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  for (let n = 0; n < 25; n++) send(pid as Pid, n);
  expect(server.counters.messagesDropped).toBe(15);
});

test("postponed messages are bounded as the mailbox is", async () => {
  let pid: Pid | undefined;
  const seen: unknown[] = [];
  const server = await serving(
    defineProtocol({
      name: "postponing",
      framing: packet(2),
      maxMessages: 10,
      states: {
        shut: {
          enter: (conn) => void (pid = conn.pid),
          message: (_, message) => (message === "open" ? next("open") : postpone),
        },
        open: { message: (_, message) => void seen.push(message) },
      },
    }),
  );
  await connected(server);
  await until(() => pid !== undefined);
  for (let n = 0; n < 25; n++) {
    send(pid as Pid, n);
    await null;
    await turn(1);
  }
  send(pid as Pid, "open");
  await until(() => seen.length > 0);
  expect([seen, server.counters.messagesDropped]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 15]);
});

test("work that is spawned fails for its connection alone, and ends with it", async () => {
  const reports = crashes();
  const signals: AbortSignal[] = [];
  const server = await serving(
    defineProtocol({
      name: "spawning",
      framing: packet(2),
      states: {
        ready: {
          frame: (conn, frame) => {
            conn.spawn(async (signal) => {
              signals.push(signal);
              await null;
              if (String(frame) === "fail") throw new Error("in the background");
              if (String(frame) === "hang") await never();
              conn.send("from the background");
            });
            conn.send("at once");
          },
        },
      },
    }),
  );
  const [one, other] = [await connected(server), await connected(server)];
  expect(await one.send("work").receive(2)).toEqual(["at once", "from the background"]);
  await other.send("hang").receive(1);
  one.send("fail");
  await one.end();
  expect(reports.map(({ reason }) => (reason as Error).message)).toEqual(["in the background"]);
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false, true]);
  await other.close();
  await until(() => signals[1]?.aborted === true);
  expect(await closedAs(server)).toEqual({ crash: 1, closed: 1 });
});
