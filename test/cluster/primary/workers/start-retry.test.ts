/** Pauses between attempts to start a worker. */
import { expect, test } from "vitest";
import { startRetryDelay } from "../../../../src/cluster/primary/workers/start-retry.js";
import { newSlot } from "../../../../src/cluster/primary/workers/worker-slot.js";

const failed = { failed: { code: 66, message: "the database is away" } };

test("while a worker serves, the pauses grow from half a second to 15 s", () => {
  const slot = newSlot(2);
  const warnings: string[] = [];
  const log = { warn: (message: string) => void warnings.push(message) };
  for (const longest of [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
    slot.startFailures++;
    const pause = startRetryDelay(slot, 3, failed, log) as number;
    expect(pause).toBeGreaterThanOrEqual(longest / 2);
    expect(pause).toBeLessThanOrEqual(longest);
  }
  expect(warnings).toHaveLength(7);
  expect(warnings[0]).toMatch(
    /^worker 2 does not start: the database is away; next attempt in 0\.\d s, 3 workers running$/,
  );
  expect(slot.retrying).toBe(true);
});

test("when no worker serves, the restart intensity decides", () => {
  const slot = newSlot(1);
  slot.startFailures = 1;
  expect(startRetryDelay(slot, 0, failed, { warn: () => {} })).toBeUndefined();
  expect(slot.retrying).toBe(false);
});
