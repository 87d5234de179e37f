// `npm run load --expect` against the built program: healthy, and with one worker stopped for 3 s.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { endAll, ROOT, type Served, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

let server: Served;
beforeAll(async () => {
  server = await serveProgram();
});
afterAll(endAll);

const SLOWED_MS = 3_000;

/** @param onSecond called with the line of each second of load */
async function load({ port, adminPort }: Served, expected: string, onSecond = (_line: string) => {}) {
  const child = spawn(
    process.execPath,
    [
      ...[
        join(ROOT, "scripts/run.mjs"),
        "load",
        "--port",
        `${port}`,
        "--admin",
        `http://127.0.0.1:${adminPort}`,
      ],
      ...["--mode", "rate", "--rate", "500", "--duration", "6s", "--json"],
      ...["--expect", expected],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  child.stderr.on("data", (chunk: Buffer) => onSecond(String(chunk)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, err, result: JSON.parse(out) };
}

test("what is expected holds for a healthy server, and both sides count the same", async () => {
  // Of 3,000 frames; a machine that is busy with other things may answer them late.
  const { code, result } = await load(server, "p99<5s,errors=0,rate>200");
  expect(result.expected.map(({ held }: { held: boolean }) => held)).toEqual([true, true, true]);
  expect(result.countsAgree).toBe(true);
  expect(code).toBe(0);
});

test("it does not hold where one of two workers is slowed, and the line that failed is said", async () => {
  let begun = false;
  const running = load(server, "p99<1500ms", () => void (begun = true));
  await eventually(() => begun);
  const slowed = server.program.workers()[0]!;
  process.kill(slowed, "SIGSTOP");
  await sleep(SLOWED_MS);
  process.kill(slowed, "SIGCONT");
  const { code, err, result } = await running;
  expect(result.errors.total).toBe(0);
  expect(err).toMatch(/load: expected p99<1500ms, but it was \d+/);
  expect(code).toBe(1);
});
