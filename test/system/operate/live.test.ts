/** Commands that run until stopped (trace, top, tree --watch): exit on a signal, a closed pipe, a closed connection. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ask } from "../../admin/support.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, MAIN, Program, run, type Served, serveProgram } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

let served: Served;
beforeAll(async () => {
  served = await serveProgram();
});
afterAll(endAll);

async function traced() {
  const env = { DROVER_CONTROL: served.control };
  const client = await FrameClient.connect(served.port);
  onTestFinished(() => client.end());
  await client.ask("hello");
  const path = `/connections?peer=127.0.0.1:${client.socket.localPort}`;
  const { pid } = await eventually(
    async () => (await ask({ socketPath: served.control }, { path })).json.rows[0],
  );
  return { program: served.program, env, client, pid: pid as string };
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "trace follows a connection and ends well on %s",
  async (signal) => {
    const { env, client, pid } = await traced();
    const trace = new Program(["trace", pid], { env });
    // trace prints nothing before the first event, so the client sends repeatedly.
    const talking = setInterval(() => client.send("again"), 20);
    await trace.until(() => /^\S+ {2}in +ready +5 B {2}again/m.test(trace.stdout));
    clearInterval(talking);
    trace.signal(signal);
    expect(await trace.exited).toEqual({ code: 0, signal: null });
    expect([trace.stderr, trace.stdout.includes("\x1b")]).toEqual(["", false]);
  },
);

test("trace ends with its connection", async () => {
  const { env, client, pid } = await traced();
  const trace = new Program(["trace", pid, "--json"], { env });
  const talking = setInterval(() => client.send("again"), 20);
  await trace.until(() => trace.stdout !== "");
  clearInterval(talking);
  client.socket.end();
  expect((await trace.exited).code).toBe(0);
  const lines = trace.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ pid, what: "end", text: "normal" });
});

/** Runs a command whose reader closes the pipe after the first bytes, like `head`. */
async function beheaded(args: string[], env: Record<string, string>, meanwhile = () => {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH, ...env } });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const exited = once(child, "close");
  const busy = setInterval(meanwhile, 10);
  await once(child.stdout, "data");
  child.stdout.destroy();
  const [code] = await exited;
  clearInterval(busy);
  return { code, stderr };
}

test.each(["tree", "connections", "top", "config"])("%s is quiet when its reader goes", async (command) => {
  const { env } = await traced();
  expect(await beheaded([command], env)).toEqual({ code: 0, stderr: "" });
});

test.each([[], ["--json"]])("trace %j is quiet when its reader goes", async (...more) => {
  const { env, client, pid } = await traced();
  const meanwhile = () => client.send("again");
  expect(await beheaded(["trace", pid, ...more], env, meanwhile)).toEqual({ code: 0, stderr: "" });
});

test("top without a terminal is one snapshot, tree --watch is refused, and -w is --watch", async () => {
  const { env } = await traced();
  const top = await run(["top"], { env });
  expect([top.code, top.stderr]).toEqual([0, ""]);
  expect(top.stdout).toMatch(/^drover {2}running.*\n\d connections/);
  const json = JSON.parse((await run(["top", "--json"], { env })).stdout);
  expect(json.stats.workers).toHaveLength(2);
  for (const flag of ["--watch", "-w"]) {
    const watch = await run(["tree", flag], { env });
    expect([watch.code, watch.stdout]).toEqual([64, ""]);
    expect(watch.stderr).toContain("drover tree --watch needs a terminal");
  }
});

test("a trace whose client does not read costs the server no more than its bound", async () => {
  const { env, client, pid, program } = await traced();
  const child = spawn(process.execPath, [MAIN, "trace", pid], { env: { PATH: process.env.PATH, ...env } });
  const talking = setInterval(() => client.send("again"), 20);
  // From here on the output is not read: the pipe fills up, and the command blocks.
  await once(child.stdout, "readable");
  clearInterval(talking);
  for (let n = 0; n < 300; n++) client.send("x".repeat(1_000));
  await until(() => client.frames.filter(({ length }) => length === 1_000).length === 300);
  expect(program.over).toBe(false);
  const exited = once(child, "exit");
  child.stdout.destroy();
  expect(await exited).toEqual([0, null]);
});
