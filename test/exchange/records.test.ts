/** Records survive every splitting of the bytes; bytes that are none end the link. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MalformedRecord } from "../../src/exchange/records/malformed-record.js";
import { readClaimed, readRequest, writeAsk, writeClaimed } from "../../src/exchange/records/name-records.js";
import { RecordReader } from "../../src/exchange/records/record-reader.js";
import { KIND, type LinkRecord, RecordWriter } from "../../src/exchange/records/records.js";

const record = fc.record({
  kind: fc.integer({ min: 1, max: 255 }),
  name: fc.string({ unit: "grapheme", maxLength: 20 }),
  body: fc.uint8Array({ maxLength: 300 }),
});

test("what was written is read, however the bytes are split", () => {
  fc.assert(
    fc.property(fc.array(record), fc.array(fc.integer({ min: 1, max: 97 })), (records, cuts) => {
      const writer = new RecordWriter();
      for (const { kind, name, body } of records) {
        const at = writer.add(kind, name, body.length);
        writer.buffer.set(body, at);
      }
      const bytes = writer.take();
      expect(writer.length).toBe(0);
      const reader = new RecordReader();
      const read: unknown[] = [];
      const take = (chunk: Buffer) => {
        reader.push(chunk);
        for (let one = reader.next(); one; one = reader.next())
          read.push({ kind: one.kind, name: one.name, body: Uint8Array.from(one.body) });
      };
      let from = 0;
      for (const cut of cuts) {
        take(bytes.subarray(from, from + cut));
        from += cut;
      }
      take(bytes.subarray(from));
      const expected = records.map(({ kind, name, body }) => ({
        ...{ kind, body },
        name: Buffer.from(name).toString(),
      }));
      expect(read).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

/** Of few kinds and names, so that many are alike. */
const alike = fc.record({
  kind: fc.integer({ min: 1, max: 2 }),
  name: fc.constantFrom("", "a", "b", "äb"),
  body: fc.uint8Array({ maxLength: 12 }),
});
const LEAST = 4;

test("records that are alike and follow each other are taken together, and none is lost, however the bytes are split", () => {
  fc.assert(
    fc.property(fc.array(alike), fc.array(fc.integer({ min: 1, max: 97 })), (records, cuts) => {
      const writer = new RecordWriter();
      for (const { kind, name, body } of records)
        writer.buffer.set(body, writer.add(kind, name, body.length));
      const bytes = writer.take();
      const reader = new RecordReader();
      const passed: Buffer[] = [];
      let count = 0;
      const take = (chunk: Buffer) => {
        // As a read does: the chunk is overwritten afterwards.
        const shared = Buffer.from(chunk);
        reader.push(shared);
        for (let one = reader.next(); one; one = reader.next()) {
          const run = one.kind === 1 && one.body.length >= LEAST ? reader.run(one, LEAST) : undefined;
          count += run?.count ?? 1;
          passed.push(Buffer.from(run?.bytes ?? one.whole));
          if (run) expectAlike(run.bytes, run.count);
        }
        reader.keep();
        shared.fill(0xff);
      };
      let from = 0;
      for (const cut of cuts) {
        take(bytes.subarray(from, from + cut));
        from += cut;
      }
      take(bytes.subarray(from));
      expect(Buffer.concat(passed)).toEqual(bytes);
      expect(count).toBe(records.length);
    }),
    { numRuns: 500 },
  );
});

function expectAlike(run: Buffer, count: number): void {
  const reader = new RecordReader();
  reader.push(run);
  const all: LinkRecord[] = [];
  for (let one = reader.next(); one; one = reader.next()) all.push(one);
  expect(all).toHaveLength(count);
  expect(new Set(all.map(({ kind, name }) => `${kind} ${name}`)).size).toBe(1);
  expect(Math.min(...all.map(({ body }) => body.length))).toBeGreaterThanOrEqual(LEAST);
}

test("the answer to a claim comes as it was given, and one that is malformed is refused", () => {
  const writer = new RecordWriter();
  const results = [
    ...(["none", "ended", "unknown"] as const).map((previous, at) => ({ token: 2 ** 52 + at, previous })),
    { refused: "taken" as const },
  ];
  for (const [id, result] of results.entries()) writeClaimed(writer, id, result);
  const reader = new RecordReader();
  reader.push(writer.take());
  for (const [id, result] of results.entries())
    expect(readClaimed((reader.next() as LinkRecord).body)).toEqual({ id, result });
  const body = Buffer.alloc(13);
  expect(readClaimed(body)).toEqual({ id: 0, result: { token: 0, previous: "none" } });
  for (const malformed of [body.subarray(1), Buffer.alloc(13, 4), Buffer.alloc(13, 0xff)])
    expect(() => readClaimed(malformed)).toThrow(MalformedRecord);
});

test("names of any script and length come as they were written, whatever name was written before", () => {
  const writer = new RecordWriter();
  const names = [
    "ä",
    "x".repeat(255),
    "",
    "x".repeat(256),
    "\u{1f600}",
    "device/42",
    "é".repeat(200),
    "y".repeat(255),
  ];
  for (const name of names) writer.add(1, name, 0);
  const reader = new RecordReader();
  reader.push(writer.take());
  expect(names.map(() => reader.next()?.name)).toEqual(names);
});

test("all records in one chunk of one kind and name are one run, up to the one that is too short", () => {
  const writer = new RecordWriter();
  for (const length of [5, 5, 5, 3, 5]) writer.add(1, "g", length);
  const reader = new RecordReader();
  reader.push(writer.take());
  expect(reader.run(reader.next() as LinkRecord, LEAST).count).toBe(3);
  expect(reader.next()?.body).toHaveLength(3);
  expect(reader.run(reader.next() as LinkRecord, LEAST).count).toBe(1);
});

test.each([
  ["a length that is too small", Buffer.from([0, 0, 0, 2, 1, 0])],
  ["a length that is too large", Buffer.from([0xff, 0, 0, 0, 1, 0])],
  ["a name that is longer than its record", Buffer.from([0, 0, 0, 4, 1, 0, 9, 9])],
])("%s is refused", (_what, bytes) => {
  const reader = new RecordReader();
  reader.push(bytes);
  expect(() => reader.next()).toThrow(MalformedRecord);
});

test("a request says which server asks, where it is another one", () => {
  for (const from of [
    [3, 17],
    [3, 17, "gw2"],
  ] as const) {
    const writer = new RecordWriter();
    const reader = new RecordReader();
    writeAsk(writer, KIND.request, "device/42", { id: 7, within: 500, from }, 5, Buffer.from("read"));
    reader.push(writer.take());
    const { body, ...request } = readRequest((reader.next() as LinkRecord).body);
    expect([request, body.toString()]).toEqual([{ id: 7, within: 500, from, serial: 5 }, "read"]);
  }
});

test("records of serials and texts that make the buffer grow are whole", () => {
  const writer = new RecordWriter();
  const count = 20_000;
  for (let at = 0; at < count; at++) writer.addSerial(KIND.join, "g".repeat(at % 7), at);
  const reader = new RecordReader();
  reader.push(writer.take());
  for (let at = 0; at < count; at++) expect(reader.next()?.body.readDoubleBE(0)).toBe(at);
  expect(reader.next()).toBeUndefined();
});
