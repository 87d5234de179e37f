// CPU use of the server during the load, from samples at its two ends.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LoadCpu } from "../../../scripts/load/coordinator/load-cpu.js";
import type { ServerSample } from "../../../scripts/load/coordinator/server-metrics.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server that uses no CPU but from `from` to `to`, where it uses one core. */
function cpu(from: number, to: number, answers = () => true) {
  const start = Date.now();
  const asked: number[] = [];
  const sample = async () => {
    const now = Date.now() - start;
    asked.push(now);
    const cpuSeconds = Math.max(0, Math.min(now, to) - from) / 1_000;
    return answers() ? ({ cpuSeconds } as ServerSample) : undefined;
  };
  return { asked, load: new LoadCpu(sample, () => Date.now()) };
}

it("is that of a run of half a second, with one sample at each end", async () => {
  const { asked, load } = cpu(0, 250);
  load.begin(0, 500);
  await vi.advanceTimersByTimeAsync(700);
  await load.end();
  expect([load.mean, asked]).toEqual([0.5, [0, 500]]);
});

it("leaves the warm-up and the time after the load out", async () => {
  const { asked, load } = cpu(0, 5_000);
  load.begin(1_000, 2_000);
  await vi.advanceTimersByTimeAsync(10_000);
  await load.end();
  expect([load.mean, asked]).toEqual([1, [1_000, 3_000]]);
});

it("ends with the run when its duration is not known, or when it is over sooner", async () => {
  for (const durationMs of [undefined, 60_000]) {
    const { asked, load } = cpu(100, 500);
    load.begin(0, durationMs);
    await vi.advanceTimersByTimeAsync(400);
    await load.end();
    expect([load.mean, asked, vi.getTimerCount()]).toEqual([0.75, [0, 400], 0]);
  }
});

it("is the mean over all runs", async () => {
  const { load } = cpu(0, 1_000);
  for (let run = 0; run < 2; run++) {
    load.begin(0, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await load.end();
  }
  expect(load.mean).toBe(0.5);
});

it("is unknown when the server did not answer, or the load never began", async () => {
  const { load } = cpu(0, 1_000, () => false);
  load.begin(0, 100);
  await vi.advanceTimersByTimeAsync(100);
  await load.end();
  await load.end();
  expect(load.mean).toBeUndefined();
});
