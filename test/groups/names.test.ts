/** Names in one OS process: real sockets, the hub's tables in the same process. */
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { localNames } from "../../src/groups/local/present.js";
import {
  type AskError,
  type Conn,
  defineProtocol,
  ExitMessage,
  type ExitReason,
  exit,
  genServer,
  lines,
  names,
  onDown,
  type Pid,
  packet,
  parsePid,
  type Request,
  start,
  stop,
} from "../../src/index.js";
import { RemotePid } from "../../src/otp/process/pid.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import gateway from "../../src/protocols/gateway.js";
import { groupCounters } from "../../src/tcp/observe/group-counters.js";
import type { Client } from "../support/client.js";
import { connected, serving } from "../support/serving.js";
import { until } from "../support/until.js";

let last = 0;
const fresh = () => names<string, string>(`family${++last}`);
const textOf = (client: Client) => client.bytes.toString().split("\n").slice(0, -1);
const saying = (client: Client, count: number) =>
  until(() => textOf(client).length >= count && textOf(client));

beforeEach(() => until(() => localNames.size === 0));

/** Connections that claim the name of their first frame. */
async function holders(family = fresh(), online: object = {}) {
  const conns: Conn<any, any, string, never, Request<string, string>>[] = [];
  const server = await serving(
    defineProtocol({
      name: "holder",
      framing: packet(2),
      answers: family,
      states: {
        login: {
          frame: async (conn: Conn<any, any>, name: Buffer) => {
            conns.push(conn as (typeof conns)[0]);
            const { previous } = await family.claim(conn as (typeof conns)[0], String(name));
            conn.send(previous);
          },
          request: (_conn: unknown, request: Request<string, string>) => request.reply(`re: ${request.body}`),
          ...online,
        },
      },
    } as any),
  );
  const login = async (name: string) => {
    const client = (await connected(server)).send(name);
    const [previous] = await client.receive();
    return { client, previous, conn: conns.at(-1) as (typeof conns)[0] };
  };
  return { family, server, login, conns };
}

test("the gateway that comes with drover: devices are asked by their name, and the newest one has it", async () => {
  const server = await serving(gateway);
  const device = names<any, any>("device");
  const one = (await connected(server)).write('{"id": "42"}\n');
  expect(JSON.parse((await saying(one, 1))[0] as string)).toMatchObject({ hello: "42" });
  const answers = [device.ask("42", { op: "read" }), device.ask("42", { op: "reboot" })];
  expect((await saying(one, 3)).slice(1)).toEqual([
    '{"id":1,"body":{"op":"read"}}',
    '{"id":2,"body":{"op":"reboot"}}',
  ]);
  one.write('{"id": 2, "answer": "ok"}\n{"id": 1, "answer": {"value": 7}}\n');
  expect(await Promise.all(answers)).toEqual([{ value: 7 }, "ok"]);
  const where = await device.whereis("42");
  const lost = device.ask("42", "lost").catch((error: AskError) => error);
  await saying(one, 4);
  const two = (await connected(server)).write('{"id": "42"}\n');
  const hello = JSON.parse((await saying(two, 1))[0] as string);
  expect(hello.token).toBeGreaterThan(where?.token as number);
  await one.end();
  expect(await lost).toMatchObject({ name: "AskError", code: "ended" });
  await one.close();
  await until(() => server.counters.closed.replaced === 1);
  expect((await device.whereis("42"))?.pid).not.toEqual(where?.pid);
  await two.close();
  await until(() => localNames.size === 0);
  expect(await device.whereis("42")).toBeUndefined();
  const nameless = (await connected(server)).write('{"ID": 1}\n');
  expect(await saying(nameless, 1)).toEqual(['{"error":"say who you are","example":{"id":"42"}}']);
});

test("the gateway refuses a request that is too large for its device, which stays", async () => {
  const server = await serving(gateway);
  const device = names<any, any>("device");
  const one = (await connected(server)).write('{"id": "8"}\n');
  await saying(one, 1);
  const codeOf = (error: AskError) => [error.code, error.message];
  const large = "x".repeat(65_530);
  expect(await device.ask("8", large).catch(codeOf)).toEqual(["refused", expect.stringContaining("bytes")]);
  device.send("8", large);
  const asked = device.ask("8", "small");
  expect((await saying(one, 2))[1]).toBe('{"id":1,"body":"small"}');
  one.write('{"id": 1, "answer": true}\n');
  expect(await asked).toBe(true);
});

