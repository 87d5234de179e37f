/** Groups in one OS process: real sockets, the hub's tables in the same process. */
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { localMembers } from "../../src/groups/local/present.js";
import {
  type Conn,
  defineProtocol,
  exit,
  forward,
  genServer,
  group,
  groups,
  lines,
  next,
  packet,
  parsePid,
  type Receives,
  send,
  start,
  stop,
} from "../../src/index.js";
import { Pid, RemotePid } from "../../src/otp/process/pid.js";
import { settle } from "../../src/otp/time/clock.js";
import { GroupMember } from "../../src/tcp/connection/group-member.js";
import { groupCounters } from "../../src/tcp/observe/group-counters.js";
import type { Client } from "../support/client.js";
import { connected, crashes, serving } from "../support/serving.js";
import { until } from "../support/until.js";

let last = 0;
/** A group of this test alone. */
const fresh = () => group<string>(`test ${++last}`);

const textOf = (client: Client) => client.bytes.toString("utf8");
const numbers = () => structuredClone({ ...groupCounters });
const noMembers = () => until(() => [...localMembers.groups].length === 0);

beforeEach(noMembers);

test("a connection that joins and leaves again and again keeps one callback, and leaves at its end", async () => {
  const added = vi.spyOn(GroupMember.prototype, "whenEnding");
  onTestFinished(() => added.mockRestore());
  const lobby = fresh();
  const server = await serving(
    defineProtocol({
      name: "restless",
      framing: lines(),
      takes: lobby,
      states: {
        ready: {
          frame: (conn, line) => {
            if (line === "join") lobby.join(conn);
            else lobby.leave(conn);
          },
          message: forward,
        },
      },
    }),
  );
  const client = await connected(server);
  client.write(`${"join\nleave\n".repeat(100)}join\n`);
  await until(() => localMembers.get(lobby.name)?.size === 1);
  expect(added).toHaveBeenCalledTimes(1);
  await client.close();
  await noMembers();
});

test("a chat of some lines: all others get a line, in one order", async () => {
  const lobby = fresh();
  const server = await serving(
    defineProtocol({
      name: "chat",
      framing: lines(),
      takes: lobby,
      data: () => ({ name: "" }),
      states: {
        greeting: {
          frame: (conn, line) => {
            conn.data.name = line;
            return next("talking");
          },
        },
        talking: {
          enter: (conn) => {
            lobby.join(conn);
            lobby.send(`* ${conn.data.name} is here`, { except: conn });
          },
          frame: (conn, line) =>
            line === "/quit" ? stop() : lobby.send(`${conn.data.name}: ${line}`, { except: conn }),
          message: forward,
          leave: (conn) => lobby.send(`* ${conn.data.name} leaves`, { except: conn }),
        },
      },
    }),
  );
  const anna = await connected(server);
  anna.write("anna\n");
  await until(() => [...localMembers.groups].length === 1);
  const ben = await connected(server);
  ben.write("ben\n");
  await until(() => textOf(anna).endsWith("ben is here\n"));
  const cem = await connected(server);
  cem.write("cem\n");
  await until(() => textOf(ben).endsWith("cem is here\n"));
  anna.write("hi\nhow are you\n");
  await until(() => textOf(cem).includes("how are you"));
  expect(textOf(ben)).toBe("* cem is here\nanna: hi\nanna: how are you\n");
  expect(textOf(cem)).toBe("anna: hi\nanna: how are you\n");
  expect(textOf(anna)).toBe("* ben is here\n* cem is here\n");
  // It ends: out of the group at once, and the others hear what it said last.
  cem.write("/quit\n");
  await until(() => textOf(anna).endsWith("* cem leaves\n"));
  expect(await lobby.count()).toBe(2);
});

