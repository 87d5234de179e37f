/** Faults of the channel between primary and workers, and of the primary's own children; other workers go on. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import {
  endAll,
  type LogLine,
  run,
  type Served,
  serveProgram,
  serveProtocol,
} from "../../support/program.js";
import { eventually } from "../../support/until.js";

/** Protocol that misuses the channel of its worker on command. */
const ROGUE = `
import { writeSync } from "node:fs";
import { defineProtocol, packet } from "drover";
const SPECIAL = { undefined: undefined, nothing: null, numbers: new Float64Array(3), map: new Map([["t", "ready"]]) };
export default defineProtocol({
  name: "rogue",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const text = frame.toString();
        if (text === "who") conn.send(JSON.stringify({ slot: parseInt(String(conn.pid).slice(1)), osPid: process.pid }));
        else if (text === "disconnect") process.disconnect();
        else if (text.startsWith("deep ")) {
          let deep = {};
          for (let depth = Number(text.slice(5)); depth > 0; depth--) deep = { deep };
          process.send(deep, undefined, undefined, () => conn.send("posted"));
        } else if (text.startsWith("bytes ")) {
          writeSync(process.channel.fd, Buffer.from(text.slice(6), "hex"));
          conn.send("posted");
        } else if (text.startsWith("post ")) {
          const message = JSON.parse(text.slice(5), (_, value) => (Object.hasOwn(SPECIAL, value) ? SPECIAL[value] : value));
          process.send(message, undefined, undefined, () => conn.send("posted"));
        } else conn.send(text);
      },
    },
  },
});`;

/** Of the server; a message to a worker may end both of them. */
const RESTARTS = 50;

const GARBAGE = [
  "nothing",
  "some text",
  7,
  {},
  { t: "no such word" },
  { t: "constructor" },
  { t: "map" },
  { t: "snapshot" },
  { t: "snapshot", d: "numbers" },
  { t: "snapshot", d: [1, 2, 3] },
  { t: "snapshot", d: { snapshot: [1, 2, 3], outgoing: [] } },
  { t: "ready" },
  { t: "ready", d: "nothing" },
  { t: "ready", d: "nowhere" },
  { t: "failed" },
  { t: "failed", d: 3 },
  { t: "reply" },
  { t: "reply", id: "__proto__", d: {} },
  { t: "reply", id: 999_999, d: {} },
  { t: "acquire" },
  { t: "acquire", id: "nothing" },
  { t: "signal" },
  { t: "signal", d: "nothing" },
  { t: "signal", d: { to: "nobody", kind: "exit", payload: "kill" } },
  { t: "signal", d: { to: [99, 2], kind: "exit", payload: "kill" } },
  { t: "signal", d: { to: [-1, 2], kind: "exit", payload: "kill" } },
  { t: "signal", d: { to: ["0", "1"], kind: "exit", payload: "kill" } },
  { t: "signal", d: { to: [1.5, {}], kind: "send" } },
  { t: "signal", d: { to: [0, 999_999], kind: "send", payload: "hello" } },
  { t: "signal", d: { to: [0, 2], kind: "no such kind", payload: "hello" } },
  { t: "log" },
  { t: "record" },
  { t: "record", d: "no JSON" },
  { t: "trace", id: 1, d: {} },
  { t: "trace", id: 999_999, d: { what: "frame_in" } },
  { t: "loaded", d: { active: "many", ahead: true } },
  { t: "boot" },
  { t: "request", id: 1 },
];

/** Node's own messages, as its channel and its cluster module use them: in the wrong order, and in shapes they never have. */
const NODE_MESSAGES = [
  ...["NODE_HANDLE_ACK", "NODE_HANDLE_NACK", "NODE_CLUSTER", "NODE_UNKNOWN", "NODE_"].map((cmd) => ({ cmd })),
  ...["NODE_SOCKET_NOTIFY_CLOSE", "NODE_SOCKET_ALL_CLOSED", "NODE_SOCKET_GET_COUNT", "NODE_SOCKET_COUNT"].map(
    (cmd) => ({
      cmd,
      key: "none",
    }),
  ),
  { cmd: "NODE_CLUSTER", act: "close", key: "no such key" },
  { cmd: "NODE_CLUSTER", act: "listening" },
  { cmd: "NODE_CLUSTER", act: "queryServer" },
  {
    cmd: "NODE_CLUSTER",
    act: "queryServer",
    addressType: 4,
    address: "127.0.0.1",
    port: 99_999,
    index: 0,
    seq: 1,
  },
  {
    cmd: "NODE_CLUSTER",
    act: "queryServer",
    addressType: "udp4",
    address: 7,
    port: {},
    fd: "x",
    index: 0,
    seq: 2,
  },
  { cmd: "NODE_CLUSTER", ack: 1, reply: true },
];

