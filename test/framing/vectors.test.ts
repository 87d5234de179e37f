/**
 * Our decoders beside Erlang's: `decode_packet.jsonl` holds what `erlang:decode_packet/3` of OTP 25 said to
 * 1,356 inputs of the types 1, 2, 4, line and raw. One JSON array a line:
 *
 *     [type, options, input, result]
 *       options  0 for none, a number for packet_size, else an object of other options
 *       input    hexadecimal
 *       result   [frame, rest] | "invalid" | what is missing: null, or the whole length where it is known
 *
 * Two things differ on purpose. `lines` takes the terminator off, so its limit does not count it: packet_size
 * P is maxLength P - 1 (and a line that ends in "\r\n" may have P - 1 bytes before both of them, a case that
 * no vector has). And it refuses a line without an end one byte earlier, when the next byte could only be one
 * too many, where Erlang waits for that byte.
 *
 * Left out are line_length, with which Erlang hands a long line out in pieces (we refuse it), and
 * line_delimiter (ours is always "\n").
 */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Framing, FramingError } from "../../src/framing/framing.js";
import { lines } from "../../src/framing/lines.js";
import { packet } from "../../src/framing/packet.js";
import { raw } from "../../src/framing/raw.js";
import { byteByByte } from "./feed.js";

type Type = 1 | 2 | 4 | "line" | "raw";
type Result = [frame: string, rest: string] | "invalid" | number | null;
type Vector = [type: Type, options: number | object, input: string, result: Result];

const file = new URL("./decode_packet.jsonl", import.meta.url);
const vectors = readFileSync(file, "utf8")
  .trim()
  .split("\n")
  .map((line): Vector => JSON.parse(line));

const CEILING = { 1: 255, 2: 65_535, 4: 0x7fff_ffff } as const;

function framingFor(type: Type, packetSize: number): Framing<Buffer | string, never> {
  if (type === "raw") return raw();
  if (type === "line") return packetSize === 0 ? lines() : lines({ maxLength: packetSize - 1 });
  return packet(type, { maxLength: Math.min(packetSize || CEILING[type], CEILING[type]) });
}

/** The first frame and the rest, as Erlang puts it. */
function decode(framing: Framing<Buffer | string, never>, chunks: Buffer[]): unknown {
  const decoder = framing.decoder();
  try {
    for (const [i, chunk] of chunks.entries()) {
      decoder.push(chunk);
      const frame = decoder.pull();
      if (frame === undefined) continue;
      const later = chunks.slice(i + 1).reduce((sum, next) => sum + next.length, 0);
      return {
        frame: typeof frame === "string" ? frame : frame.toString("hex"),
        rest: decoder.buffered + later,
      };
    }
  } catch (error) {
    if (error instanceof FramingError && error.code === "frame_too_long") return "invalid";
    throw error;
  }
  return { more: decoder.buffered };
}

function expected([type, options, input, result]: Vector): unknown {
  if (result === "invalid") return "invalid";
  if (!Array.isArray(result)) {
    const refusedEarlier = type === "line" && options !== 0 && input.length / 2 === options;
    return refusedEarlier && !input.endsWith("0d") ? "invalid" : { more: input.length / 2 };
  }
  const [frame, rest] = result;
  const bytes = Buffer.from(frame, "hex");
  if (type !== "line") return { frame, rest: rest.length / 2 };
  return { frame: bytes.toString("utf8").replace(/\r?\n$/, ""), rest: rest.length / 2 };
}

describe("decode_packet of Erlang", () => {
  const supported = vectors.filter(([, options]) => typeof options === "number");

  it("is answered alike by the decoder of the same type, for input that comes whole", () => {
    for (const vector of supported) {
      const [type, packetSize, input] = vector as [Type, number, string, Result];
      const got = decode(framingFor(type, packetSize), [Buffer.from(input, "hex")]);
      expect({ vector, got }).toEqual({ vector, got: expected(vector) });
    }
  });

  it("is answered alike for input that comes byte by byte, where there are boundaries", () => {
    for (const vector of supported.filter(([type]) => type !== "raw")) {
      const [type, packetSize, input] = vector as [Type, number, string, Result];
      const got = decode(framingFor(type, packetSize), byteByByte(Buffer.from(input, "hex")));
      expect({ vector, got }).toEqual({ vector, got: expected(vector) });
    }
  });

  it("has vectors of every type, and only those of line_length and line_delimiter are left out", () => {
    const types = [1, 2, 4, "line", "raw"].map(
      (type) => supported.filter((vector) => vector[0] === type).length,
    );
    expect(Math.min(...types)).toBeGreaterThan(200);
    expect(vectors.length - supported.length).toBe(8);
  });
});
