/** What goes wrong in a protocol, as the log and the metrics of the built program show it. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { http, metric, metricsNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, type Served, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** What a frame says is what goes wrong. */
const FAULTY = `import { defineProtocol, packet } from "drover";
const throwing = (target, key) =>
  Object.defineProperty(target, key, { enumerable: true, get: () => { throw new Error("not for you"); } });
const revoked = () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };
const circular = () => { const one = {}; one.self = one; return one; };
const loop = () => { for (;;); };
const looping = new Proxy({}, { get: loop, has: loop, getPrototypeOf: loop, ownKeys: loop });
const hostile = {
  looping: () => looping,
  name: () => throwing(new Error("x"), "name"),
  message: () => throwing(new Error("x"), "message"),
  stack: () => throwing(new Error("x"), "stack"),
  toString: () => throwing(new Error("x"), "toString"),
  shutdown: () => throwing({}, "shutdown"),
  revoked, circular,
  nothing: () => Object.create(null),
  symbol: () => Symbol("x"),
  huge: () => new Error("x".repeat(100_000_000)),
};
export default defineProtocol({
  name: "faulty",
  framing: packet(2),
  limits: { handler: 300 },
  states: {
    ready: {
      frame: (conn, frame) => {
        const word = frame.toString();
        if (word === "throw") throw new Error("boom");
        if (word === "reject") void (async () => { throw new Error("forgotten await"); })();
        if (word === "exception") setImmediate(() => { throw new Error("outside"); });
        if (word === "exception-proxy") setImmediate(() => { throw looping; });
        if (hostile[word]) throw hostile[word]();
        if (word === "hang") return new Promise(() => {});
        conn.send(frame);
      },
    },
  },
});`;

/** In this order: the first test ends the worker, the last one removes the working directory. */
describe("a protocol with faults", () => {
  let served: Served;
  let folder: string;
  let cwd: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "drover-gone-"));
    cwd = join(folder, "release");
    mkdirSync(cwd);
    served = await serveProtocol("faulty.ts", FAULTY, ["--workers=1"], { cwd });
  });
  afterAll(async () => {
    await endAll();
    rmSync(folder, { recursive: true, force: true });
  });

  test("an unhandled rejection is a crash report and is counted, and the worker goes on; an exception outside of a process ends it", async () => {
    const { program, port, adminPort } = served;
    const [worker] = program.workers();
    const client = await FrameClient.connect(port);
    for (let n = 0; n < 12; n++) expect(await client.ask("reject")).toBe("reject");
    const report = await program.line((line) => line.initialCall === "unhandled_rejection");
    expect(report).toMatchObject({
      level: "error",
      report: "crash",
      worker: 1,
      pid: "<1.1>",
      reason: "Error: forgotten await",
      err: { stack: expect.stringMatching(/faulty\.ts:29:/) },
    });
    await eventually(async () => (await metric(adminPort, "drover_unhandled_rejections_total")) === 12);
    expect(program.workers()).toEqual([worker]);
    expect(await client.ask("hello")).toBe("hello");
    client.send("exception");
    await client.closed;
    expect(
      await program.line(({ msg }) => /^uncaughtException outside of any process/.test(msg ?? "")),
    ).toMatchObject({
      level: "error",
      err: { message: "outside", stack: expect.stringMatching(/faulty\.ts:30:/) },
    });
    await eventually(() => program.workers().length === 1 && program.workers()[0] !== worker);
  });

  test("a crash report names the peer, and so does the warning of a handler that does not finish", async () => {
    const { program, port } = served;
    const before = program.lines.length;
    const peers: string[] = [];
    for (const word of ["throw", "hang"]) {
      const client = await FrameClient.connect(port);
      peers.push(`127.0.0.1:${client.socket.localPort}`);
      client.send(word);
      await client.closed;
    }
    expect(await program.line(({ report }) => report === "crash", before)).toMatchObject({
      reason: "Error: boom",
      peer: peers[0],
    });
    expect(await program.line(({ msg }) => /did not finish within 300 ms/.test(msg ?? ""))).toMatchObject({
      level: "warn",
      state: "ready",
      limitMs: 300,
      peer: peers[1],
    });
  });

  test("whatever is thrown, the crash has its report, and the worker goes on", async () => {
    const { program, port, adminPort } = served;
    const before = program.lines.length;
    const crashed = () => program.lines.slice(before).filter(({ report }) => report === "crash");
    const closedByCrash = async () => {
      const body = await metricsNow(adminPort);
      return series(body, "drover_connections_closed_total", { reason: "crash" }) ?? 0;
    };
    const closedBefore = await closedByCrash();
    const [worker] = program.workers();
    const words = [
      "looping",
      "name",
      "message",
      "stack",
      "toString",
      "shutdown",
      "revoked",
      "circular",
      "nothing",
      "symbol",
      "huge",
    ];
    for (const [n, word] of words.entries()) {
      const client = await FrameClient.connect(port);
      client.send(word);
      await client.closed;
      await program.until(() => crashed().length === n + 1);
    }
    await eventually(async () => (await closedByCrash()) - closedBefore === words.length);
    for (const line of crashed())
      expect(line).toMatchObject({ label: "faulty", peer: expect.stringMatching(/^127\.0\.0\.1:/) });
    expect(program.workers()).toEqual([worker]);
  });

  test("an exception that is a Proxy which loops ends its worker with a report, and not by the watchdog", async () => {
    const { program, port } = served;
    const before = program.lines.length;
    const [worker] = program.workers();
    const client = await FrameClient.connect(port);
    client.send("exception-proxy");
    await client.closed;
    expect(
      await program.line(({ msg }) => /^uncaughtException outside of any process/.test(msg ?? ""), before),
    ).toMatchObject({ err: { message: "thrown: an object that cannot be read" } });
    await eventually(() => program.workers().length === 1 && program.workers()[0] !== worker);
  });

  test("a worker that is started in a deleted working directory reports a crash with its stack", async () => {
    const { program, port } = served;
    const before = program.lines.length;
    const [worker] = program.workers();
    rmSync(cwd, { recursive: true });
    process.kill(worker as number, "SIGKILL");
    const client = await eventually(() => FrameClient.connect(port).catch(() => undefined));
    client.send("throw");
    await client.closed;
    expect(await program.line(({ report }) => report === "crash", before)).toMatchObject({
      reason: "Error: boom",
      err: { message: "boom", stack: expect.stringMatching(/faulty\.ts:28:/) },
    });
  });
});