/** Every connection joins, and hands out its `conn`. */
async function members(lobby = fresh(), slow: "miss" | "end" = "miss", more: object = {}) {
  const conns: Conn<any, any, string, string>[] = [];
  const slowly = group<string>(lobby.name, { slow });
  const server = await serving(
    defineProtocol({
      name: "member",
      framing: packet(2),
      takes: lobby,
      states: {
        ready: {
          enter: (conn: Conn<any, any>) => {
            slowly.join(conn as unknown as Receives<string>);
            conns.push(conn as unknown as (typeof conns)[0]);
          },
          frame: (conn: Conn<any, any>, frame: Buffer) => {
            conn.send(frame);
          },
          message: forward,
          ...more,
        },
      },
    } as any),
  );
  const join = async () => {
    const at = conns.length;
    const client = await connected(server);
    await until(() => conns.length > at);
    return { client, conn: conns[at] as (typeof conns)[0] };
  };
  return { lobby, server, conns, join };
}
describe("members", () => {
  test("join, leave, count and members; joining twice is joining once", async () => {
    const { lobby, join } = await members();
    const [a, b] = [await join(), await join()];
    lobby.join(a.conn);
    expect(await lobby.count()).toBe(2);
    const pids = (await lobby.members()).map(({ pid }) => String(pid));
    expect(pids).toEqual([a.conn.pid, b.conn.pid].map(String));
    lobby.leave(a.conn);
    lobby.leave(a.conn);
    expect(await lobby.count()).toBe(1);
    lobby.send("x");
    expect(await b.client.receive()).toEqual(["x"]);
    expect(a.client.frames).toEqual([]);
  });

  test("a member that sends after joining receives its own message, and each message once after leaving and joining again", async () => {
    const { lobby, join } = await members();
    const { conn, client } = await join();
    lobby.send("1");
    lobby.leave(conn);
    lobby.join(conn);
    lobby.send("2");
    expect(await client.receive(2)).toEqual(["1", "2"]);
    await settle();
    expect(client.frames).toEqual(["1", "2"]);
  });

  test("a process of another server or worker with the same numbers is not taken for a member here", async () => {
    const { lobby, join } = await members();
    const { conn, client } = await join();
    const { worker, serial } = conn.pid;
    lobby.send("1", { except: new RemotePid(worker, serial, "gw2") });
    lobby.send("2", { except: new Pid(worker + 1, serial) });
    lobby.send("3", { except: conn.pid });
    lobby.send("4");
    expect(await client.receive(3)).toEqual(["1", "2", "4"]);
  });

  test.each(["close", "reset", "kill", "crash", "stop"] as const)(
    "a member that ends by %s is out",
    async (how) => {
      const seen = crashes();
      const { lobby, join } = await members(fresh(), "miss", {
        message: () => {
          throw new Error("no");
        },
      });
      const { conn, client } = await join();
      if (how === "close" || how === "reset") client[how]();
      else if (how === "crash") lobby.send("x");
      else exit(conn.pid, how === "kill" ? "kill" : { shutdown: "enough" });
      await noMembers();
      expect(await lobby.count()).toBe(0);
      expect(seen).toHaveLength(how === "crash" ? 1 : 0);
      lobby.join(conn);
      expect(await lobby.count()).toBe(0);
    },
  );

  test("processes of any kind are members, until they exit", async () => {
    const lobby = fresh();
    const got: unknown[] = [];
    const logger = genServer({
      name: "logger",
      init: () => undefined,
      info: (_self: unknown, message: unknown) => void got.push(message),
    } as any);
    const pid = (await start(logger as any, undefined as never)) as unknown as Pid;
    const process = "pid" in pid ? (pid as { pid: Pid }).pid : pid;
    lobby.join(process);
    lobby.send("x");
    await until(() => got.length === 1);
    exit(process, "kill");
    expect(await lobby.count()).toBe(0);
    lobby.join(process);
    expect(await lobby.count()).toBe(0);
  });

  test("a process of another worker must join by itself", () => {
    expect(() => fresh().join(parsePid("<7.12>") as Pid)).toThrow("<7.12> is a process of another worker");
    expect(() => fresh().join({} as never)).toThrow("expected a connection");
  });

  test("1,000 groups for one connection, and no more", async () => {
    const { join } = await members();
    const { conn, client } = await join();
    const rooms = groups<string>("room");
    for (let at = 1; at < 1_000; at++) rooms(String(at)).join(conn);
    expect(() => rooms("1000").join(conn)).toThrow("is in 1000 groups, which is the most");
    rooms("7").send("x");
    expect(await client.receive()).toEqual(["x"]);
    await client.close();
    await noMembers();
  });
});

