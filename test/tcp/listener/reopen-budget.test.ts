import { expect, test } from "vitest";
import { ReopenBudget } from "../../../src/tcp/listener/reopen-budget.js";

test("allows 1,500 reopenings at once, then 500 in a second", () => {
  const budget = new ReopenBudget();
  let now = 5_000;
  const takeAll = () => {
    let taken = 0;
    while (budget.take(now) === 0) taken++;
    return taken;
  };
  expect(takeAll()).toBe(1_500);
  now += 1_000;
  expect(takeAll()).toBe(500);
  now += 60_000;
  expect(takeAll()).toBe(1_500);
});

test("says when the next one is allowed, and keeps to it", () => {
  const budget = new ReopenBudget();
  let now = 0;
  let taken = 0;
  while (now < 10_000) {
    const ms = budget.take(now);
    if (ms === 0) taken++;
    else {
      expect(ms).toBeLessThanOrEqual(2);
      now += ms;
    }
  }
  expect(taken).toBeLessThanOrEqual(1_500 + 10 * 500);
  expect(taken).toBeGreaterThan(1_500 + 9 * 500);
});
