/** Rates of the page: from two stats, as text. */
import { expect, test } from "vitest";
import { cpuText, queueText, reasonRows } from "../../../src/admin/page/model/rates.js";
import type { Stats, WorkerStats } from "../../../src/control/stats.js";
import { FakeControl } from "../fake-control.js";

const fake = new FakeControl().stats();
const later = (change: Partial<Stats>): Stats => ({ ...fake, at: fake.at + 2_000, ...change });
const [worker] = fake.workers as [WorkerStats];

test("CPU is a share of one core between two stats, unknown for the first", () => {
  const busy = { ...worker, cpuSeconds: worker.cpuSeconds + 0.5 };
  expect(cpuText(busy, later({ workers: [busy] }), fake)).toBe("25%");
  expect(cpuText(worker, fake, undefined)).toBeUndefined();
  expect(cpuText({ ...worker, worker: 9 }, later({}), fake)).toBeUndefined();
});

test("reasons come with the most frequent first, and what is new as a rate", () => {
  const now = later({ closedBy: { closed: 8, frame_too_long: 1, idle: 1_201 } });
  expect(reasonRows("closedBy", now, fake)).toEqual([
    ["idle", "1,201, 600/s"],
    ["closed", "8"],
    ["frame too long", "1, 0.5/s"],
  ]);
  expect(reasonRows("refusedBy", fake, undefined)).toEqual([["max connections", "2"]]);
});

test("the queue says what the kernel has dropped since the last stats", () => {
  expect(queueText(fake, undefined)).toBe("3");
  expect(queueText(later({ acceptQueueOverflows: 12 }), fake)).toBe("3, 12 dropped");
  expect(queueText(later({ listeners: [] }), fake)).toBeUndefined();
});
