/** Workers whose primary is killed or stopped: none outlives it by more than 15 s, in whatever phase, and the port is free then. */
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { isAlive, isStopped } from "../../support/os-processes.js";
import { freePort } from "../../support/ports.js";
import { endAll, run, type Served, serveProtocol } from "../../support/program.js";
import { within } from "../../support/promised-time.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** `hang` never returns. Loading it hangs while there is a file `loop` or `wait`, after saying so in `loading-PID`. */
const PROTOCOL = `
import { existsSync, writeFileSync } from "node:fs";
import { defineProtocol, packet } from "drover";
if (existsSync("loop") || existsSync("wait")) writeFileSync(\`loading-\${process.pid}\`, "");
if (existsSync("loop")) for (;;);
if (existsSync("wait")) await new Promise((resolve) => setTimeout(resolve, 1e9));
export default defineProtocol({
  name: "hanging",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        if (String(frame) === "hang") for (;;);
        conn.send(String(process.pid));
      },
      shutdown: () => new Promise(() => {}),
    },
  },
});
`;

/** A worker removes its folder, where there is a file `remove`, before Node starts what loads the protocol. */
const REMOVING = `
import { existsSync, rmSync } from "node:fs";
import Module from "node:module";
import { isMainThread } from "node:worker_threads";
if (isMainThread && process.argv.at(-2) === "worker" && existsSync("remove"))
  for (const name of ["register", "registerHooks"]) {
    const before = Module[name];
    Module[name] = (...args) => (rmSync(process.cwd(), { recursive: true, force: true }), before(...args));
  }
`;

/** @param context of the test: tests run beside each other */
async function serve({ onTestFinished }: TestContext, ...args: string[]): Promise<Served> {
  const served = await serveProtocol("hanging.ts", PROTOCOL, args);
  const workers = served.program.workers();
  onTestFinished(() => workers.forEach(kill));
  return served;
}

function kill(osPid: number): void {
  try {
    process.kill(osPid, "SIGKILL");
  } catch {}
}

const gone = (osPids: readonly number[]) => within(15_000, () => !osPids.some(isAlive));

/** @throws Error EADDRINUSE where the port is not free */
async function canBind(port: number): Promise<void> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  server.close();
}

// Most of them wait for 3 to 12 s.
describe.concurrent("workers without their primary", () => {
  test.for(["loop", "wait"])("a worker that hangs in its start (%s) ends as well", async (how, context) => {
    const { program, port } = await serve(context, "--workers=2");
    const [first, second] = program.workers() as [number, number];
    const { dir } = program;
    writeFileSync(join(dir, how), "");
    kill(first);
    const third = await eventually(() =>
      program.workers().find((osPid) => existsSync(join(dir, `loading-${osPid}`))),
    );
    context.onTestFinished(() => kill(third));
    program.signal("SIGKILL");
    await gone([second, third]);
    await canBind(port);
  });

  test("a worker whose folder is removed in the middle of its start ends as well", async (context) => {
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(REMOVING)}` };
    const { program, port } = await serveProtocol("hanging.ts", PROTOCOL, ["--workers=1"], { env });
    const [first] = program.workers() as [number];
    writeFileSync(join(program.dir, "remove"), "");
    kill(first);
    await eventually(() => !existsSync(program.dir));
    const workers = program.workers();
    context.onTestFinished(() => [first, ...workers].forEach(kill));
    program.signal("SIGKILL");
    await gone([first, ...workers]);
    await canBind(port);
  });

  test("a stopped worker is continued by another one, and both end", async (context) => {
    const { program, port } = await serve(context, "--workers=2");
    const workers = program.workers() as [number, number];
    process.kill(workers[0], "SIGSTOP");
    await eventually(() => isStopped(workers[0]));
    program.signal("SIGKILL");
    await gone(workers);
    await canBind(port);
  });

  test("nothing continues the only worker when it is stopped: the next start names it, and says how to end it", async (context) => {
    const { program, port } = await serve(context, "--workers=1");
    const [worker] = program.workers() as [number];
    process.kill(worker, "SIGSTOP");
    await eventually(() => isStopped(worker));
    program.signal("SIGKILL");
    // Not its `exited`: the worker holds the pipe of its output.
    await eventually(() => program.over);
    const next = await run([
      "start",
      "--host=127.0.0.1",
      `--port=${port}`,
      `--admin-port=${await freePort()}`,
    ]);
    expect(next.code).toBe(69);
    expect(next.stderr).toContain(
      `(OS process ${worker}, a stopped worker of a drover that is gone: end it with kill -KILL ${worker})`,
    );
    process.kill(worker, "SIGCONT");
    await gone([worker]);
  });

  test("a connection that does not finish keeps its worker for 15 s at most, whatever --shutdown allows", async (context) => {
    const { program, port } = await serve(context, "--workers=1", "--shutdown=60s");
    const workers = program.workers();
    const client = await FrameClient.connect(port);
    await client.ask("hello");
    program.signal("SIGKILL");
    await gone(workers);
    await canBind(port);
  });

  test("primary stopped: a worker in an endless loop kills itself after the watchdog's time, and says so", async (context) => {
    const { program, port } = await serve(context, "--workers=1", "--watchdog=3s");
    const client = await FrameClient.connect(port);
    const worker = Number(await client.ask("hello"));
    program.signal("SIGSTOP");
    client.send("hang");
    await gone([worker]);
    await client.closed;
    program.signal("SIGCONT");
    await program.line((line) =>
      /^The worker kills itself: event loop blocked for \d+ ms/.test(line.msg ?? ""),
    );
    const next = await FrameClient.connect(port);
    expect(Number(await next.ask("hello"))).not.toBe(worker);
  });
});
