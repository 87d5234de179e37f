/** What the cells of a state do, in which order, and what a handler may give back. */
import { expect, test } from "vitest";
import {
  defineProtocol,
  type ExitReason,
  exit,
  next,
  type Pid,
  packet,
  send,
  stop,
} from "../../../src/index.js";
import { closedAs, connected, crashes, manualClock, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

test("a connection enters its first state, handles frames, leaves it and is terminated, in this order", async () => {
  const seen: string[] = [];
  const server = await serving(
    defineProtocol({
      name: "order",
      framing: packet(2),
      data: (peer) => ({ from: peer.address }),
      states: {
        ready: {
          enter: (conn, from) => void seen.push(`enter from ${from}, data ${conn.data.from}`),
          frame: (_, frame) => {
            seen.push(`frame ${frame}`);
            if (`${frame}` === "bye") return stop();
          },
          leave: () => void seen.push("leave"),
        },
      },
      terminate: (_, reason) => void seen.push(`terminate ${reason}`),
    }),
  );
  const client = await connected(server);
  await client.send("a", "bye", "too late").end();
  expect(seen).toEqual([
    "enter from undefined, data 127.0.0.1",
    "frame a",
    "frame bye",
    "leave",
    "terminate normal",
  ]);
  client.finish();
  expect(await closedAs(server)).toEqual({ closed: 1 });
});

test("next leaves the one state and enters the other, which handles the frames that were already here", async () => {
  const server = await serving(
    defineProtocol({
      name: "moves",
      framing: packet(2),
      states: {
        greeting: {
          enter: (conn) => conn.send("name?"),
          frame: () => next("talking"),
          leave: (conn) => conn.send("left greeting"),
        },
        talking: {
          enter: (conn, from) => conn.send(`talking after ${from}`),
          frame: (conn, frame) => conn.send(`${conn.state}: ${frame}`),
        },
      },
    }),
  );
  const client = (await connected(server)).send("ann", "one", "two");
  expect(await client.receive(5)).toEqual([
    "name?",
    "left greeting",
    "talking after greeting",
    "talking: one",
    "talking: two",
  ]);
});

test("enter may move on at once, and initial names the first state where it is not the first listed", async () => {
  const server = await serving(
    defineProtocol({
      name: "passing",
      framing: packet(2),
      initial: "second",
      states: {
        first: { enter: (conn, from) => conn.send(`first after ${from}`) },
        second: { enter: () => next("first") },
      },
    }),
  );
  expect(await (await connected(server)).receive()).toEqual(["first after second"]);
});

test("next to the state it is in is no move: nothing is left or entered", async () => {
  let entered = 0;
  const server = await serving(
    defineProtocol({
      name: "stays",
      framing: packet(2),
      states: {
        here: {
          enter: () => void entered++,
          frame: (conn) => {
            conn.send("ok");
            return next("here");
          },
          leave: (conn) => conn.send("left"),
        },
      },
    }),
  );
  expect(await (await connected(server)).send("x", "y").receive(2)).toEqual(["ok", "ok"]);
  expect(entered).toBe(1);
});

test("a state that does not exist, at run time, is a crash that names those that do", async () => {
  const reports = crashes();
  const server = await serving(
    defineProtocol({
      name: "lost",
      framing: packet(2),
      states: { here: { frame: () => next("nowhere" as "here") }, there: {} },
    }),
  );
  await (await connected(server)).send("x").end();
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(String(reports[0]?.reason)).toContain('no state "nowhere"; the states are here, there');
});

test("what is neither nothing nor a step is a crash that says what may be returned", async () => {
  const reports = crashes();
  const server = await serving(
    defineProtocol({ name: "odd", framing: packet(2), states: { here: { frame: () => 42 as never } } }),
  );
  await (await connected(server)).send("x").end();
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(String(reports[0]?.reason)).toContain("next(state), stop(reason) or postpone, got 42");
});

test("a frame in a state that takes none ends the connection as unexpected_frame", async () => {
  const server = await serving(defineProtocol({ name: "mute", framing: packet(2), states: { here: {} } }));
  const client = await (await connected(server)).send("x").end();
  expect(client.code).toBeUndefined();
  client.finish();
  expect(await closedAs(server)).toEqual({ unexpected_frame: 1 });
});

test("a message reaches the message cell, sent from another connection's frame", async () => {
  let first: Pid | undefined;
  const server = await serving(
    defineProtocol({
      name: "relay",
      framing: packet(2),
      states: {
        ready: {
          enter: (conn) => void (first ??= conn.pid),
          frame: (_, frame) => send(first as Pid, `${frame}`),
          message: (conn, text: string) => conn.send(`message ${text}`),
        },
      },
    }),
  );
  const [one, other] = [await connected(server), await connected(server)];
  await until(() => first);
  other.send("a", "b", "c");
  expect(await one.receive(3)).toEqual(["message a", "message b", "message c"]);
  expect(other.frames).toEqual([]);
});

test("a message in a state without a message cell is dropped", async () => {
  let pid: Pid | undefined;
  const server = await serving(
    defineProtocol({
      name: "deaf",
      framing: packet(2),
      states: { ready: { enter: (conn) => void (pid = conn.pid), frame: (conn, frame) => conn.send(frame) } },
    }),
  );
  const client = await connected(server);
  send(await until(() => pid), "nobody minds");
  expect(await client.send("still here").receive()).toEqual(["still here"]);
});

test("a state's timeout counts from its beginning whatever happens in it, and is cancelled when it is left", async () => {
  const clock = manualClock();
  const server = await serving(
    defineProtocol({
      name: "timed",
      framing: packet(2),
      states: {
        first: { frame: (conn) => conn.send("here"), timeout: { after: "10s", do: next("second") } },
        second: {
          enter: (conn) => conn.send("second"),
          frame: () => next("third"),
          timeout: { after: 1, do: stop("never") },
        },
        third: { enter: (conn) => conn.send("third") },
      },
    }),
  );
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  await clock.advance(9_999);
  expect(await client.send("x").receive(1)).toEqual(["here"]);
  await clock.advance(1);
  expect(await client.receive(2)).toEqual(["here", "second"]);
  expect(await client.send("go").receive(3)).toEqual(["here", "second", "third"]);
  await clock.advance(10_000);
  expect(server.counters.active).toBe(1);
});

test("stop with a word of one's own ends in order, and terminate is told why", async () => {
  let why: ExitReason | undefined;
  const server = await serving(
    defineProtocol({
      name: "worded",
      framing: packet(2),
      states: {
        ready: {
          frame: (conn) => {
            conn.send("sorry");
            return stop("too_many_attempts");
          },
        },
      },
      terminate: (conn, reason) => {
        why = reason;
        conn.send("really");
      },
    }),
  );
  const client = await (await connected(server)).send("x").end();
  expect(client.frames).toEqual(["sorry", "really"]);
  expect(why).toEqual({ shutdown: "too_many_attempts" });
  client.finish();
  expect(await closedAs(server)).toEqual({ stopped: 1 });
});

test("a leave that stops its connection runs once, and no state is entered after it", async () => {
  const seen: string[] = [];
  const server = await serving(
    defineProtocol({
      name: "leaving",
      framing: packet(2),
      states: {
        first: {
          frame: () => next("second"),
          leave: (conn) => {
            seen.push("leave");
            exit(conn.pid, { shutdown: "itself" });
          },
        },
        second: { enter: () => void seen.push("enter"), leave: () => void seen.push("leave second") },
      },
      terminate: () => void seen.push("terminate"),
    }),
  );
  const client = (await connected(server)).send("x");
  (await client.end()).finish();
  expect(await closedAs(server)).toEqual({ stopped: 1 });
  expect(seen).toEqual(["leave", "terminate"]);
});
