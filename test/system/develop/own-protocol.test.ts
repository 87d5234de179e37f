/** What a protocol of one's own asks of the program that serves it. */
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { metricsNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, run, serveProgram, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const STORE = `
import { defineProtocol, lines } from "drover";
export default defineProtocol({ name: "store", framing: lines(), workers: 1, states: { ready: {} } });`;

test.concurrent("a protocol with workers: 1 has one worker with auto, and more are refused with the reason", async () => {
  const files = { "store.js": STORE };
  const reason = "the protocol store runs in at most 1 worker";
  const refused = await run(["start", "./store.js", "--workers=2", "--port=0", "--admin-port=0"], { files });
  expect(refused).toMatchObject({
    code: 64,
    stderr: `drover: --workers: ${reason}, got 2: set 1, or remove it\n`,
  });
  const env = { DROVER_WORKERS: "3" };
  const checked = await run(["check", "./store.js", "--port=0", "--admin-port=0"], { files, env });
  expect(checked).toMatchObject({ code: 78, stdout: expect.stringContaining(`DROVER_WORKERS: ${reason}`) });

  const { control, program } = await serveProtocol("store.js", STORE, ["--workers=auto"]);
  expect(program.lines.find(({ msg }) => / serves /.test(msg))?.msg).toContain("with 1 worker;");
  const { code, stderr } = await run(["scale", "2", "--control", control]);
  expect(code).toBe(69);
  expect(stderr).toContain(reason);
});

const TRACKER = `
import * as v from "${fileURLToPath(import.meta.resolve("valibot"))}";
import { child, counter, defineProtocol, genServer, log, packet, stop } from "drover";
const flusher = genServer({ name: "flusher", init: (pool) => ({ pool }) });
export default defineProtocol({
  name: "tracker",
  framing: packet(2, { maxLength: 100 }),
  options: v.object({
    database: v.pipe(v.string(), v.url()),
    batch: v.optional(v.number(), 100),
    pin: v.optional(v.string(), "0000"),
    apiKey: v.optional(v.string()),
  }),
  worker: {
    start: async ({ options }) => {
      if (options.database.startsWith("down:")) throw new RangeError("no route to the database");
      return { database: options.database, open: true };
    },
    stop: (pool) => {
      pool.open = false;
      log.info("pool closed");
    },
  },
  children: ({ worker }) => [child(flusher, worker)],
  metrics: { logins: counter("Logins", { result: ["ok", "bad"] }) },
  reasons: ["bad_login"],
  states: {
    ready: {
      frame: (conn, frame) => {
        conn.metrics.logins.inc({ result: String(frame) });
        if (String(frame) === "bad") return stop("bad_login");
        conn.send([conn.worker.open, conn.worker.database, conn.options.batch].join(" "));
      },
      leave: (conn) => conn.log.info({ open: conn.worker.open }, "left"),
    },
  },
});`;

/** A file with two listeners. */
const two = (batch: unknown) =>
  JSON.stringify({
    options: { database: "db://app:hunter2@file/1", apiKey: "k1" },
    adminPort: 0,
    workers: 1,
    listeners: [
      { name: "a", protocol: "./tracker.js", host: "127.0.0.1", port: 0 },
      { name: "b", protocol: "./tracker.js", host: "127.0.0.1", port: 0, options: { batch } },
    ],
  });

test.concurrent("options of a protocol that are wrong are refused by start and check, with place and reason", async () => {
  const start = ["start", "./tracker.js", "--port=0", "--admin-port=0"];
  const files = { "tracker.js": TRACKER, "acme.json": two("many") };
  const refused = async (...args: string[]) => run(args, { files });
  expect(await refused(...start)).toMatchObject({
    code: 78,
    stderr: expect.stringContaining(
      'options of the protocol tracker: "database" is missing: set it with --set',
    ),
  });
  expect(await refused(...start, "--set=database=db://x/", "--set", "btch=1")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining(
      'drover: --set btch: no option "btch": the options of tracker are database',
    ),
  });
  expect(await refused("start", "echo", "--set", "batch=1")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--set batch: no option "batch": echo has no "options"'),
  });
  expect(await refused(...start, "--set", "batch")).toMatchObject({
    code: 64,
    stderr: 'drover: --set: expected KEY=VALUE such as batch=100, got "batch"\n',
  });
  const checked = await refused("check", "--config=acme.json");
  const place =
    /acme\.json:\d+:\d+: listeners\[1\]\.options\.batch: Invalid type: Expected number but received "many"/;
  expect(checked).toMatchObject({ code: 78, stdout: expect.stringMatching(place) });
});

