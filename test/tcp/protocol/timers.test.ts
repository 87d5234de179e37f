/** Named timers: set by entering a state or by a handler, handled by the state that the connection is in by then. */
import { expect, test } from "vitest";
import { defineProtocol, next, type Pid, packet, postpone, send, stop } from "../../../src/index.js";
import { closedAs, connected, crashes, manualClock, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

test("a timer with a time begins when its state is entered, and a handler sets it again", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "beats",
      framing: packet(2),
      states: {
        ready: {
          enter: (conn) => conn.send("ready"),
          timers: {
            beat: {
              after: "30s",
              do: (conn) => {
                conn.send("beat");
                conn.setTimer("beat", "10s");
              },
            },
          },
          idle: { after: "1h", do: stop("idle") },
        },
      },
    }),
  );
  const client = await connected(server);
  await client.receive(1);
  await clock.advance(29_999);
  expect(client.frames).toEqual(["ready"]);
  await clock.advance(1);
  expect(await client.receive(2)).toEqual(["ready", "beat"]);
  await clock.advance(20_000);
  expect(await client.receive(4)).toEqual(["ready", "beat", "beat", "beat"]);
});

test("neither frames nor a change of state cancel a timer: the state handles it that it finds", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "outlives",
      framing: packet(2),
      states: {
        first: {
          enter: (conn) => conn.setTimer("alarm", "5s"),
          frame: () => next("second"),
          timers: { alarm: stop("never") },
        },
        second: {
          enter: (conn) => conn.send("second"),
          frame: (conn) => conn.send("frame"),
          timers: { alarm: next("third") },
        },
        third: { enter: (conn, from) => conn.send(`third after ${from}`) },
      },
    }),
  );
  const client = (await connected(server)).send("go", "on");
  expect(await client.receive(2)).toEqual(["second", "frame"]);
  await clock.advance(5_000);
  expect(await client.receive(3)).toEqual(["second", "frame", "third after second"]);
});

test("one that runs out in a state that does not list it is without effect", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "unheard",
      framing: packet(2),
      states: {
        first: { frame: () => next("second"), timers: { alarm: { after: "5s", do: stop("never") } } },
        second: { enter: (conn) => conn.send("second"), frame: (conn) => conn.send("alive") },
      },
    }),
  );
  const client = (await connected(server)).send("go");
  await client.receive(1);
  await clock.advance(6_000);
  expect(await client.send("?").receive(2)).toEqual(["second", "alive"]);
});

test("a timer can be set anew, and cancelled, before it runs out and after", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "orders",
      framing: packet(2),
      states: {
        ready: {
          frame: (conn, frame) => {
            const [what, after] = `${frame}`.split(" ");
            if (what === "set") conn.setTimer("alarm", Number(after));
            else conn.cancelTimer("alarm");
            conn.send(`${frame}`);
          },
          timers: { alarm: (conn) => conn.send("alarm") },
        },
      },
    }),
  );
  const client = (await connected(server)).send("set 1000");
  await client.receive(1);
  await clock.advance(999);
  await client.send("set 1000").receive(2);
  await clock.advance(999);
  await client.send("cancel").receive(3);
  await clock.advance(10_000);
  await client.send("cancel", "set 0").receive(6);
  expect(client.frames).toEqual(["set 1000", "set 1000", "cancel", "cancel", "set 0", "alarm"]);
});

test("it waits while a handler does, comes after messages that wait, and can be put off", async () => {
  const clock = manualClock();
  let pid: Pid | undefined;
  let go = () => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const server = await serving(
    defineProtocol({
      name: "patient",
      framing: packet(2),
      states: {
        first: {
          frame: async (conn) => {
            pid = conn.pid;
            conn.setTimer("alarm", 1);
            await gone;
            conn.send("handled");
          },
          message: (conn, text: string) => {
            conn.send(text);
            return next("second");
          },
          timers: { alarm: postpone },
        },
        second: {
          enter: (conn) => conn.send("second"),
          timers: { alarm: (conn) => conn.send("alarm") },
        },
      },
    }),
  );
  const client = (await connected(server)).send("x");
  const to = await until(() => pid);
  await clock.advance(1);
  expect(client.frames).toEqual([]);
  send(to, "message");
  go();
  expect(await client.receive(4)).toEqual(["handled", "message", "second", "alarm"]);
});

test("the end cancels all of them, and what is set in it is ignored", async () => {
  const clock = manualClock();
  const seen: string[] = [];
  const server = await serving(
    defineProtocol({
      name: "over",
      framing: packet(2),
      states: {
        ready: {
          frame: () => stop(),
          timers: { alarm: { after: "1s", do: () => void seen.push("alarm") } },
          leave: (conn) => conn.setTimer("alarm", 0),
        },
      },
      terminate: (conn) => {
        conn.setTimer("alarm", "1s");
        seen.push("terminate");
      },
    }),
  );
  const client = (await connected(server)).send("x");
  await client.end();
  client.finish();
  expect(await closedAs(server)).toEqual({ closed: 1 });
  await clock.advance(10_000);
  expect(seen).toEqual(["terminate"]);
});

test("a timer that no state lists, or a time that is none, is a crash that says what to write", async () => {
  const reports = crashes();
  const server = await serving(
    defineProtocol({
      name: "wrong",
      framing: packet(2),
      states: {
        ready: {
          frame: (conn, frame) =>
            `${frame}` === "name"
              ? conn.setTimer("alarn" as "alarm", "1s")
              : conn.setTimer("alarm", "1 sec" as "1s"),
          timers: { alarm: stop(), other: stop() },
        },
      },
    }),
  );
  await (await connected(server)).send("name").end();
  await (await connected(server)).send("time").end();
  expect(await closedAs(server)).toEqual({ crash: 2 });
  expect(String(reports[0]?.reason)).toContain(
    'protocol wrong has no timer "alarn"; the timers are alarm, other',
  );
  expect(String(reports[1]?.reason)).toContain("Expected a duration");
});

test("one of a protocol without timers is told where they are listed", async () => {
  const reports = crashes();
  const server = await serving(
    defineProtocol({
      name: "none",
      framing: packet(2),
      states: { ready: { frame: (conn) => conn.setTimer("alarm" as never, 1) } },
    }),
  );
  await (await connected(server)).send("x").end();
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(String(reports[0]?.reason)).toContain(`the timers are none: list it in a state's "timers"`);
});