describe("messages", () => {
  test("a handler gets the value; all members share it", async () => {
    const got: unknown[] = [];
    const { lobby, join } = await members(fresh(), "miss", {
      message: (_conn: unknown, message: unknown) => void got.push(message),
    });
    await join();
    await join();
    const sent = { at: [1, { two: null }] };
    (lobby as any).send(sent);
    sent.at.length = 0;
    await until(() => got.length === 2);
    expect(got[0]).toEqual({ at: [1, { two: null }] });
    expect(got[0]).toBe(got[1]);
    (lobby as any).send(Buffer.from("bytes"));
    await until(() => got.length === 4);
    expect(got[2]).toEqual(Buffer.from("bytes"));
  });

  test("order is kept while a handler waits, and messages of processes stay between them", async () => {
    const got: unknown[] = [];
    let settled = () => {};
    const { lobby, join } = await members(fresh(), "miss", {
      frame: () => new Promise<void>((resolve) => (settled = resolve)),
      message: (_conn: unknown, message: unknown) => void got.push(message),
    });
    const { conn, client } = await join();
    client.send("wait");
    await until(() => settled.name !== "settled" && String(settled).includes("native"));
    lobby.send("1");
    await settle();
    send(conn.pid, "2");
    lobby.send("3");
    await settle();
    expect(got).toEqual([]);
    settled();
    await until(() => got.length === 3);
    expect(got).toEqual(["1", "2", "3"]);
  });

  test("forward waits behind the mailbox: frames leave in the order sent", async () => {
    let settled: (() => void) | undefined;
    const { lobby, join } = await members(fresh(), "miss", {
      frame: () => new Promise<void>((resolve) => (settled = resolve)),
    });
    const { conn, client } = await join();
    client.send("wait");
    await until(() => settled);
    lobby.send("1");
    await settle();
    send(conn.pid, "2");
    settled?.();
    lobby.send("3");
    expect(await client.receive(3)).toEqual(["1", "2", "3"]);
  });

  test("forward follows what the handler itself has sent", async () => {
    const lobby = fresh();
    const { join } = await members(lobby, "miss", {
      frame: (conn: Conn<any, any>) => {
        conn.send("before");
        lobby.send("message");
        conn.send("after");
      },
    });
    const { client } = await join();
    client.send("x", "x");
    expect(await client.receive(6)).toEqual(["before", "after", "before", "after", "message", "message"]);
  });

  test("what cannot be sent is refused at send", () => {
    const lobby = fresh() as any;
    const wrong = [undefined, () => {}, Symbol("x"), 1n, Number.NaN, new Date(), new Map(), Infinity];
    for (const value of wrong) expect(() => lobby.send(value)).toThrow("must be a JSON value or bytes");
    expect(() => lobby.send({ deep: 1n })).toThrow(TypeError);
    const large = "the message has 65537 bytes, at most 65536 are sent";
    expect(() => lobby.send("x".repeat(65_537))).toThrow(large);
    expect(() => lobby.send(Buffer.alloc(65_537))).toThrow(large);
    expect(() => lobby.send(["x".repeat(70_000)])).toThrow(RangeError);
    lobby.send("x".repeat(65_536));
  });

  test("what a framing cannot carry, and a value that is no frame, are counted and end no member", async () => {
    const { lobby, join } = await members();
    const { client } = await join();
    const before = numbers();
    lobby.send("w");
    lobby.send("x".repeat(65_536));
    lobby.send("y");
    expect(await client.receive(2)).toEqual(["w", "y"]);
    expect(numbers().dropped.too_large - before.dropped.too_large).toBe(1);
    (lobby as any).send(null);
    lobby.send("z");
    expect(await client.receive(3)).toEqual(["w", "y", "z"]);
    expect(numbers().dropped.invalid - before.dropped.invalid).toBe(1);
  });

  test("names", () => {
    expect(() => group("")).toThrow('the name of a group must have 1 to 255 bytes of UTF-8, "" has 0');
    expect(() => group("ä".repeat(128))).toThrow("has 256");
    expect(() => group("a\nb")).toThrow("must not have control characters");
    expect(() => group("\ud800")).toThrow("lone surrogates");
    expect(() => group(7 as never)).toThrow("must be a string, got number");
    expect(() => groups("room")("")).toThrow("1 to 255");
    expect(groups("room")("*.> 日本").name).toBe("room/*.> 日本");
    expect(() => group("x", { presences: true } as never)).toThrow('unknown option "presences"');
  });
});

