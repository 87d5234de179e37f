/** The last connections: each once, the last first, and never more than eight. */
import { expect, test } from "vitest";
import { RecentConnections } from "../../../src/tcp/loop/recent-connections.js";

test("each once, the last one first, at most eight", () => {
  const recent = new RecentConnections<{ n: number }>();
  expect(recent.list()).toEqual([]);
  const all = Array.from({ length: 12 }, (_, n) => ({ n }));
  for (const at of [0, 0, 1, 0]) recent.add(all[at] as { n: number });
  expect(recent.list().map(({ n }) => n)).toEqual([0, 1]);
  for (const one of all) recent.add(one);
  expect(recent.list().map(({ n }) => n)).toEqual([11, 10, 9, 8, 7, 6, 5, 4]);
});

test("of the last 64 that have ended one is found by the async id of its socket", () => {
  const recent = new RecentConnections<{ n: number }>();
  expect(recent.endedWith(7)).toBeUndefined();
  for (let n = 1; n <= 100; n++) recent.ending({ n }, n * 10);
  recent.ending({ n: 0 });
  expect(recent.endedWith(1_000)).toEqual({ n: 100 });
  expect(recent.endedWith(380)).toEqual({ n: 38 });
  expect(recent.endedWith(370)).toBeUndefined();
});

test("what replaces a connection that has ended stands in all its places, and another is left alone", () => {
  const recent = new RecentConnections<{ n: number }>();
  const [one, two] = [{ n: 1 }, { n: 2 }];
  for (const each of [one, two, one]) recent.add(each);
  recent.ending(one, 7);
  recent.replace(one, () => ({ n: 3 }));
  expect(recent.list()).toEqual([{ n: 3 }, { n: 2 }]);
  expect(recent.endedWith(7)).toEqual({ n: 3 });
  recent.replace({ n: 4 }, () => {
    throw new Error("it is none of them");
  });
});
