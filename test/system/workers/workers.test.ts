/** Workers that start, and deaths of workers: all at once, and more often than the restart intensity allows. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isAlive, isStopped } from "../../support/os-processes.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

describe("of one server, in order:", () => {
  let program: Program;
  let [port, adminPort] = [0, 0];
  afterAll(endAll);

  test("the program is ready when all its workers are, though the first serves already", async () => {
    const code = `import cluster from "node:cluster";
      import { existsSync } from "node:fs";
      import { defineProtocol, packet } from "drover";
      const wait = () => new Promise((resolve) => setTimeout(resolve, 10));
      while (cluster.worker?.id === 2 && !existsSync("open")) await wait();
      export default defineProtocol({
        name: "slow",
        framing: packet(2),
        states: { ready: { frame: (conn, frame) => conn.send(frame) } },
      });`;
    [port, adminPort] = [await freePort(), await freePort()];
    const ports = [`--port=${port}`, `--admin-port=${adminPort}`];
    const args = ["start", "./slow.ts", "--host=127.0.0.1", "--workers=2", ...ports];
    program = new Program(args, { files: { "slow.ts": code } });
    const client = await eventually(() => FrameClient.connect(port).catch(() => undefined));
    expect(String(await client.ask("hello"))).toBe("hello");
    const early = await http(adminPort, "/ready");
    expect([early.status, early.body]).toEqual([503, expect.stringContaining("starting")]);
    expect((await http(adminPort, "/health")).status).toBe(200);
    writeFileSync(join(program.dir, "open"), "");
    await program.line(({ msg }) => / serves /.test(msg ?? ""));
    expect((await http(adminPort, "/ready")).status).toBe(200);
    client.end();
  });

  test("with all workers killed at once, clients that connect in the gap are served afterwards", async () => {
    // Stopped first, so that no replacement serves before the last one is killed.
    for (const worker of program.workers()) process.kill(worker, "SIGSTOP");
    await eventually(() => program.workers().every(isStopped));
    const gap = Array.from({ length: 20 }, () => FrameClient.connect(port));
    for (const worker of program.workers()) process.kill(worker, "SIGKILL");
    const clients = await Promise.all([
      ...gap,
      ...Array.from({ length: 20 }, () => FrameClient.connect(port)),
    ]);
    const answers = await Promise.all(clients.map((client, n) => client.ask(`client ${n}`)));
    expect(answers).toEqual(clients.map((_, n) => `client ${n}`));
    for (const client of clients) client.end();
  });
});

test("five deaths within --max-seconds are survived; the sixth ends the program with 70 and leaves nothing behind", async () => {
  // A minute by default, which a slow machine may need for six.
  const { program, port } = await serveProgram(["--max-seconds=600"]);
  onTestFinished(endAll);
  const seen = new Set(program.workers());
  for (let death = 1; death <= 5; death++) {
    const before = program.workers();
    const victim = before[0] as number;
    process.kill(victim, "SIGKILL");
    await eventually(() => program.workers().length === 2 && !program.workers().includes(victim));
    await eventually(() => program.lines.filter((line) => line.report === "supervisor").length === death);
    await eventually(async () =>
      FrameClient.connect(port).then((client) => client.ask("up").finally(() => client.end())),
    );
    // The next victim serves: one that dies in its start would be started again, and is no death.
    await eventually(() => program.lines.filter(({ state }) => state === "listening").length === 2 + death);
    for (const worker of program.workers()) seen.add(worker);
  }
  await eventually(() => program.workers().length === 2);
  process.kill(program.workers()[0] as number, "SIGKILL");
  expect(await program.exited).toEqual({ code: 70, signal: null });
  const reports = program.lines.filter(
    (line) => line.report === "supervisor" && line.supervisor === "drover",
  );
  expect(reports.map((line) => `${line.errorContext} ${line.reason}`)).toEqual([
    ...Array(6).fill("child_terminated killed"),
    "shutdown reached_max_restart_intensity",
  ]);
  expect(program.stderr).toMatch(/^drover: gave up: /m);
  for (const worker of seen) expect(isAlive(worker)).toBe(false);
});
