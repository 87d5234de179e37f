/** Handlers that wait: they block their own connection and nothing else, and signals do not wait for them. */
import { expect, test } from "vitest";
import { defineProtocol, exit, next, onDown, type Pid, packet, send, stop } from "../../../src/index.js";
import { closedAs, connected, crashes, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

/** A promise and what settles it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const never = () => new Promise<never>(() => {});

test("an async handler blocks its own connection, frames and messages, and no other", async () => {
  const { opened, open } = gate();
  const pids: Pid[] = [];
  const server = await serving(
    defineProtocol({
      name: "slow",
      framing: packet(2),
      states: {
        ready: {
          enter: (conn) => void pids.push(conn.pid),
          frame: async (conn, frame) => {
            if (`${frame}` === "wait") await opened;
            conn.send(frame);
          },
          message: (conn, text: string) => conn.send(text),
        },
      },
    }),
  );
  const slow = await connected(server);
  await until(() => pids.length === 1);
  slow.send("wait", "second");
  const quick = await connected(server);
  expect(await quick.send("1", "2").receive(2)).toEqual(["1", "2"]);
  send(pids[0] as Pid, "message");
  await turn(5);
  expect(slow.frames).toEqual([]);
  open();
  const frames = await slow.receive(3);
  expect(frames[0]).toBe("wait");
  expect(frames.slice(1).sort()).toEqual(["message", "second"]);
});

test("an async handler may move or stop when it is done", async () => {
  const server = await serving(
    defineProtocol({
      name: "steps",
      framing: packet(2),
      states: {
        one: { frame: async () => next("two") },
        two: { enter: async (conn) => conn.send("two"), frame: async () => stop() },
      },
    }),
  );
  const client = (await connected(server)).send("go", "stop", "ignored");
  expect((await client.end()).frames).toEqual(["two"]);
  client.finish();
  expect(await closedAs(server)).toEqual({ closed: 1 });
  expect(server.counters.framesReceived).toBe(2);
});

test("messages get their turn between async frames, however many frames wait", async () => {
  let pid: Pid | undefined;
  let seen = 0;
  let toldAfter = -1;
  const server = await serving(
    defineProtocol({
      name: "fair",
      framing: packet(2),
      states: {
        ready: {
          enter: (conn) => void (pid = conn.pid),
          frame: async () => {
            if (++seen === 1) send(pid as Pid, "now");
            await null;
          },
          message: () => void (toldAfter = seen),
        },
      },
    }),
  );
  (await connected(server)).send(...new Array<string>(60).fill("x"));
  await until(() => seen === 60);
  expect(toldAfter).toBe(1);
});

test("a rejection is a crash of that connection alone", async () => {
  const reports = crashes();
  const server = await serving(
    defineProtocol({
      name: "fragile",
      framing: packet(2),
      states: {
        ready: {
          frame: async (conn, frame) => {
            if (`${frame}` === "break") throw new Error("broken");
            conn.send(frame);
          },
        },
      },
    }),
  );
  const [one, other] = [await connected(server), await connected(server)];
  await one.send("break").end();
  expect(await other.send("fine").receive()).toEqual(["fine"]);
  expect(reports.map((report) => String(report.reason))).toEqual(["Error: broken"]);
  expect(server.counters.closed.crash).toBe(1);
});

test("kill ends a connection whose handler hangs: at once, without leave, and monitors are told", async () => {
  let pid: Pid | undefined;
  const seen: unknown[] = [];
  const server = await serving(
    defineProtocol({
      name: "hanging",
      framing: packet(2),
      states: {
        ready: {
          enter: (conn) => void (pid = conn.pid),
          frame: never,
          leave: () => void seen.push("leave"),
        },
      },
      terminate: () => void seen.push("terminate"),
    }),
  );
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  onDown(pid as Pid, (reason) => seen.push(reason));
  exit(pid as Pid, "kill");
  expect(seen).toEqual(["killed"]);
  await client.end();
  expect(await closedAs(server)).toEqual({ killed: 1 });
});

test("any other exit signal leaves and terminates in order while the handler still hangs", async () => {
  let pid: Pid | undefined;
  const seen: unknown[] = [];
  const server = await serving(
    defineProtocol({
      name: "hanging",
      framing: packet(2),
      states: {
        ready: {
          enter: (conn) => void (pid = conn.pid),
          frame: never,
          leave: (conn) => conn.send("goodbye"),
        },
      },
      terminate: (_, reason) => void seen.push(reason),
    }),
  );
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  exit(pid as Pid, "normal");
  exit(pid as Pid, { shutdown: "maintenance" });
  expect((await client.end()).frames).toEqual(["goodbye"]);
  expect(seen).toEqual([{ shutdown: "maintenance" }]);
  client.finish();
  expect(await closedAs(server)).toEqual({ stopped: 1 });
});

test("an exit with an abnormal reason is counted as a crash and reported", async () => {
  const reports = crashes();
  let pid: Pid | undefined;
  const server = await serving(
    defineProtocol({
      name: "told",
      framing: packet(2),
      states: { ready: { enter: (conn) => void (pid = conn.pid) } },
    }),
  );
  const client = await connected(server);
  exit(await until(() => pid), "badarg");
  await client.end();
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(reports[0]?.reason).toBe("badarg");
});

test("what a handler does after its connection has ended is ignored, its failure too", async () => {
  const { opened, open } = gate();
  let after = 0;
  const server = await serving(
    defineProtocol({
      name: "late",
      framing: packet(2),
      states: {
        ready: {
          frame: async (conn) => {
            await opened;
            conn.send("nobody hears this");
            conn.setActive(3);
            after++;
            throw new Error("nobody minds this");
          },
        },
      },
    }),
  );
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  client.reset();
  expect(await closedAs(server)).toEqual({ reset: 1 });
  open();
  await until(() => after);
  await turn(3);
  expect(server.counters).toMatchObject({ framesSent: 0, active: 0, crashes: 0 });
});
