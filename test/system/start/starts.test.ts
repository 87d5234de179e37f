/** Workers start and stop side by side: one that hangs in its start holds up no other, and no stop. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { isAlive, isStopped } from "../../support/os-processes.js";
import { endAll, run, type Served, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/**
 * The first worker to find the file `loop` takes it and never gets further. While there is `slow`, loading waits until four
 * have begun.
 */
const PROTOCOL = `
import { appendFileSync, existsSync, renameSync, statSync } from "node:fs";
import { defineProtocol, packet } from "drover";
if (existsSync("loop")) {
  let mine = false;
  try {
    renameSync("loop", "looping");
    mine = true;
  } catch {}
  if (mine) for (;;);
}
if (existsSync("down")) throw new Error("no route to the database");
if (existsSync("slow")) {
  appendFileSync("begun", "x");
  while (statSync("begun").size < 4) await new Promise((resolve) => setTimeout(resolve, 20));
}
export default defineProtocol({
  name: "slow",
  framing: packet(2),
  states: { ready: { frame: (conn) => conn.send(String(process.pid)) } },
});
`;

const serve = (...args: string[]) => serveProtocol("slow.ts", PROTOCOL, args);

function killAll(osPids: readonly number[]): void {
  for (const osPid of osPids) process.kill(osPid, "SIGKILL");
}

// The three programs run at the same time, the tests of one of them in this order.
describe.concurrent("one worker", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve("--workers=1");
  });

  test.sequential("a worker that does not start after `drover restart` is tried again until it serves", async () => {
    const { program, port, control } = served;
    const down = join(program.dir, "down");
    writeFileSync(down, "");
    expect(await run(["restart", "1", "--control", control])).toMatchObject({
      code: 69,
      stderr: expect.stringContaining("worker 1 did not start: "),
    });
    rmSync(down);
    const client = await FrameClient.connect(port);
    const reply = client.ask("who");
    expect(await eventually(() => reply.then(Number), 30_000)).toBeGreaterThan(0);
    expect(program.lines.filter(({ msg }) => /does not start: .*; next attempt in/.test(msg))).not.toEqual(
      [],
    );
  });

  test.sequential("a stop during the first start, which hangs, ends the program with 0", async () => {
    const { program, port } = served;
    const { dir } = program;
    writeFileSync(join(dir, "loop"), "");
    killAll(program.workers());
    await eventually(() => existsSync(join(dir, "looping")));
    const from = performance.now();
    const waiting = await FrameClient.connect(port);
    program.signal("SIGTERM");
    expect((await program.exited).code).toBe(0);
    expect(performance.now() - from).toBeLessThan(10_000);
    await waiting.closed;
  });
});

describe.concurrent("four workers", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve("--workers=4");
  });

  test.sequential("four workers are loaded side by side after all have died", async () => {
    const { program } = served;
    const { dir } = program;
    const before = program.workers();
    const serving = () => program.lines.filter(({ state }) => state === "listening").length;
    writeFileSync(join(dir, "slow"), "");
    killAll(before);
    await program.until(() => serving() === 8);
    expect(readFileSync(join(dir, "begun"), "utf8")).toBe("xxxx");
  });

  test.sequential("workers that are stopped (SIGSTOP) do not hold up a stop", async () => {
    const { program } = served;
    const workers = program.workers();
    for (const worker of workers) process.kill(worker, "SIGSTOP");
    await eventually(() => workers.every(isStopped));
    const from = performance.now();
    program.signal("SIGTERM");
    expect((await program.exited).code).toBe(0);
    // One after the other they took 4 s each.
    expect(performance.now() - from).toBeLessThan(10_000);
    const killed = program.lines.filter((line) =>
      /it is stopped \(SIGSTOP\) and cannot drain/.test(line.msg),
    );
    expect(killed).toHaveLength(4);
  });
});

test.concurrent("while one worker hangs in its start, another that dies is replaced, and a stop waits for neither", async () => {
  const { program, port } = await serve("--workers=2");
  const { dir } = program;
  const [first, second] = program.workers() as [number, number];
  writeFileSync(join(dir, "loop"), "");
  killAll([first]);
  await eventually(() => existsSync(join(dir, "looping")));
  killAll([second]);
  // Far below the 20 s after which the start that hangs is given up.
  const client = await FrameClient.connect(port);
  const reply = client.ask("who");
  expect(await eventually(() => reply.then(Number), 15_000)).toBeGreaterThan(0);
  const from = performance.now();
  const workers = program.workers();
  program.signal("SIGTERM");
  expect((await program.exited).code).toBe(0);
  expect(performance.now() - from).toBeLessThan(10_000);
  expect(workers.filter(isAlive)).toEqual([]);
  expect(program.lines.filter((line) => line.errorContext === "start_error")).toEqual([]);
});
