/** Random schedules of three servers: loss, reordering, partitions, restarts, clocks 1 s apart. */
import { expect, test } from "vitest";
import { runSchedule } from "./simulation.js";

/** 20,000 by `NODE_SCHEDULES=20000`. */
const SCHEDULES = Number(process.env.NODE_SCHEDULES ?? 40);
const FIRST = Number(process.env.NODE_SEED ?? 1);

test("once the partition has ended each name has one holder, that of the highest token, and all views are equal", {
  timeout: 3_600_000,
}, () => {
  for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++)
    expect({ seed, wrong: runSchedule(seed) }).toEqual({ seed, wrong: [] });
});

test("without the comparison of tokens it fails", () => {
  const failed = Array.from({ length: 20 }, (_, seed) => runSchedule(seed + 1, true)).filter(
    (wrong) => wrong.length > 0,
  );
  expect(failed.length).toBeGreaterThan(0);
});
