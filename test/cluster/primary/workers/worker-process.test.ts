/** A worker process as an OTP child of the primary. */
import cluster from "node:cluster";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type WorkerOwner, WorkerProcess } from "../../../../src/cluster/primary/workers/worker-process.js";
import { ManualClock, useClock } from "../../../../src/otp/time/clock.js";

/** A program that never sends `ready`. */
async function loadingForEver(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "drover-worker-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const exec = join(dir, "worker.mjs");
  writeFileSync(exec, "setInterval(() => {}, 1_000);");
  cluster.setupPrimary({ exec });
}

test("a start that times out ends only when the OS process is gone", async () => {
  await loadingForEver();
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const states: string[] = [];
  const owner = { onState: (_, state) => states.push(state) } as Partial<WorkerOwner> as WorkerOwner;
  const worker = new WorkerProcess(1, () => ({}) as never, owner, undefined);
  const over = worker.init().catch((error: Error) => error);
  await clock.advance(20_000);
  expect(await over).toMatchObject({ reason: "start_timeout" });
  expect(worker.alive).toBe(false);
  expect(states).toEqual(["starting", "down"]);
});
