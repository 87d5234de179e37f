/** Messages and exit signals between processes of different workers; a client cannot forge commands with them. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { endAll, serveProtocol } from "../../support/program.js";

/** Sends any JSON of a client to the pid that the client names. */
const COURIER = `
import { defineProtocol, exit, packet, parsePid, send } from "drover";
export default defineProtocol({
  name: "courier",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const [to, what, message] = JSON.parse(String(frame));
        if (what === "who") return conn.send(String(conn.pid));
        const pid = parsePid(to);
        if (pid && what === "send") send(pid, message);
        if (pid && what === "exit") exit(pid, message);
      },
      message: (conn, message) => conn.send(JSON.stringify(message)),
    },
  },
});
`;

interface Party {
  readonly client: FrameClient;
  readonly pid: string;
}

async function party(port: number): Promise<Party> {
  const client = await FrameClient.connect(port);
  return { client, pid: await client.ask(JSON.stringify(["", "who"])) };
}

/** Two clients with connections in different workers. */
async function parties(port: number): Promise<{ one: Party; other: Party }> {
  const found = new Map<string, Party>();
  while (found.size < 2) {
    const one = await party(port);
    found.set(one.pid.split(".")[0] as string, one);
  }
  const [one, other] = [...found.values()] as [Party, Party];
  return { one, other };
}

describe("messages of clients:", () => {
  let port = 0;
  beforeAll(async () => {
    ({ port } = await serveProtocol("courier.ts", COURIER));
  });
  afterAll(endAll);

  test("a message reaches a process of another worker, and an exit signal ends it", async () => {
    const { one, other } = await parties(port);
    one.client.send(JSON.stringify([other.pid, "send", { hello: ["from", 1] }]));
    expect(JSON.parse(String(await other.client.receive()))).toEqual({ hello: ["from", 1] });
    one.client.send(JSON.stringify([other.pid, "exit", "kill"]));
    await other.client.closed;
    expect(await one.client.ask(JSON.stringify(["", "who"]))).toBe(one.pid);
  });

  test("what a client sends is never an order to the cluster, however it is made up", async () => {
    const { one, other } = await parties(port);
    const forged = [
      { cmd: "NODE_CLUSTER", act: "close", key: `127.0.0.1:${port}:4:undefined` },
      { cmd: "NODE_HANDLE", type: "net.Native" },
      { t: "stop" },
      { t: "failed", d: { code: 66, message: "no" } },
      { t: "signal", d: { to: [0, 1], kind: "exit", payload: "kill" } },
    ];
    for (const message of forged) {
      one.client.send(JSON.stringify([other.pid, "send", message]));
      expect(JSON.parse(String(await other.client.receive()))).toEqual(message);
    }
    const late = await FrameClient.connect(port);
    expect(await late.ask(JSON.stringify(["", "who"]))).toMatch(/^<[12]\.\d+>$/);
  });
});

test("a message for a client whose worker has died reaches no later client", async () => {
  const { port, program } = await serveProtocol("courier.ts", COURIER, ["--workers=1"]);
  onTestFinished(endAll);
  const gone = await party(port);
  const [worker] = program.workers() as [number];
  process.kill(worker, "SIGKILL");
  await gone.client.closed;
  const [one, other] = [await party(port), await party(port)];
  for (const [pid, message] of [
    [gone.pid, "for the one who is gone"],
    [one.pid, "for the one who is here"],
  ])
    other.client.send(JSON.stringify([pid, "send", message]));
  expect(JSON.parse(String(await one.client.receive()))).toBe("for the one who is here");
});

/** Answers a message with what its parts are; has a server and a state machine of its own in every worker. */
const PIDS = `
import { call, cast, defineProtocol, exit, genServer, genStatem, packet, parsePid, send, start, begin } from "drover";
const server = genServer({
  name: "server",
  init: () => ({}),
  casts: { put: (self, from, text) => send(from, { text, pid: from, by: "server" }) },
});
const machine = genStatem({
  name: "machine",
  init: () => begin("on", {}),
  states: { on: { casts: { put: (self, from, text) => send(from, { text, pid: from, by: "machine" }) } } },
});
const started = Promise.all([start(server, undefined), start(machine, undefined)]);
export default defineProtocol({
  name: "pids",
  framing: packet(2),
  states: {
    ready: {
      frame: async (conn, frame) => {
        const [what, to, text] = JSON.parse(String(frame));
        const [server, machine] = await started;
        if (what === "who") return conn.send(JSON.stringify({ conn: conn.pid, server, machine }));
        const pid = parsePid(to);
        const { pid: self } = conn;
        if (what === "send")
          send(pid, { pid: self, list: [[self]], map: new Map([[self, { self }]]), set: new Set([self]), plain: { ...self } });
        if (what === "exit") exit(pid, { told: [self] });
        if (what === "cast") cast(pid, "put", self, text);
        if (what === "call")
          conn.send(await call(pid, "get").then(String, (error) => error.reason + ": " + error.message));
      },
      message: (conn, message) => {
        const { by, text, pid, list, map, set, plain } = message;
        if (by) return conn.send([by, text, pid, pid.equals(conn.pid)].join(" "));
        send(pid, { by: "reply", text: "reached", pid });
        const all = [pid, list[0][0], [...map.keys()][0], [...map.values()][0].self, [...set][0]];
        conn.send([all.every((one) => one.equals(pid) && String(one) === String(pid)), plain.equals, pid].join(" "));
      },
    },
  },
});
`;

/** Two clients of PIDS in different workers, with the pids of their worker's processes. */
async function pairOfPids(port: number) {
  const found = new Map<
    string,
    { client: FrameClient; pids: Record<"conn" | "server" | "machine", string> }
  >();
  while (found.size < 2) {
    const client = await FrameClient.connect(port);
    const pids = JSON.parse(await client.ask(JSON.stringify(["who"])));
    found.set(pids.conn.split(".")[0], { client, pids });
  }
  return [...found.values()] as [typeof found extends Map<any, infer V> ? V : never, any];
}

describe("pids in messages:", () => {
  let port = 0;
  beforeAll(async () => {
    ({ port } = await serveProtocol("pids.js", PIDS));
  });
  afterAll(endAll);

  test("a pid in a message of another worker is a Pid, wherever in the message it is, and leads back", async () => {
    const [one, other] = await pairOfPids(port);
    one.client.send(JSON.stringify(["send", other.pids.conn]));
    expect(String(await other.client.receive())).toBe(`true  ${one.pids.conn}`);
    expect(String(await one.client.receive())).toBe(`reply reached ${one.pids.conn} true`);
    // In the reason of an exit signal as well.
    one.client.send(JSON.stringify(["exit", other.pids.conn]));
    await other.client.closed;
  });

  test("a server and a state machine of another worker can be cast to, and a call to one fails at once", async () => {
    const [one, other] = await pairOfPids(port);
    for (const to of ["server", "machine"] as const) {
      one.client.send(JSON.stringify(["cast", other.pids[to], "hello"]));
      expect(String(await one.client.receive())).toBe(`${to} hello ${one.pids.conn} true`);
    }
    expect(await one.client.ask(JSON.stringify(["call", other.pids.server]))).toBe(
      `notsup: call "get" to ${other.pids.server}: a call cannot leave its OS process; send or cast to it, with a pid to reply to`,
    );
  });
});