describe("of one server, in order:", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serveProtocol("rogue.js", ROGUE, ["--workers=2", `--max-restarts=${RESTARTS}`]);
  });
  afterAll(endAll);

  test("garbage on the channel of a worker is passed over: the primary and all workers go on", async () => {
    const { program, port, adminPort } = served;
    const workers = program.workers();
    const client = await FrameClient.connect(port);
    for (const message of GARBAGE)
      await expect(client.ask(`post ${JSON.stringify(message)}`), JSON.stringify(message)).resolves.toBe(
        "posted",
      );
    // Every worker answers this after the garbage.
    const tree = JSON.parse((await http(adminPort, "/tree")).body);
    expect(
      tree.children.filter((node: any) => node.kind === "worker" && node.state === "running"),
    ).toHaveLength(2);
    expect(await client.ask("hello")).toBe("hello");
    expect(program.workers()).toEqual(workers);
    expect(program.lines.filter((line) => line.level === "error")).toEqual([]);
    client.end();
  });

  test("node's own messages, sent by code in a worker, do not end the primary, and a worker's first one is logged", async () => {
    const { program, port } = served;
    const before = program.lines.length;
    const client = await FrameClient.connect(port);
    for (const message of NODE_MESSAGES)
      for (let time = 0; time < 2; time++)
        expect(await client.ask(`post ${JSON.stringify(message)}`), JSON.stringify(message)).toBe("posted");
    expect(await client.ask("hello")).toBe("hello");
    client.end();
    const invalid = ({ msg }: LogLine) => msg.startsWith("invalid internal message");
    await program.line(invalid, before);
    const told = program.lines.slice(before).filter(invalid);
    expect(told).toHaveLength(1);
    expect(program.child.exitCode).toBeNull();
  });

  test("what node cannot deserialize does not end the primary, is logged once, and messages after it arrive", async () => {
    const { program, port } = served;
    const before = program.lines.length;
    const client = await FrameClient.connect(port);
    for (const depth of [2_000, 2_500, 2_000]) expect(await client.ask(`deep ${depth}`)).toBe("posted");
    // Whole messages, with a length before them, of which no byte is a value; an empty one; one that is a part of a value.
    for (const bytes of ["00000004ffffffff", "00000000", "00000003ff0f6f"])
      expect(await client.ask(`bytes ${bytes}`)).toBe("posted");
    const unreadable = ({ msg }: LogLine) => msg.startsWith("unreadable message of worker");
    await program.line(unreadable, before);
    expect(await client.ask("post 7")).toBe("posted");
    expect(await client.ask("hello")).toBe("hello");
    expect(program.lines.slice(before).filter(unreadable)).toHaveLength(1);
    expect(program.child.exitCode).toBeNull();
    client.end();
  });

  test("an admin server that is killed is started again, is counted, and clients notice nothing", async () => {
    const { program, port, adminPort, control } = served;
    const client = await FrameClient.connect(port);
    const tree = JSON.parse((await http(adminPort, "/tree")).body);
    const { pid } = tree.children.find((node: any) => node.kind === "admin");
    const env = { DROVER_CONTROL: control };
    await run(["kill", pid, "kill"], { env });
    expect(await client.ask("hello")).toBe("hello");
    const text = await eventually(async () => {
      const answer = await http(adminPort, "/metrics").catch(() => undefined);
      if (answer?.status !== 200) return false;
      return series(answer.body, "drover_supervisor_restarts_total", { child: "admin" }) === 1 && answer.body;
    });
    expect(series(text, "drover_restarts_left", { supervisor: "drover" })).toBe(RESTARTS - 1);
    expect(program.workers()).toHaveLength(2);
    client.end();
  });

  test("a worker whose channel is closed drains and ends, and another takes its place", async () => {
    const { program, port, adminPort } = served;
    const client = await FrameClient.connect(port);
    const { slot, osPid } = JSON.parse(await client.ask("who"));
    client.send("disconnect");
    await client.closed;
    await eventually(() => program.workers().length === 2 && !program.workers().includes(osPid));
    const next = await FrameClient.connect(port);
    expect(await next.ask("hello")).toBe("hello");
    next.end();
    await eventually(async () => {
      const { body } = await http(adminPort, "/metrics");
      return series(body, "drover_supervisor_restarts_total", { child: `worker ${slot}` }) === 1;
    });
  });

  test("a worker that announces a handle and sends none ends alone, by node's answer", async () => {
    const { program, port } = served;
    const before = program.workers();
    for (const type of [undefined, "net.Server", "net.Native", "toString", "constructor"]) {
      const client = await FrameClient.connect(port);
      client.send(`post ${JSON.stringify({ cmd: "NODE_HANDLE", type })}`);
      client.end();
    }
    await eventually(() => {
      const now = program.workers();
      return now.length === 2 && now.some((pid) => !before.includes(pid));
    });
    // The other worker may have been sent one too, and end while the client asks it.
    await eventually(async () => {
      const client = await FrameClient.connect(port);
      const answer = await client.ask("hello").catch(() => "closed");
      client.end();
      return answer === "hello";
    });
  });
});

test("a NOTIFY_SOCKET that leads nowhere changes nothing", async () => {
  const serve = async (NOTIFY_SOCKET: string) => {
    const { port } = await serveProgram(["--workers=1"], { env: { NOTIFY_SOCKET } });
    const client = await FrameClient.connect(port);
    expect(await client.ask("hello")).toBe("hello");
    client.end();
  };
  onTestFinished(endAll);
  await Promise.all(["/nowhere/notify", "@abstract", "garbage"].map(serve));
});
