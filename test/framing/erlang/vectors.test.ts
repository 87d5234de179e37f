/**
 * Our decoders beside Erlang's: `decode_packet.jsonl` holds what `erlang:decode_packet/3` of OTP 25 said to 4,148
 * inputs of all packet types (the format is in `decode-packet.ts`).
 *
 * `lines` is not one of them, and differs on purpose. It takes the terminator off, so its limit does not count it:
 * packet_size P is maxLength P - 1 (and a line that ends in "\r\n" may have P - 1 bytes before both of them, a case
 * that no vector has). And it refuses a line without an end one byte earlier, when the next byte could only be one too
 * many, where Erlang waits for that byte.
 */

import { describe, expect, it } from "vitest";
import { FramingError } from "../../../src/framing/framing.js";
import { lines } from "../../../src/framing/lines.js";
import { byteByByte, cutAt } from "../feed.js";
import { decodePacket, expected, readVectors, type Vector } from "./decode-packet.js";

const vectors = readVectors();
const bytesOf = (vector: Vector) => Buffer.from(vector.in, "hex");

/**
 * `raw` has no boundaries, and two answers of Erlang itself depend on how much has come: with both limits of a line it
 * looks for the end only in the bytes that are there, and an empty HTTP line of two bytes may exceed a limit of one.
 */
const divisible = vectors.filter(
  ({ type, opts }) =>
    type !== "raw" &&
    !(opts.line_length && opts.packet_size) &&
    !(String(type).startsWith("http") && opts.packet_size === 1),
);

describe("decode_packet of Erlang", () => {
  it("is answered alike for input that comes whole", () => {
    for (const vector of vectors) {
      const got = decodePacket(vector, [bytesOf(vector)]);
      expect({ vector, got }).toEqual({ vector, got: expected(vector) });
    }
  });

  it("is answered alike for input that comes byte by byte", () => {
    for (const vector of divisible) {
      const got = decodePacket(vector, byteByByte(bytesOf(vector)));
      expect({ vector, got }).toEqual({ vector, got: expected(vector) });
    }
  });

  it("is answered alike for input cut in two at any byte", () => {
    for (const vector of divisible) {
      const bytes = bytesOf(vector);
      const answer = JSON.stringify(expected(vector));
      for (let at = 1; at < bytes.length; at++) {
        const got = decodePacket(vector, cutAt(bytes, [at]));
        if (JSON.stringify(got) !== answer) expect({ vector, at, got }).toEqual({ vector, at, got: answer });
      }
    }
  });

  it("has vectors of every packet type", () => {
    const types = [
      ..."1 2 4 raw line asn1 sunrm cdr fcgi tpkt ssl_tls http http_bin httph httph_bin".split(" "),
    ];
    const counts = types.map((type) => vectors.filter((vector) => String(vector.type) === type).length);
    expect(Math.min(...counts)).toBeGreaterThan(200);
    expect(vectors.length).toBe(counts.reduce((sum, count) => sum + count));
  });
});

describe("lines beside {packet, line}", () => {
  const supported = vectors.filter(
    ({ type, opts }) => type === "line" && !("line_length" in opts) && !("line_delimiter" in opts),
  );

  function first(vector: Vector, chunks: readonly Buffer[]): unknown {
    const size = vector.opts.packet_size ?? 0;
    const decoder = lines(size === 0 ? {} : { maxLength: size - 1 }).decoder();
    try {
      for (const [i, chunk] of chunks.entries()) {
        decoder.push(chunk);
        const line = decoder.pull();
        if (line === undefined) continue;
        return { line, rest: decoder.buffered + Buffer.concat(chunks.slice(i + 1)).length };
      }
    } catch (error) {
      if (error instanceof FramingError && error.code === "frame_too_long") return "invalid";
      throw error;
    }
    return { more: decoder.buffered };
  }

  function answer({ opts, in: input, out }: Vector): unknown {
    if ("error" in out) return "invalid";
    const length = input.length / 2;
    if ("more" in out) {
      const refusedEarlier = length === opts.packet_size && !input.endsWith("0d");
      return refusedEarlier ? "invalid" : { more: length };
    }
    const text = Buffer.from((out.ok as { bin: string }).bin, "hex").toString("utf8");
    return { line: text.replace(/\r?\n$/, ""), rest: out.rest.length / 2 };
  }

  it("reads the same lines, without their terminators", () => {
    expect(supported.length).toBeGreaterThan(200);
    for (const vector of supported) {
      const bytes = bytesOf(vector);
      for (const chunks of [[bytes], byteByByte(bytes)]) {
        const got = first(vector, chunks);
        expect({ vector, got }).toEqual({ vector, got: answer(vector) });
      }
    }
  });
});
