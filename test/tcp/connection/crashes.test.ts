/** Whatever goes wrong in a protocol costs the one connection in which it went wrong. */
import { expect, test } from "vitest";
import {
  type Conn,
  defineProtocol,
  type Framing,
  next,
  packet,
  type State,
  send,
  stop,
} from "../../../src/index.js";
import type { AnyProtocol } from "../../../src/tcp/protocol/protocol.js";
import { closedAs, connected, crashes, manualClock, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

type AnyState = State<"ready", any, any, any, any>;

const broken = () => {
  throw new Error("broken");
};

/** A protocol that is broken in one place. */
function brokenIn(cells: AnyState, rest: Partial<AnyProtocol> = {}): AnyProtocol {
  return defineProtocol({ name: "broken", framing: packet(2), states: { ready: cells }, ...rest });
}

const places: Record<string, AnyProtocol> = {
  data: brokenIn({}, { data: broken }),
  "data that cannot be waited for": brokenIn({}, { data: async () => broken() }),
  enter: brokenIn({ enter: broken }),
  frame: brokenIn({ frame: broken }),
  message: brokenIn({ enter: (conn) => send(conn.pid, "x"), message: broken }),
  passive: brokenIn({ frame: () => {}, passive: broken }, { active: 1 }),
  ended: brokenIn({ frame: () => {}, ended: broken }),
  leave: brokenIn({ frame: () => stop(), leave: broken }),
  "leave that cannot be waited for": brokenIn({ frame: () => stop(), leave: async () => broken() }),
  terminate: brokenIn({ frame: () => stop() }, { terminate: broken }),
  "terminate that rejects": brokenIn({ frame: () => stop() }, { terminate: async () => broken() }),
  "a framing's decoder()": brokenIn({}, { framing: framing({ decoder: broken }) }),
  "a framing's push": brokenIn({}, { framing: framing({}, { push: broken, pushBorrowed: broken }) }),
  "a framing's pull": brokenIn({}, { framing: framing({}, { pull: broken }) }),
  "a framing's encodeInto": brokenIn(
    { frame: (conn, frame) => conn.send(frame) },
    { framing: framing({ encodeInto: broken }) },
  ),
};

function framing(changes: Partial<Framing<any>>, ofDecoder: object = {}): Framing<any> {
  const real = packet(2);
  const decoder = () => Object.assign(real.decoder(), ofDecoder);
  const encodedLength = real.encodedLength.bind(real);
  return { name: "broken", decoder, encodedLength, encodeInto: real.encodeInto.bind(real), ...changes };
}

test.for(Object.entries(places))(
  "an error in %s closes that connection with a crash report",
  async ([, protocol]) => {
    const reports = crashes();
    const server = await serving(protocol);
    await (await connected(server)).send("x").finish().end();
    expect(await closedAs(server)).toEqual({ crash: 1 });
    expect(reports).toHaveLength(1);
    expect(String(reports[0]?.reason)).toMatch(/broken|cannot wait/);
    expect(reports[0]?.initialCall).toBe("broken:init/1");
    expect(reports[0]?.details).toMatchObject({ state: "ready", peer: { address: "127.0.0.1" } });
  },
);

test("an error in the timeout and idle cells is a crash as well", async () => {
  const clock = manualClock();
  for (const cell of ["timeout", "idle"] as const) {
    const server = await serving(brokenIn({ [cell]: { after: "1s", do: broken } }));
    const client = await connected(server);
    await until(() => server.counters.active === 1);
    await clock.advance(1_300);
    await client.end();
    expect(await closedAs(server)).toEqual({ crash: 1 });
  }
});

test("where data fails, no state is left and nothing is terminated, for nothing was begun", async () => {
  const seen: string[] = [];
  const server = await serving(
    brokenIn(
      { enter: () => void seen.push("enter"), leave: () => void seen.push("leave") },
      { data: broken, terminate: () => void seen.push("terminate") },
    ),
  );
  await (await connected(server)).end();
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(seen).toEqual([]);
});

test("a crash in leave does not keep terminate from running, and is the reason", async () => {
  let why: unknown;
  const server = await serving(
    brokenIn({ frame: () => stop(), leave: broken }, { terminate: (_, reason) => void (why = reason) }),
  );
  await (await connected(server)).send("x").end();
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(String(why)).toBe("Error: broken");
});

test("a send that the framing cannot carry crashes that connection, and nothing truncated is on the wire", async () => {
  const reports = crashes();
  const server = await serving(
    brokenIn({
      frame: (conn) => {
        conn.send("whole");
        conn.send(Buffer.alloc(65_536));
      },
    }),
  );
  const other = await connected(server);
  const client = await (await connected(server)).send("x").end();
  await until(() => client.ended || client.closed);
  expect([[], ["whole"]]).toContainEqual(client.frames);
  expect(client.bytes.length).toBe(client.frames.length * 7);
  expect(reports[0]?.reason).toMatchObject({ code: "send_too_long" });
  expect(other.closed).toBe(false);
  expect(server.counters).toMatchObject({ active: 1, crashes: 1, framesSent: 1 });
});

test("a send that fails spoils nothing for the others of the same turn", async () => {
  const conns: Conn<any, any>[] = [];
  const server = await serving(
    brokenIn({
      enter: (conn) => void conns.push(conn),
      frame: (_, frame) => {
        for (const conn of conns) conn.send(`first ${frame}`);
        for (const conn of conns) conn.send(conn === conns[0] ? (42 as never) : `second ${frame}`);
      },
    }),
  );
  const clients = [await connected(server), await connected(server), await connected(server)];
  await until(() => conns.length === 3);
  clients[2]?.send("x");
  expect(await clients[1]?.receive(1)).toEqual(["first x"]);
  await clients[2]?.end();
  expect(server.counters.active).toBe(2);
});

test("the step of a handler that has brought about the end itself comes too late", async () => {
  const seen: string[] = [];
  const server = await serving(
    defineProtocol({
      name: "toolate",
      framing: packet(2),
      limits: { lowWater: 1, highWater: 2, maxOutbound: 3 },
      states: {
        first: {
          frame: (conn) => {
            for (let n = 0; n < 2_000; n++) conn.send(Buffer.alloc(60_000));
            return next("second");
          },
          leave: () => void seen.push("left first"),
        },
        second: { enter: () => void seen.push("entered second"), leave: () => void seen.push("left second") },
      },
      terminate: () => void seen.push("terminate"),
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  client.send("x", "y");
  expect(await closedAs(server)).toEqual({ slow_consumer: 1 });
  await turn(3);
  expect(seen).toEqual(["left first", "terminate"]);
});