test("the gateway gives no caller a late answer to an earlier request, and forgets callers that have given up", async () => {
  const server = await serving(gateway);
  const device = names<any, any>("device");
  const one = (await connected(server)).write('{"id": "7"}\n');
  await saying(one, 1);
  const codeOf = (error: AskError) => error.code;
  const skipped = Array.from({ length: 32 }, () => device.ask("7", "skipped", { within: 100 }).catch(codeOf));
  // Asked in the same turn: before any of them has given up.
  expect(await device.ask("7", "one more").catch(codeOf)).toBe("refused");
  await saying(one, 33);
  expect(new Set(await Promise.all(skipped))).toEqual(new Set(["timeout"]));
  device.send("7", "no answer wanted");
  expect((await saying(one, 34)).at(-1)).toBe('{"body":"no answer wanted"}');
  // The holder's own timer of the ask has to run, too.
  const next = await until(async () => {
    const asked = device.ask("7", "next").catch(codeOf);
    one.write('{"id": 32, "answer": "late"}\n"nothing"\n{"id": 33, "answer": "in time"}\n');
    const said = await asked;
    return said !== "refused" && said;
  });
  expect(next).toBe("in time");
  await until(() => textOf(one).some((line) => line.startsWith('{"error":"an answer has the id')));
});

test("a holder learns that its asker has given up, or wants no answer", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const seen: Request<string, string>[] = [];
  const { family, login } = await holders(fresh(), {
    request: (_conn: unknown, request: Request<string, string>) => {
      seen.push(request);
      if (request.body === "reply") request.reply("re");
      if (request.body === "stop") return stop("enough");
    },
  });
  await login("a");
  await family.ask("a", "reply");
  expect(seen[0]).toMatchObject({ open: false });
  expect(seen[0]?.signal.aborted).toBe(false);
  const slow = family.ask("a", "slow", { within: 50 }).catch((error: AskError) => error.code);
  const slowRequest = await until(() => seen[1]);
  expect(slowRequest.open).toBe(true);
  const { signal } = slowRequest;
  expect(signal.aborted).toBe(false);
  await clock.advance(50);
  await until(() => signal.aborted);
  expect(signal.reason).toMatchObject({ name: "AskError", code: "timeout" });
  expect(slowRequest.open).toBe(false);
  slowRequest.reply("too late");
  expect(await slow).toBe("timeout");
  family.send("a", "send");
  expect(await until(() => seen[2])).toMatchObject({ open: false });
  expect(seen[2]?.signal.aborted).toBe(false);
  await expect(family.ask("a", "stop")).rejects.toMatchObject({ code: "ended" });
  expect(seen[3]?.signal.reason).toMatchObject({ code: "ended" });
});

test("previous says what became of the holder; the same process claims again at once", async () => {
  const { family, login } = await holders();
  const one = await login("a");
  expect(one.previous).toBe("none");
  const { token } = await family.claim(one.conn, "a");
  expect(await family.claim(one.conn, "a")).toEqual({ token, previous: "none" });
  const two = await login("a");
  expect(two.previous).toBe("ended");
  await one.client.end();
  await expect(family.claim(one.conn, "b")).rejects.toMatchObject({ code: "ended" });
});

test("a claim may be refused instead", async () => {
  const { family, login } = await holders();
  const [one, two] = [await login("a"), await login("b")];
  const claim = family.claim(two.conn, "a", { taken: "refuse" });
  await expect(claim).rejects.toMatchObject({
    ...{ name: "ClaimError", code: "taken" },
    message: `the name family${last}/a is taken`,
  });
  family.release(one.conn, "a");
  expect(await family.claim(two.conn, "a", { taken: "refuse" })).toMatchObject({ previous: "none" });
});

test("claims of a name that clients take from each other are counted", async () => {
  const { server, login } = await holders();
  const before = groupCounters.namesContested;
  for (let at = 0; at < 5; at++) await login("cloned");
  const waits = (await connected(server)).send("cloned");
  await until(() => groupCounters.namesContested === before + 1);
  await waits.close();
});

test("a replaced cell may keep the connection; the name is let go when it has run", async () => {
  const seen: string[] = [];
  const { login } = await holders(fresh(), {
    replaced: async (conn: Conn<any, any>, name: string) => {
      seen.push(name);
      await new Promise((resolve) => setTimeout(resolve, 20));
      conn.send("replaced");
    },
  });
  const one = await login("a");
  const two = await login("a");
  expect(two.previous).toBe("ended");
  expect(await one.client.receive(2)).toEqual(["none", "replaced"]);
  expect(seen).toEqual([`family${last}/a`]);
});

/** Processes that are no connections, and what they were told. */
function stores(trapExit: boolean) {
  const told: unknown[] = [];
  const store = genServer({
    name: "store",
    trapExit,
    init: () => ({}),
    info: (_self, message) => void told.push(message),
  });
  return { told, next: () => start(store, undefined) };
}

