import { describe, expect, it } from "vitest";
import { encode } from "../../src/framing/framing.js";
import { raw } from "../../src/framing/raw.js";
import { feed } from "./feed.js";

describe("raw", () => {
  it("gives out every chunk as it is, without a copy", () => {
    const chunks = [Buffer.from("one"), Buffer.from("two\n"), Buffer.alloc(100_000)];
    const frames = feed(raw().decoder(), chunks);
    expect(frames.map((frame, i) => frame === chunks[i])).toEqual([true, true, true]);
  });

  it("counts a chunk that has not been pulled, and keeps none that has", () => {
    const decoder = raw().decoder();
    decoder.push(Buffer.from("one"));
    expect(decoder.buffered).toBe(3);
    decoder.pull();
    expect(decoder.buffered).toBe(0);
  });

  it("sends bytes and strings as they are", () => {
    expect(encode(raw(), "grüße")).toEqual(Buffer.from("grüße"));
    expect(encode(raw(), Uint8Array.of(1, 2))).toEqual(Buffer.of(1, 2));
    expect(encode(raw(), "")).toEqual(Buffer.alloc(0));
  });
});
