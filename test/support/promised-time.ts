/** A time that the guide promises: waited for longer, and held to where the machine has processor time to spare. */
import { availableParallelism } from "node:os";
import { expect } from "vitest";
import { CpuQueue } from "./cpu-queue.js";
import { eventually } from "./until.js";

/** With more threads for each core, or after a longer gap between two looks, a time says more of the machine. */
const MAX_THREADS = 3 * availableParallelism();
const MAX_GAP = 500;

export async function within(ms: number, isDone: () => boolean): Promise<void> {
  const queue = new CpuQueue();
  const start = performance.now();
  try {
    await eventually(isDone, 3 * ms);
    const took = performance.now() - start;
    const { mean, gap } = queue.since(start);
    if (mean <= MAX_THREADS && gap <= MAX_GAP) expect(took, String(isDone)).toBeLessThan(ms);
  } finally {
    queue.stop();
  }
}
