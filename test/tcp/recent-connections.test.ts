/** The last connections: each once, the last first, and never more than eight. */
import { expect, test } from "vitest";
import { RecentConnections } from "../../src/tcp/loop/recent-connections.js";

test("each once, the last one first, at most eight", () => {
  const recent = new RecentConnections<{ n: number }>();
  expect(recent.list()).toEqual([]);
  const all = Array.from({ length: 12 }, (_, n) => ({ n }));
  for (const at of [0, 0, 1, 0]) recent.add(all[at] as { n: number });
  expect(recent.list().map(({ n }) => n)).toEqual([0, 1]);
  for (const one of all) recent.add(one);
  expect(recent.list().map(({ n }) => n)).toEqual([11, 10, 9, 8, 7, 6, 5, 4]);
});
