/** Server-sent events: parsed out of pieces. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventParser } from "../../src/text/event-stream.js";

test("server-sent events come out whole, wherever the stream was cut", () => {
  const text = 'event: stats\ndata: {"at":1}\n\n: ping\n\nevent: record\ndata: {"msg":"a: b"}\n\n';
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
      const parser = new EventParser();
      const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const events = edges.slice(1).flatMap((end, at) => parser.push(text.slice(edges[at], end)));
      expect(events).toEqual([
        { name: "stats", data: '{"at":1}' },
        { name: "record", data: '{"msg":"a: b"}' },
      ]);
    }),
  );
});

test("an event without end is refused, not collected", () => {
  const parser = new EventParser();
  const piece = "x".repeat(1024 * 1024);
  expect(() => {
    for (let pieces = 0; pieces < 20; pieces++) parser.push(piece);
  }).toThrow(RangeError);
});
