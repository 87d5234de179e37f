/** Presence and gathered messages, over real sockets, the hub's tables in the same process. */
import { beforeEach, expect, test } from "vitest";
import { localMembers } from "../../src/groups/local/present.js";
import {
  type Conn,
  defineProtocol,
  exit,
  forward,
  group,
  groups,
  lines,
  next,
  type Presence,
} from "../../src/index.js";
import { settle } from "../../src/otp/time/clock.js";
import { connected, manualClock, serving } from "../support/serving.js";
import { eventually, until } from "../support/until.js";

let last = 0;
const fresh = () => group<string>(`present ${++last}`, { presence: true });
type Member = Conn<
  { readonly seen: Map<string, string>; readonly events: Presence[] },
  string,
  never,
  string
>;

beforeEach(() => until(() => [...localMembers.groups].length === 0));

/** Connections that join by the line of their key, and keep what they hear. */
async function present(lobby = fresh()) {
  const conns: Member[] = [];
  const server = await serving(
    defineProtocol({
      name: "present",
      framing: lines(),
      takes: lobby,
      data: () => ({ seen: new Map<string, string>(), events: [] as Presence[] }),
      states: {
        ready: {
          frame: (conn, line) => {
            if (line === "leave") lobby.leave(conn);
            else lobby.join(conn, { key: line, info: { length: line.length } });
            if (!conns.includes(conn)) conns.push(conn);
          },
          message: forward,
          presence: (conn, change) => {
            const { seen, events } = conn.data;
            events.push(change);
            if (change.initial) seen.clear();
            for (const { pid, key, info } of change.joined)
              seen.set(String(pid), `${key} ${JSON.stringify(info)}`);
            for (const { pid } of change.left) expect(seen.delete(String(pid))).toBe(true);
          },
        },
      },
    }),
  );
  const join = async (key: string) => {
    const client = await connected(server);
    const at = conns.length;
    client.write(`${key}\n`);
    await until(() => conns.length > at);
    return { client, conn: conns[at] as Member };
  };
  return { lobby, server, conns, join };
}

test("a member is first told all members, then changes: 20 that join are few events for each", async () => {
  const clock = manualClock(1_000);
  const { lobby, conns, join } = await present();
  const anna = await join("anna");
  await clock.advance(0);
  const { pid } = anna.conn;
  const me = { pid, key: "anna", info: { length: 4 } };
  expect(anna.conn.data.events).toEqual([{ group: lobby.name, initial: true, joined: [me], left: [] }]);
  for (let at = 0; at < 20; at++) await join(`guest ${at}`);
  await clock.advance(100);
  expect(anna.conn.data.events.length).toBe(2);
  const everybody = new Map(
    (await lobby.members()).map((one) => [String(one.pid), `${one.key} ${JSON.stringify(one.info)}`]),
  );
  expect(everybody.size).toBe(21);
  for (const { data } of conns) expect(data.seen).toEqual(everybody);
  expect(conns[5]?.data.events.map(({ initial }) => initial)).toEqual([true]);
});

test("members that leave, end, and say something else of themselves", async () => {
  const clock = manualClock(1_000);
  const { lobby, join } = await present();
  const [anna, ben, cem] = [await join("anna"), await join("ben"), await join("cem")];
  await clock.advance(100);
  const { events } = anna.conn.data;
  events.length = 0;
  ben.client.write("leave\n");
  exit(cem.conn.pid, "kill");
  anna.client.write("anna again\n");
  await eventually(async () => (await lobby.count()) === 1);
  await eventually(async () => (await lobby.members())[0]?.key === "anna again");
  await clock.advance(100);
  expect(events.length).toBe(1);
  expect(events[0]?.joined.map(({ key }) => key)).toEqual(["anna again"]);
  expect(events[0]?.left.map(({ key, why }) => `${key} ${why}`)).toEqual(
    expect.arrayContaining(["ben left", "cem left"]),
  );
  // It is a member no longer.
  expect(ben.conn.data.events.length).toBe(1);
  // It leaves and joins within one event: it has the list, the others hear nothing new but what it says.
  anna.client.write("leave\nanna\n");
  await eventually(async () => (await lobby.members())[0]?.key === "anna");
  await clock.advance(1_100);
  expect(events.at(-1)).toMatchObject({ initial: true, joined: [{ key: "anna" }] });
});

