/** Groups over all workers of the built program: the exchange started by `scale`, killed, and seen from outside. */
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBody, sendRequest } from "../../../src/control/http-client.js";
import { writeHello } from "../../../src/exchange/records/connect-records.js";
import { KIND, RecordWriter } from "../../../src/exchange/records/records.js";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { exchangeOf, isAlive } from "../../support/os-processes.js";
import { endAll, Program, run, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const ROOMS = `
import { defineProtocol, forward, groups, names, packet, parsePid, send } from "drover";
const rooms = groups<string>("room");
const present = groups<string>("present", { presence: true });
const devices = names<any, any>("device");
export default defineProtocol({
  name: "rooms",
  framing: packet(2),
  takes: [rooms, present],
  answers: devices,
  states: {
    ready: {
      frame: async (conn, frame) => {
        const [what, to, text] = JSON.parse(String(frame));
        if (what === "who") return conn.send(String(conn.pid));
        if (what === "join") rooms(to).join(conn);
        if (what === "introduce") present(to).join(conn, { key: text, info: { device: "phone" } });
        if (what === "leave") rooms(to).leave(conn);
        if (what === "say") return rooms(to).send(text);
        if (what === "count") return conn.send(String(await rooms(to).count()));
        if (what === "members") return conn.send((await rooms(to).members()).map(({ pid }) => pid).join(" "));
        if (what === "claim") return conn.send((await devices.claim(conn, to)).previous);
        if (what === "ask") return conn.send(JSON.stringify(await devices.ask(to, text).catch((error) => error.code)));
        if (what === "send") send(parsePid(to)!, text);
        conn.send("ok");
      },
      message: forward,
      request: (conn, request) => {
        if (request.body !== "silence") request.reply({ from: String(conn.pid), body: request.body });
      },
    },
  },
});
`;

let server: Awaited<ReturnType<typeof serveProtocol>>;
const clients: FrameClient[] = [];

class Party {
  readonly client: FrameClient;
  pid = "";
  constructor(client: FrameClient) {
    this.client = client;
    clients.push(client);
  }
  /** Asks, and returns the answer. */
  ask(...command: string[]): Promise<string> {
    return this.client.ask(JSON.stringify(command));
  }
  say(room: string, text: string): void {
    this.client.send(JSON.stringify(["say", room, text]));
  }
  get worker(): string {
    return this.pid.slice(1).split(".")[0] as string;
  }
}

async function party(room: string): Promise<Party> {
  const one = new Party(await FrameClient.connect(server.port));
  one.pid = await one.ask("who");
  await one.ask("join", room);
  return one;
}

/** One member in each of two workers. */
async function pair(room: string): Promise<[Party, Party]> {
  const found = new Map<string, Party>();
  const extra: Party[] = [];
  for (let tries = 0; found.size < 2; tries++) {
    if (tries > 100) throw new Error("all connections are in one worker");
    const one = await party(room);
    // New connections go to the worker that has fewer.
    if (found.has(one.worker)) extra.push(one);
    else found.set(one.worker, one);
  }
  for (const { client } of extra) {
    client.end();
    clients.splice(clients.indexOf(client), 1);
  }
  const [one, other] = [...found.values()] as [Party, Party];
  // A join is known in the order of its worker's link: the last one, to the others, a moment later.
  await eventually(async () => {
    const members = (await one.ask("members", room)).split(" ");
    return members.includes(other.pid) && !extra.some(({ pid }) => members.includes(pid));
  });
  return [one, other];
}

const exchangePid = () => exchangeOf(server.program.osPid);

const metrics = async () => (await http(server.adminPort, "/metrics")).body;

beforeAll(async () => {
  server = await serveProtocol("rooms.ts", ROOMS, ["--workers=1", "--max-message=300000"]);
});
afterAll(async () => {
  for (const { socket } of clients) socket.destroy();
  await endAll();
});

test("one worker needs no exchange; scale starts it, and the members stay", async () => {
  expect(exchangePid()).toBeUndefined();
  const one = await party("scaled");
  one.say("scaled", "alone");
  expect(String(await one.client.receive())).toBe("alone");
  const { code, stderr } = await run(["scale", "2", "--control", server.control]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(exchangePid()).toBeDefined();
  const members = await pair("scaled");
  expect(await members[0].ask("count", "scaled")).toBe("3");
  const pids = [one.pid, ...members.map(({ pid }) => pid)].sort();
  expect((await members[1].ask("members", "scaled")).split(" ").sort()).toEqual(pids);
});

test("members of all workers get a message, the sender too, and each once", async () => {
  const [one, other] = await pair("all");
  for (let at = 0; at < 100; at++) (at % 2 ? one : other).say("all", `m${at}`);
  const texts = async ({ client }: Party) => {
    const got: string[] = [];
    while (got.length < 100) {
      const text = String(await client.receive());
      if (text.startsWith("m")) got.push(text);
    }
    return got;
  };
  const [mine, others] = [await texts(one), await texts(other)];
  expect(mine).toEqual(others);
  expect(new Set(mine).size).toBe(100);
});

test("messages to a pid of another worker pass the exchange", async () => {
  const [one, other] = await pair("pids");
  await one.ask("send", other.pid, "hello");
  expect(String(await other.client.receive())).toBe("hello");
});

test("the tree and the metrics show it", async () => {
  await pair("seen");
  // As of its last report, which comes once a second.
  await eventually(async () => {
    const { stdout } = await run(["tree", "--control", server.control]);
    return /<0\.\d+> exchange \(os \d+\) +2 links, \d+ groups?, \d+ memberships, \d+ names?/.test(stdout);
  });
  const text = await eventually(async () => {
    const body = await metrics();
    return (series(body, "drover_group_memberships") ?? 0) >= 2 && body;
  });
  expect(series(text, "drover_exchange_up")).toBe(1);
  expect(series(text, "drover_exchange_links")).toBe(2);
  expect(series(text, "drover_group_published_total")).toBeGreaterThan(0);
});

test("connections, state and trace show memberships, and where a message comes from", async () => {
  const [one, other] = await pair("shown");
  expect(await one.ask("claim", "shown")).toBe("none");
  const drover = async (...args: string[]) => (await run([...args, "--control", server.control])).stdout;
  const rows = (await drover("connections")).split("\n");
  expect(rows[0]).toMatch(/mailbox +names +groups +missed$/);
  expect(rows.find((line) => line.startsWith(`${one.pid} `))).toMatch(/ 1 +1 +0$/);
  expect(rows.find((line) => line.startsWith(`${other.pid} `))).toMatch(/ 0 +1 +0$/);
  const state = await drover("state", one.pid);
  expect(state).toMatch(/groups +room\/shown \(joined \d+s ago\)/);
  expect(state).toMatch(/names +device\/shown/);
  const trace = new Program(["trace", other.pid, "--control", server.control]);
  await eventually(() => {
    one.say("shown", "traced");
    return trace.stdout.includes("room/shown");
  });
  expect(trace.stdout).toContain(`room/shown from ${one.pid}: 'traced'`);
  trace.signal("SIGTERM");
  await trace.exited;
  const text = await metrics();
  for (const name of ["drover_group_delivery_seconds_count", "drover_ask_seconds_count"])
    expect(text).toMatch(new RegExp(`${name}\\{worker="\\d"\\} \\d+`));
  await eventually(
    async () => series(await metrics(), "drover_exchange_link_bytes", { to: "worker", worker: "1" }) === 0,
  );
  expect(series(text, "drover_names_contested_total", { worker: "0" })).toBe(0);
});

test("a name is held by the newest claim, in whichever worker, and asked from any, and from outside", async () => {
  const [one, other] = await pair("names");
  expect(await one.ask("claim", "42")).toBe("none");
  expect(JSON.parse(await other.ask("ask", "42", "hello"))).toEqual({ from: one.pid, body: "hello" });
  expect(await other.ask("claim", "42")).toBe("ended");
  expect(await one.client.closed).toBe("end");
  clients.splice(clients.indexOf(one.client), 1);
  const drover = (...args: string[]) => run([...args, "--control", server.control]);
  const outcomes = await Promise.all([
    drover("ask", "device/42", '{"op":"read"}'),
    drover("ask", "device/43", "x"),
    drover("ask", "device/42", "silence", "--within", "100ms"),
    drover("whereis", "device/42"),
    drover("names", "device/4"),
    drover("publish", "room/names", "from outside"),
    drover("group", "room/names"),
  ]);
  expect(outcomes.map(({ code }) => code)).toEqual([0, 68, 75, 0, 0, 0, 0]);
  const [answered, nobody, , where, list, , members] = outcomes.map(({ stdout, stderr }) => stdout || stderr);
  expect(JSON.parse(answered as string)).toEqual({ from: other.pid, body: { op: "read" } });
  expect(nobody).toBe("no process holds the name device/43\n");
  expect(where).toBe(`${other.pid}\n`);
  expect(list).toContain("1 of 2 names\n");
  expect(members).toContain(other.pid);
  expect(String(await other.client.receive())).toBe("from outside");
  expect((await drover("publish", "nowhere", "x")).stdout).toBe("sent to nowhere: 0 members\n");
  expect(await other.ask("introduce", "1", "ada")).toBe("ok");
  // The command may go to another worker than the one that joins.
  const row = `${other.pid.padEnd(12)}  ada  {"device":"phone"}\n1 member\n`;
  await eventually(async () => (await drover("group", "present/1")).stdout === row);
});

test("what is asked from outside may be as large as --max-message says, and is refused above it", async () => {
  const one = await party("large");
  expect(await one.ask("claim", "large")).toBe("none");
  const ask = async (length: number) => {
    const body = JSON.stringify({ name: "device/large", body: "x".repeat(length), within: "20s" });
    const asked = { socketPath: server.control, path: "/ask", body, signal: AbortSignal.timeout(30_000) };
    const response = await sendRequest(asked);
    return [response.statusCode, JSON.parse(await readBody(response))] as const;
  };
  const [status, { answer }] = await ask(299_900);
  expect([status, answer?.body?.length]).toEqual([200, 299_900]);
  const [refused, { error }] = await ask(300_001);
  expect([refused, error]).toEqual([
    413,
    expect.stringMatching(/^the message has 300001 bytes, at most 300000/),
  ]);
});

test("a name that clients take from each other is reported, with both addresses", async () => {
  const last: Party[] = [];
  // The 5th replacement waits for a second.
  for (let at = 0; at < 6; at++) {
    last.unshift(await party("contest"));
    const claimed = last[0]?.ask("claim", "contested");
    if (at < 5) await claimed;
  }
  const line = await server.program.line(({ event }) => event === "name_contested");
  const [claimant, holder] = last.map(({ client, pid }) => [pid, `127.0.0.1:${client.socket.localPort}`]);
  expect([line.pid, line.peer]).toEqual(holder);
  expect([line.otherPid, line.otherPeer]).toEqual(claimant);
  expect(line).toMatchObject({ level: "warn", name: "device/contested" });
  expect(line.msg).toMatch(/^the name device\/contested is contested: 127\.0\.0\.1:/);
  for (const { client } of last.slice(1)) await client.closed;
  clients.splice(0, clients.length, ...clients.filter(({ isClosed }) => !isClosed));
});

test("the exchange killed under load: no client notices, and rows and messages are back", async () => {
  const [one, other] = await pair("killed");
  expect(await one.ask("claim", "kept")).toBe("none");
  const before = Number(await one.ask("count", "killed"));
  const killed = exchangePid() as number;
  let sending = true;
  const load = (async () => {
    for (let at = 0; sending; at++) {
      one.say("load", String(at));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  process.kill(killed, "SIGKILL");
  // What is under way when the link breaks is lost, so that nothing comes twice.
  await eventually(() => exchangePid() !== undefined && exchangePid() !== killed);
  // What is sent meanwhile waits for 1 s, which a slow machine may need to start it.
  await eventually(() => {
    one.say("killed", "again");
    return other.client.frames.map(String).includes("again");
  });
  sending = false;
  await load;
  const third = await party("other");
  expect(await third.ask("count", "killed")).toBe(String(before));
  expect(JSON.parse(await third.ask("ask", "kept", "hello"))).toEqual({ from: one.pid, body: "hello" });
  expect(clients.filter(({ isClosed }) => isClosed)).toEqual([]);
  const child = { child: "exchange" };
  await eventually(async () => series(await metrics(), "drover_supervisor_restarts_total", child) === 1);
});

test("a worker killed: its members are out, and the others go on", async () => {
  const [one, other] = await pair("worker killed");
  expect(await one.ask("count", "worker killed")).toBe("2");
  const worker = async () => {
    const { body } = await http(server.adminPort, "/info");
    const workers = JSON.parse(body).workers as { worker: number; osPid: number; state: string }[];
    return workers.find((one) => String(one.worker) === other.worker);
  };
  const osPid = (await worker())?.osPid as number;
  process.kill(osPid, "SIGKILL");
  await other.client.closed;
  clients.splice(0, clients.length, ...clients.filter(({ isClosed }) => !isClosed));
  await eventually(async () => (await one.ask("count", "worker killed")) === "1");
  await eventually(async () => {
    const next = await worker();
    return next?.state === "running" && next.osPid !== osPid;
  });
});

test("the primary stopped: groups go on", async () => {
  const [one, other] = await pair("primary stopped");
  server.program.signal("SIGSTOP");
  try {
    one.say("primary stopped", "still here");
    expect(String(await other.client.receive())).toBe("still here");
    expect(await other.ask("count", "primary stopped")).toBe("2");
  } finally {
    server.program.signal("SIGCONT");
  }
});

test("a forged record is passed over and counted by the exchange, and by the worker to which it was passed on", async () => {
  const [one, other] = await pair("forged");
  const beside = dirname(server.control);
  const folder = readdirSync(beside).find((name) => name.startsWith("exchange-")) as string;
  const [file] = readdirSync(join(beside, folder)) as [string];
  const writer = new RecordWriter();
  writeHello(writer, 99, 0);
  writer.add(200, "unknown", 0);
  // A signal of no kind: the exchange reads only for which worker it is.
  const at = writer.add(KIND.signal, "", 12);
  writer.buffer.fill(0xff, at, at + 12);
  writer.buffer.writeUInt16BE(Number(other.worker), at);
  const socket = connect({ path: join(beside, folder, file) });
  socket.write(writer.take());
  const counted = async (worker: string) =>
    series(await metrics(), "drover_group_malformed_total", { worker }) === 1;
  await eventually(() => counted("0"));
  await eventually(() => counted(other.worker));
  expect(await counted(one.worker)).toBe(false);
  socket.destroy();
  one.say("forged", "still here");
  expect(String(await other.client.receive())).toBe("still here");
});

test("the primary killed: the workers drain, the exchange ends with the last link, and nothing is left", async () => {
  const osPid = exchangePid() as number;
  const beside = dirname(server.control);
  const folder = readdirSync(beside).find((name) => name.startsWith("exchange-"));
  expect(folder).toBeDefined();
  server.program.signal("SIGKILL");
  for (const { socket } of clients) socket.destroy();
  await eventually(() => !isAlive(osPid));
  expect(existsSync(join(beside, folder as string))).toBe(false);
});

test("a protocol that joins a group or claims a name that no protocol lists is told to, instead of having one in each worker", async () => {
  const code = `
    import { defineProtocol, group, lines, names } from "drover";
    const [lobby, devices] = [group("lobby"), names("device")];
    export default defineProtocol({
      name: "unlisted",
      framing: lines(),
      states: {
        ready: {
          frame: async (conn, line) => {
            try {
              if (line === "join") lobby.join(conn.pid);
              else await devices.claim(conn.pid, "a");
              conn.send("done");
            } catch (error) {
              conn.send(error.message);
            }
          },
        },
      },
    });`;
  const { port, stop } = await serveProtocol("unlisted.ts", code);
  const answer = async (line: string) => {
    const socket = connect(port, "127.0.0.1").setEncoding("utf8");
    socket.write(`${line}\n`);
    const [text] = (await once(socket, "data")) as [string];
    socket.destroy();
    return text;
  };
  expect(await answer("join")).toContain("no protocol of this server lists groups or names");
  expect(await answer("join")).toContain('add "takes" to the protocol');
  expect(await answer("claim")).toContain('add "answers" to the protocol');
  await stop();
});