test.concurrent("options come from flags and file, a worker opens and closes its pool, children are in the tree", async () => {
  const files = { "acme.json": JSON.stringify({ options: { batch: 5, apiKey: "k1", pin: "1" } }) };
  const args = ["--set", "database=db://app:hunter2@flag/1", "--config=acme.json", "--workers=1"];
  const server = await serveProgram(["./tracker.js", ...args], {
    files: { ...files, "tracker.js": TRACKER },
  });
  const { program, port, adminPort, control } = server;
  const client = await FrameClient.connect(port);
  expect(String(await client.ask("ok"))).toBe("true db://app:hunter2@flag/1 5");
  const shown = (await run(["config", "--control", control])).stdout;
  expect(shown).toMatch(/options\.database +db:\/\/app:\*\*\*@flag\/1 +flag/);
  expect(shown).toMatch(/options\.batch +5 +file\n/);
  expect(shown).toMatch(/options\.apiKey +\(secret\) +file\n/);
  const { stdout } = await run(["tree", "--control", control]);
  expect(stdout).toMatch(/tracker\.children[^\n]*\n[^\n]*flusher/);
  client.end();
  const other = await FrameClient.connect(port);
  other.send("bad");
  expect(await other.closed).toBe("end");
  const counted = async () => {
    const body = await metricsNow(adminPort);
    const closed = series(body, "drover_connections_closed_total", { reason: "bad_login" });
    return [series(body, "tracker_logins_total", { result: "ok" }), closed].join();
  };
  await eventually(async () => (await counted()) === "1,1");
  other.socket.destroy();
  const third = await FrameClient.connect(port);
  third.send("x".repeat(200));
  expect(await third.closed).toBe("end");
  const listed = (await run(["connections", "--control", control])).stdout;
  expect(listed).toMatch(
    /last bad frame: \d+s ago, <1\.\d+> from 127\.0\.0\.1:\d+ \(tracker, frame_too_long\): packet\(2\): .*200 bytes/,
  );
  expect(program.lines.filter(({ msg }) => /200 bytes/.test(msg))).toEqual([]);
  const [worker] = program.workers();
  process.kill(worker as number, "SIGKILL");
  const again = await eventually(() => FrameClient.connect(port).catch(() => undefined));
  expect(String(await again.ask("ok"))).toContain("true");
  await eventually(async () => (await counted()) === "2,1");
  program.signal("SIGTERM");
  await program.exited;
  const messages = program.lines.map(({ msg, open }) => (msg === "left" ? `left ${open}` : msg));
  const ends = messages.filter((msg) => msg === "left true" || msg === "pool closed");
  expect(ends.slice(-2)).toEqual(["left true", "pool closed"]);
});

test.concurrent("a worker.start that fails is a failed start with its reason", async () => {
  const args = [
    "start",
    "./tracker.js",
    "--workers=1",
    "--port=0",
    "--admin-port=0",
    "--set",
    "database=down:x",
  ];
  const { code, stderr } = await run(args, { files: { "tracker.js": TRACKER } });
  expect(code).toBe(69);
  expect(stderr).toContain("protocol tracker: worker.start: RangeError: no route to the database");
});
