// The open loop of the load generator against a server that is stopped for 500 ms: percentiles follow from arithmetic.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Progress } from "../../../scripts/load/both-sides/result.js";
import { runLoad } from "../../../scripts/load/generator/run.js";

const ECHO = `require("node:net").createServer({ noDelay: true }, (socket) => socket.on("error", () => {}).pipe(socket))
  .listen(0, "127.0.0.1", function () { console.log(this.address().port); })`;

const RATE = 1_000;
const SECONDS = 10;
const STALL_MS = 500;

async function stalledRun(mode: "rate" | "echo", seconds = SECONDS) {
  const child = spawn(process.execPath, ["-e", ECHO], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [port] = await once(child.stdout, "data");
    let stalled = false;
    const stall = async ({ elapsedMs }: Progress) => {
      if (stalled || elapsedMs < 400 * seconds) return;
      stalled = true;
      child.kill("SIGSTOP");
      await sleep(STALL_MS);
      child.kill("SIGCONT");
    };
    const load = { port: Number(port), connections: 20, durationMs: seconds * 1_000 };
    const onProgress = (progress: Progress) => void stall(progress);
    return await runLoad({ ...load, mode, rate: mode === "rate" ? RATE : undefined, onProgress });
  } finally {
    child.kill("SIGKILL");
  }
}

// A frame that was due x ms before the end of the stall waits for x ms: of all frames, (stall - x) / duration wait
// for longer than x. So the p99 is where (500 - x) / 10,000 = 1 %, at 400 ms, and the maximum is the whole stall.
test("a server stopped for 500 ms in 10 s shows as a maximum of 500 ms and a p99 of 100 ms less", async () => {
  const { latency, tally, due } = await stalledRun("rate");
  expect(due).toBe(RATE * SECONDS);
  expect(tally).toMatchObject({ sent: due, echoed: due });
  expect(latency.count).toBe(due);
  // The kernel may have stopped it for less; a busy machine adds stalls of its own, which only makes it longer.
  const stall = Math.min(STALL_MS, latency.maxMs);
  expect(stall).toBeGreaterThan(0.7 * STALL_MS);
  const theory = (percent: number) => stall - ((100 - percent) / 100) * SECONDS * 1_000;
  for (const percent of [96, 97, 98, 99, 99.9]) {
    expect(latency.percentile(percent), `p${percent}`).toBeGreaterThan(theory(percent) - 60);
  }
});

test("a closed loop hardly sees the same stall, which is why there is an open one", async () => {
  const { latency } = await stalledRun("echo", SECONDS / 2);
  // Only twenty frames were in flight when the stall began.
  expect(latency.maxMs).toBeGreaterThan(0.7 * STALL_MS);
  expect(latency.percentile(99)).toBeLessThan(STALL_MS / 2);
});
