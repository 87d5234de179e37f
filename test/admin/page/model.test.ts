/** Rings, words and log records: what the page makes of what it is told. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bytes,
  compact,
  count,
  duration,
  roundBytes,
  shown,
  spacedHex,
  words,
} from "../../../src/admin/page/model/format.js";
import { detailsOf, entryOf, isImportant } from "../../../src/admin/page/model/log-entry.js";
import { RingBuffer } from "../../../src/admin/page/model/ring-buffer.js";
import { problemOf } from "../../../src/admin/page/net/problem.js";

test("a ring keeps the last so many, in their order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 20 }), (values, most) => {
      const ring = new RingBuffer<number>(most);
      for (const value of values) ring.push(value);
      const kept = values.slice(-most);
      expect(ring.toArray()).toEqual(kept);
      expect(ring.newest(5)).toEqual(kept.toReversed().slice(0, 5));
      expect([ring.length, ring.taken]).toEqual([kept.length, values.length]);
    }),
  );
});

test("numbers, sizes and times read as people write them", () => {
  expect([count(10_000), compact(12_400), compact(2.44), bytes(999), bytes(1_300_000)]).toEqual([
    "10,000",
    "12.4K",
    "2.4",
    "999 B",
    "1.2 MiB",
  ]);
  expect([bytes(1024 ** 3), roundBytes(2 * 1024 ** 2)]).toEqual(["1.0 GiB", "2 MiB"]);
  expect([480, 12_000, 200_000, 11_520_000, 800_000_000].map(duration)).toEqual([
    "480 ms",
    "12s",
    "3m 20s",
    "3h 12m",
    "9d 6h",
  ]);
  expect(spacedHex("68656c6c6f")).toBe("68 65 6c 6c 6f");
});

test("a field of a process is shown in words, with its unit", () => {
  expect([words("framesReceived"), words("idleMs"), words("messageQueueLength")]).toEqual([
    "frames received",
    "idle",
    "mailbox",
  ]);
  expect([shown("idleMs", 12_000), shown("bytesSent", 2_048), shown("framesSent", 10_000)]).toEqual([
    "12s",
    "2.0 KiB",
    "10,000",
  ]);
  expect([shown("osPid", 41_210), shown("trapExit", true), shown("parent", undefined)]).toEqual([
    "41210",
    "yes",
    "none",
  ]);
});

test("a log record is taken for what it is, and one that is none does no harm", () => {
  const record = {
    level: "error",
    time: "2026-11-22T16:08:22.879Z",
    worker: 2,
    msg: "crash",
    report: "crash",
  };
  const entry = entryOf({ ...record, offender: { pid: "<2.17>" } }, 3);
  expect(entry).toMatchObject({
    level: "error",
    who: "worker 2",
    message: "crash",
    report: "crash",
    serial: 3,
  });
  expect(entry.at).toBe(Date.parse("2026-11-22T16:08:22.879Z"));
  expect(entry.about).toBe("<2.17>");
  expect(detailsOf(entry)).toBe("offender: \n  pid: <2.17>");
  expect(isImportant(entry)).toBe(true);
  expect(entryOf({ level: 7, time: {}, worker: "x", msg: null }, 0)).toMatchObject({
    at: 0,
    level: "info",
    message: "",
  });
  expect(isImportant(entryOf({ level: "info", msg: "listening" }, 0))).toBe(false);
});

test("a refusal is explained: what to type, how long to wait", () => {
  expect(problemOf(401, "", false, 0)).toMatchObject({ kind: "token" });
  expect(problemOf(401, "", true, 0).message).toContain("since its last start");
  expect(problemOf(429, "", true, 42).message).toContain("42 seconds");
  expect(problemOf(403, "from elsewhere", true, 0).message).toContain("from elsewhere");
  expect(problemOf(404, "no process <1.9>", true, 0)).toEqual({
    kind: "missing",
    message: "no process <1.9>",
  });
});