test("a process that is no connection ends when another claim takes its name", async () => {
  const [family, { next }] = [fresh(), stores(false)];
  const [one, two] = [await next(), await next()];
  const reasons: ExitReason[] = [];
  onDown(one, (reason) => reasons.push(reason));
  expect(await family.claim(one, "a")).toMatchObject({ previous: "none" });
  await family.claim(one, "b");
  expect(await family.claim(two, "a")).toMatchObject({ previous: "ended" });
  expect(reasons).toEqual([{ shutdown: { replaced: `family${last}/a` } }]);
  expect(await family.whereis("b")).toBeUndefined();
  expect((await family.whereis("a"))?.pid).toEqual(two);
  exit(two, "kill");
});

test("a process that traps exits goes on without the name, is told, and may claim it again", async () => {
  const [family, { told, next }] = [fresh(), stores(true)];
  const [one, two] = [await next(), await next()];
  await family.claim(one, "a");
  await family.claim(one, "b");
  expect(await family.claim(two, "a")).toMatchObject({ previous: "ended" });
  const message = await until(() => told[0]);
  expect(message).toBeInstanceOf(ExitMessage);
  expect(message).toMatchObject({ exit: one, reason: { shutdown: { replaced: `family${last}/a` } } });
  expect((await family.whereis("b"))?.pid).toEqual(one);
  expect(await family.claim(one, "a")).toMatchObject({ previous: "ended" });
  expect((await family.whereis("a"))?.pid).toEqual(one);
  for (const pid of [one, two]) exit(pid, "kill");
});

test("without a cell a holder is ended although its handler waits", async () => {
  const { family, login } = await holders(fresh(), {
    request: () => new Promise(() => {}),
  });
  const one = await login("a");
  family.send("a", "wait");
  await until(() => (one.conn as any).busy);
  expect((await login("a")).previous).toBe("ended");
});

test("each way in which an ask has no answer", async () => {
  const { family, login } = await holders(fresh(), {
    request: (_conn: unknown, request: Request<string, string>) => {
      if (request.body === "fail") return request.fail("not today");
      if (request.body === "stop") return stop("enough");
      if (request.body === "twice") {
        request.reply("one");
        request.reply("two");
      }
    },
  });
  const { client } = await login("a");
  const code = (body: string, name = "a") =>
    family.ask(name, body, { within: 50 }).catch((error: AskError) => `${error.code}: ${error.message}`);
  expect(await code("x", "b")).toBe(`nobody: no process holds the name family${last}/b`);
  expect(await code("fail")).toBe("refused: not today");
  expect(await code("twice")).toBe("one");
  expect(await code("silence")).toBe(`timeout: family${last}/a has not answered within 50 ms`);
  expect(await code("stop")).toBe("ended: the process that holds the name has ended");
  await client.end();
  family.send("a", "nobody hears it");
  const { conn } = await login("c");
  family.release(conn, "c");
  expect(await code("x", "c")).toContain("nobody");
});

test("a busy holder: 1,000 requests wait, more are refused", async () => {
  const { family, login } = await holders(fresh(), { request: () => new Promise(() => {}) });
  await login("a");
  const asks = Array.from({ length: 1_010 }, () =>
    family.ask("a", "x", { within: 500 }).catch((e) => e.code),
  );
  const codes = await Promise.all(asks);
  expect(codes.filter((one) => one === "busy").length).toBeGreaterThanOrEqual(9);
});

test("wrong uses are refused at the call", async () => {
  const { family, login } = await holders();
  const { conn } = await login("a");
  for (let at = 1; at < 16; at++) await family.claim(conn, String(at));
  await expect(family.claim(conn, "17")).rejects.toThrow("holds 16 names, which is the most");
  await expect(family.claim(parsePid("<7.12>") as Pid, "x")).rejects.toThrow("process of another worker");
  expect(() => family.release(new RemotePid(7, 12, "gw2"), "x")).toThrow(
    "<7.12@gw2> is a process of another server: it must release by itself",
  );
  await expect(family.ask("a", Number.NaN as never)).rejects.toThrow("JSON value or bytes, got NaN");
  await expect(family.claim(conn, "")).rejects.toThrow("a name must have 1 to 255 bytes");
  await expect(family.claim(conn, "x", { taken: "steal" } as never)).rejects.toThrow('"replace" or "refuse"');
  await expect(family.ask("a", 1n as never)).rejects.toThrow(TypeError);
  await expect(family.ask("a", "x".repeat(70_000))).rejects.toThrow(RangeError);
  const elsewhere = new RemotePid(3, 17, "gw2");
  await expect(family.ask("a", "x", { from: elsewhere })).rejects.toThrow("must be a process of this server");
  const wrong = { name: "w", framing: lines(), answers: {}, states: { s: {} } } as any;
  expect(() => defineProtocol(wrong)).toThrow('"answers" must be a family of names');
});

test("a state without a request cell refuses", async () => {
  const { family, login } = await holders(fresh(), { request: undefined });
  await login("a");
  await expect(family.ask("a", "x")).rejects.toMatchObject({ code: "refused" });
});
