/** Pids are never given twice, however often the worker in a slot is restarted. */
import { expect, test } from "vitest";
import { PidRanges } from "../../../../src/cluster/primary/workers/pid-ranges.js";

test("a restarted worker begins well above the serial that the previous one reported last", () => {
  const serials = new PidRanges();
  expect(serials.next(1)).toBe(1);
  serials.reported(1, 17);
  expect(serials.next(1)).toBe(1_000_000);
  serials.reported(1, 1_900_000);
  expect(serials.next(1)).toBe(3_000_000);
  expect(serials.next(2)).toBe(1);
});

test("serials that are no integers, or lower than before, are ignored", () => {
  const serials = new PidRanges();
  serials.reported(1, 1_000_017);
  for (const forged of [Number.NaN, Infinity, -1, 2]) serials.reported(1, forged);
  expect(serials.next(1)).toBe(2_000_000);
});