/** The first client's handler hangs; the frames of all others are messages to it. */
const FULL = `import { defineProtocol, packet, send } from "drover";
let first;
export default defineProtocol({
  name: "full",
  framing: packet(2),
  maxMessages: 10,
  states: {
    ready: {
      frame: (conn, frame) => {
        if (first === undefined) {
          first = conn.pid;
          conn.send("hanging");
          return new Promise(() => {});
        }
        send(first, frame.toString());
        conn.send(frame);
      },
      message: () => {},
    },
  },
});`;

test("messages to a connection whose mailbox is full are counted, and not as messages between workers", async () => {
  const { port, adminPort } = await serveProtocol("full.ts", FULL, ["--workers=1"]);
  const hanging = await FrameClient.connect(port);
  expect(await hanging.ask("x")).toBe("hanging");
  const sender = await FrameClient.connect(port);
  for (let n = 0; n < 25; n++) expect(await sender.ask(`${n}`)).toBe(`${n}`);
  const body = await eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    return series(body, "drover_messages_dropped_total") === 15 && body;
  });
  expect(series(body, "drover_channel_messages_dropped_total")).toBe(0);
});

/** Errors with long texts of wide characters, and of characters that JSON escapes. */
const WIDE = `import { defineProtocol, lines } from "drover";
export default defineProtocol({
  name: "wide",
  framing: lines(),
  states: {
    ready: {
      frame: (_, line) => {
        throw new Error((line === "wide" ? "\\u65e5\\u672c\\u8a9e" : "\\u0001").repeat(1000));
      },
    },
  },
});`;

test("log lines of two workers do not mix on a pipe whose reader is slow", async () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-pipe-"));
  const [port, adminPort] = [await freePort(), await freePort()];
  writeFileSync(join(dir, "wide.ts"), WIDE);
  const argv = ["start", "./wide.ts", "--host=127.0.0.1", `--port=${port}`, `--admin-port=${adminPort}`];
  // The reader takes nothing until the file \`go\` is there: until then the pipe is full.
  const reader = "while [ ! -e go ]; do sleep 0.05; done; exec cat > log";
  const node = process.env.NODE ?? process.execPath;
  const child = spawn(
    "bash",
    ["-c", `exec "$@" > >(${reader})`, "bash", node, MAIN, ...argv, "--workers=2", "--log-level=trace"],
    { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, XDG_RUNTIME_DIR: dir }, stdio: "ignore" },
  );
  const exited = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    writeFileSync(join(dir, "go"), "");
    if (child.exitCode === null && child.kill("SIGKILL")) await exited;
    rmSync(dir, { recursive: true, force: true });
  });
  await eventually(async () => (await http(adminPort, "/ready").catch(() => undefined))?.status === 200);
  for (let n = 0; n < 240; n++) {
    const client = await FrameClient.connect(port);
    client.socket.write(n % 2 === 0 ? "wide\n" : "escaped\n");
    await client.closed;
  }
  writeFileSync(join(dir, "go"), "");
  child.kill("SIGTERM");
  await exited;
  const lines = await eventually(() => {
    const text = readFileSync(join(dir, "log"), "utf8");
    return text.endsWith("\n") && text.trimEnd().split("\n");
  });
  expect(lines.filter((line) => line.includes('"report":"crash"')).length).toBeGreaterThan(10);
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty("level");
});
