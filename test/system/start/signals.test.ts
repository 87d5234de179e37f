/** Signals while the program starts: from the first handler on each of them ends it cleanly, or is ignored. */
import { afterEach, expect, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { handlesSignal, isAlive } from "../../support/os-processes.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

afterEach(endAll);

test("SIGTERM while it starts ends it cleanly", async () => {
  const program = new Program([
    "start",
    "--host=127.0.0.1",
    `--port=${await freePort()}`,
    `--admin-port=${await freePort()}`,
    "--workers=2",
  ]);
  await eventually(() => program.workers().length > 0 && program.workers());
  const workers = program.workers();
  program.signal("SIGTERM");
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(program.stdout).not.toContain("SUPERVISOR REPORT");
  for (const worker of workers) expect(isAlive(worker)).toBe(false);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s before there is a worker, while the protocol is tried out, ends it with 0",
  async (signal) => {
    const code = `import { isMainThread } from "node:worker_threads";
    if (!isMainThread) process.stderr.write("tried out\\n");
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
    const program = new Program(["start", "./slow.ts", "--host=127.0.0.1"], { files: { "slow.ts": code } });
    await program.until(() => program.stderr.includes("tried out"));
    program.signal("SIGHUP");
    program.signal("SIGUSR2");
    program.signal(signal);
    expect(await program.exited).toEqual({ code: 0, signal: null });
  },
);

const SIGUSR2 = 12;

async function starting() {
  const port = await freePort();
  const args = [
    "--host=127.0.0.1",
    `--port=${port}`,
    `--admin-port=${await freePort()}`,
    "--log-format=json",
  ];
  return { program: new Program(["start", "--workers=1", ...args]), port };
}

test("from its first handler on, the start ignores SIGHUP, SIGUSR1 and SIGUSR2 in any number, and then serves", async () => {
  const { program, port } = await starting();
  await until(() => program.over || handlesSignal(program.child.pid as number, SIGUSR2));
  for (let n = 0; n < 30; n++)
    for (const signal of ["SIGUSR2", "SIGHUP", "SIGUSR1"] as const) program.signal(signal);
  await program.line((line) => / serves /.test(line.msg ?? ""));
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello")).toBe("hello");
  client.end();
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "from its first handler on, %s ends the start with 0",
  async (signal) => {
    const { program } = await starting();
    await until(() => program.over || handlesSignal(program.child.pid as number, SIGUSR2));
    program.signal(signal);
    expect(await program.exited).toEqual({ code: 0, signal: null });
  },
);

test("SIGTERM while a worker loads its protocol ends it as soon as that is loaded", async () => {
  const code = `import { isMainThread } from "node:worker_threads";
    import { defineProtocol, packet } from "drover";
    if (isMainThread) process.stderr.write("loading in a worker\\n");
    await new Promise((resolve) => setTimeout(resolve, 300));
    export default defineProtocol({ name: "slow", framing: packet(2), states: { ready: {} } });`;
  const ports = [`--port=${await freePort()}`, `--admin-port=${await freePort()}`];
  const program = new Program(
    ["start", "./slow.ts", "--host=127.0.0.1", "--workers=2", "--log-format=json", ...ports],
    { files: { "slow.ts": code } },
  );
  await program.until(() => program.stderr.includes("loading in a worker"));
  program.signal("SIGTERM");
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(program.lines.filter((line) => line.report === "supervisor")).toEqual([]);
});