describe("members that read slowly", () => {
  /** Sends to a client that does not read until its output is full. */
  async function stuff(
    lobby: ReturnType<typeof fresh>,
    conn: { readonly outbound: number },
  ): Promise<number> {
    let sent = 0;
    const until = 100_000;
    while (conn.outbound < 64 * 1024 && sent < until) {
      for (let at = 0; at < 20; at++, sent++) lobby.send(String(sent).padEnd(1_000, "."));
      await settle();
    }
    return sent;
  }

  test("lose messages of groups, exactly counted; the others get all, and the books balance", async () => {
    const { lobby, join } = await members();
    const [slow, good] = [await join(), await join()];
    slow.client.socket.pause();
    const before = numbers();
    const sent = await stuff(lobby, slow.conn);
    for (let at = 0; at < 50; at++) lobby.send("lost");
    await until(() => good.client.frames.length === sent + 50);
    const missed = slow.conn.missed;
    expect(missed).toBeGreaterThanOrEqual(50);
    expect(slow.conn.missed).toBe(0);
    slow.client.socket.resume();
    const got = await slow.client.receive(sent + 50 - missed);
    await until(() => slow.conn.outbound === 0);
    lobby.send("again");
    expect((await slow.client.receive(got.length + 1)).at(-1)).toBe("again");
    // What it got is what was sent first, without a gap.
    expect(got.map((frame) => frame.replaceAll(".", ""))).toEqual(got.map((_, at) => String(at)));
    const { published, forwarded, delivered, dropped } = numbers();
    expect(dropped.slow_member - before.dropped.slow_member).toBe(missed);
    const all = forwarded + delivered - before.forwarded - before.delivered;
    expect((published - before.published) * 2).toBe(all + missed);
  });

  test('are ended as slow_consumer in a group with slow: "end"', async () => {
    const { lobby, join, server } = await members(fresh(), "end");
    const [slow, good] = [await join(), await join()];
    slow.client.socket.pause();
    const sent = await stuff(lobby, slow.conn);
    lobby.send("last");
    await until(() => server.counters.closed.slow_consumer === 1);
    await until(() => good.client.frames.length === sent + 1);
    expect(await lobby.count()).toBe(1);
  });

  test("a mailbox takes 1,000 messages of groups, and counts what it refuses as missed", async () => {
    const { lobby, join } = await members(fresh(), "miss", {
      frame: () => new Promise(() => {}),
      message: () => {},
    });
    const { client, conn } = await join();
    client.send("wait");
    await until(() => (conn as any).busy);
    const before = numbers();
    for (let at = 0; at < 1_010; at++) lobby.send("x");
    await until(() => numbers().dropped.mailbox_full - before.dropped.mailbox_full === 10);
    expect(conn.missed).toBe(10);
  });
});

test("a connection that floods a large group is held, and nothing is lost", async () => {
  const lobby = fresh();
  const body = "x".repeat(10_000);
  const { join, server } = await members(lobby, "miss", {
    frame: () => {
      for (let at = 0; at < 20; at++) lobby.send(body);
    },
    message: () => {},
  });
  const { client } = await join();
  const before = numbers();
  for (let at = 0; at < 200; at++) client.send("go");
  await until(() => server.counters.framesReceived === 200);
  await until(() => numbers().delivered - before.delivered === 4_000);
  expect(numbers().dropped).toEqual(before.dropped);
  expect(server.counters.readsPaused).toBeGreaterThan(0);
});

test("1,000 members in slices: all get each message once, and the others are served meanwhile", async () => {
  const lobby = fresh();
  const got = new Map<Pid, string[]>();
  const { join, server, conns } = await members(lobby, "miss", {
    message: (conn: Conn<any, any>, message: string) => {
      const all = got.get(conn.pid) ?? [];
      got.set(conn.pid, all);
      all.push(message);
    },
  });
  const { client } = await join();
  const extra = Array.from({ length: 199 }, () => connected(server));
  await Promise.all(extra);
  await until(() => conns.length === 200);
  for (let at = 0; at < 100; at++) lobby.send(String(at));
  client.send("served");
  await client.receive();
  await until(() => [...got.values()].reduce((sum, { length }) => sum + length, 0) === 20_000);
  const expected = Array.from({ length: 100 }, (_, at) => String(at));
  for (const messages of got.values()) expect(messages).toEqual(expected);
});
