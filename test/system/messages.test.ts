/** Messages and exit signals between processes of different workers; a client cannot forge commands with them. */
import { afterEach, expect, test } from "vitest";
import { FrameClient } from "../support/frames.js";
import { endAll, serveProtocol } from "../support/program.js";

afterEach(endAll);

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

function courier(...args: string[]) {
  return serveProtocol("courier.ts", COURIER, args);
}

async function party(port: number): Promise<Party> {
  const client = await FrameClient.connect(port);
  return { client, pid: await client.ask(JSON.stringify(["", "who"])) };
}

/** Two clients with connections in different workers. */
async function parties(): Promise<{ one: Party; other: Party; port: number }> {
  const { port } = await courier();
  const found = new Map<string, Party>();
  while (found.size < 2) {
    const one = await party(port);
    found.set(one.pid.split(".")[0] as string, one);
  }
  const [one, other] = [...found.values()] as [Party, Party];
  return { one, other, port };
}

test("a message reaches a process of another worker, and an exit signal ends it", async () => {
  const { one, other } = await parties();
  one.client.send(JSON.stringify([other.pid, "send", { hello: ["from", 1] }]));
  expect(JSON.parse(String(await other.client.receive()))).toEqual({ hello: ["from", 1] });
  one.client.send(JSON.stringify([other.pid, "exit", "kill"]));
  await other.client.closed;
  expect(await one.client.ask(JSON.stringify(["", "who"]))).toBe(one.pid);
});

test("a message for a client whose worker has died reaches nobody who comes after", async () => {
  const { port, program } = await courier("--workers=1");
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

test("what a client sends is never an order to the cluster, however it is made up", async () => {
  const { one, other, port } = await parties();
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