test("a member that was in a state without the cell is told all members when it comes into one that has it", async () => {
  const clock = manualClock(1_000);
  const lobby = fresh();
  const { join } = await present(lobby);
  const told: string[] = [];
  const keys = (list: Presence["joined"]) => list.map(({ key }) => key).join();
  const server = await serving(
    defineProtocol({
      name: "meeting",
      framing: lines(),
      takes: lobby,
      states: {
        deaf: {
          frame: (conn, line) => {
            if (line === "hear") return next("hearing");
            lobby.join(conn, { key: line });
            return undefined;
          },
        },
        hearing: {
          frame: () => next("deaf"),
          presence: (_, { initial, joined, left }) => {
            told.push(`${initial ? "all" : "change"} ${keys(joined)} ${keys(left)}`);
          },
        },
      },
    }),
  );
  const ben = await connected(server);
  ben.write("ben\n");
  await eventually(async () => (await lobby.count()) === 1);
  const anna = await join("anna");
  await clock.advance(3_000);
  expect(told).toEqual([]);
  const benConn = () => localMembers.get(lobby.name)?.list[0] as unknown as { readonly state: string };
  ben.write("hear\n");
  await until(() => benConn().state === "hearing");
  await clock.advance(1_000);
  expect(told).toEqual(["all ben,anna "]);
  await join("cem");
  await clock.advance(100);
  expect(told.slice(1)).toEqual(["change cem "]);
  ben.write("deaf\n");
  await until(() => benConn().state === "deaf");
  exit(anna.conn.pid, "kill");
  await eventually(async () => (await lobby.count()) === 2);
  await clock.advance(3_000);
  ben.write("hear\n");
  await until(() => benConn().state === "hearing");
  await clock.advance(1_000);
  expect(told.slice(2)).toEqual(["all ben,cem "]);
});

test("wrong introductions are refused where they are made", async () => {
  const { lobby, join } = await present();
  const { conn } = await join("anna");
  const join2 = (as: unknown) => () => lobby.join(conn, as as never);
  expect(join2(undefined)).toThrow("has presence: join with { key, info }");
  expect(join2({})).toThrow("the name of a member (key) must be a string, got undefined");
  expect(join2({ key: "" })).toThrow("1 to 255 bytes");
  expect(join2({ key: "a\nb" })).toThrow("control characters");
  expect(join2({ key: "a", info: "x".repeat(1_023) })).toThrow("info has 1025 bytes of JSON, at most 1024");
  expect(join2({ key: "a", info: () => {} })).toThrow("info must be a JSON value, got function");
  expect(join2({ key: "a", info: { deep: 1n } })).toThrow(TypeError);
  const plain = group<string>("plain");
  expect(() => (plain as any).join(conn, { key: "a" })).toThrow("group plain has no presence");
  expect(() => group("x", { presence: 1 } as never)).toThrow("presence must be true or false, got 1");
  expect(() => group("x", { gather: "2s" })).toThrow('gather must be at most 1s, got "2s"');
  expect(() => group("x", { gather: "soon" as never })).toThrow("Expected a duration");
  lobby.join(conn, { key: "x".repeat(255), info: "x".repeat(1_022) });
  await eventually(async () => (await lobby.members())[0]?.key.length === 255);
});

test("gather: what is sent within its time is written together, in order, and not before", async () => {
  const clock = manualClock(1_000);
  const ticks = groups<string>("gathered", { gather: "10ms" })("ticks");
  const server = await serving(
    defineProtocol({
      name: "gathered",
      framing: lines(),
      takes: ticks,
      states: { ready: { enter: (conn) => ticks.join(conn), message: forward } },
    }),
  );
  const client = await connected(server);
  await eventually(async () => (await ticks.count()) === 1);
  const chunks: string[] = [];
  client.socket.on("data", (chunk) => chunks.push(String(chunk)));
  for (let at = 0; at < 5; at++) {
    ticks.send(`tick ${at}`);
    await settle();
  }
  expect(chunks).toEqual([]);
  await clock.advance(10);
  await until(() => chunks.length > 0);
  expect(chunks).toEqual(["tick 0\ntick 1\ntick 2\ntick 3\ntick 4\n"]);
  // What fills a write does not wait.
  for (let at = 0; at < 14; at++) ticks.send("x".repeat(5_000));
  await until(() => chunks.join("").length > 65_000);
});
