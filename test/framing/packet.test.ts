import { describe, expect, it } from "vitest";
import { encode } from "../../src/framing/framing.js";
import { packet } from "../../src/framing/packet.js";
import { allocationsOf } from "./conformance/allocations.js";
import { byteByByte, cutAt, feed, thrownBy, wire } from "./feed.js";

const MIB = 1_048_576;

describe("packet on the wire", () => {
  it("puts an unsigned big-endian length of 1, 2 or 4 bytes before the frame", () => {
    expect(encode(packet(1), "hi")).toEqual(Buffer.from("\x02hi"));
    expect(encode(packet(2), Buffer.alloc(258)).subarray(0, 2)).toEqual(Buffer.of(1, 2));
    expect(encode(packet(4), Buffer.alloc(66_051)).subarray(0, 4)).toEqual(Buffer.of(0, 1, 2, 3));
  });

  it("counts the bytes of a string, not its characters", () => {
    expect(encode(packet(2), "grüße")).toEqual(Buffer.from("\0\x07grüße"));
  });

  it("sends U+FFFD for half of a surrogate pair", () => {
    expect(feed(packet(2).decoder(), [encode(packet(2), "a\uD83D")])).toEqual([Buffer.from("a\uFFFD")]);
  });

  it("is called by its name", () => {
    expect([packet(1), packet(2), packet(4)].map((it) => it.name)).toEqual([
      "packet(1)",
      "packet(2)",
      "packet(4)",
    ]);
  });
});

describe("the limits of packet", () => {
  it("are 255 bytes, 65,535 bytes and 1 MiB unless they are set", () => {
    for (const [header, longest] of [
      [1, 255],
      [2, 65_535],
      [4, MIB],
    ] as const) {
      const framing = packet(header);
      const bytes = encode(framing, Buffer.alloc(longest, "x"));
      expect(feed(framing.decoder(), [bytes])[0]?.length).toBe(longest);
      expect(thrownBy(() => framing.encodedLength(Buffer.alloc(longest + 1))).code).toBe("send_too_long");
    }
  });

  it("refuse a length over 1 MiB, 2^31 and 2^32-1 after four bytes, with nothing allocated", () => {
    for (const length of [MIB + 1, 0x8000_0000, 0xffff_ffff]) {
      const header = Buffer.alloc(4);
      header.writeUInt32BE(length);
      for (const chunks of [[header], byteByByte(header)]) {
        const decoder = packet(4).decoder();
        const sizes = allocationsOf(() => {
          expect(thrownBy(() => feed(decoder, chunks)).message).toContain(`a frame of ${length} bytes`);
        });
        expect(sizes).toEqual([]);
      }
    }
  });

  it("say at sending how long the frame is, what the limit is, and what to write", () => {
    const message = (header: 1 | 2 | 4, size: number, maxLength?: number) =>
      thrownBy(() => packet(header, maxLength ? { maxLength } : {}).encodedLength(Buffer.alloc(size)))
        .message;
    expect(message(2, 70_000)).toBe(
      "packet(2): the frame has 70000 bytes and the limit is 65535; split it, or raise the limit on both sides with packet(4, { maxLength: 70000 })",
    );
    expect(message(1, 300)).toContain("packet(2, { maxLength: 300 })");
    expect(message(4, 101, 100)).toContain("packet(4, { maxLength: 101 })");
  });
});

describe("the memory of packet", () => {
  it("is nothing for a peer that only declares a length", () => {
    const decoder = packet(4).decoder();
    const declared = encode(packet(4), Buffer.alloc(MIB)).subarray(0, 4);
    expect(allocationsOf(() => feed(decoder, byteByByte(declared)))).toEqual([]);
    expect(allocationsOf(() => feed(decoder, [Buffer.from("x")]))).toEqual([512]);
    expect(decoder.buffered).toBe(5);
  });

  it("grows with what is received, up to the frame and no further", () => {
    const bytes = encode(packet(4), Buffer.alloc(3000, "x"));
    const decoder = packet(4).decoder();
    const sizes = allocationsOf(() => feed(decoder, byteByByte(bytes)));
    expect(sizes).toEqual([512, 1026, 2054, 3000]);
  });

  it("is the frame itself when it is complete, with no further copy", () => {
    const bytes = encode(packet(2), Buffer.alloc(3000, "x"));
    const [frame] = feed(packet(2).decoder(), cutAt(bytes, [1000]));
    expect([frame?.byteOffset, frame?.buffer.byteLength]).toEqual([0, 3000]);
  });

  it("is shared with the chunk for a frame that lies whole in it", () => {
    const chunk = wire(packet(2), ["one", "two"]);
    const frames = feed(packet(2).decoder(), [chunk]);
    chunk.fill("x");
    expect(frames.map(String)).toEqual(["xxx", "xxx"]);
  });

  it("is not shared between the frames of slow peers", () => {
    const framing = packet(2);
    const [one, other] = [framing.decoder(), framing.decoder()];
    const frames = ["one", "two"].map((text) => byteByByte(encode(framing, text)));
    const got = frames[0]!.flatMap((byte, i) => [...feed(one, [byte]), ...feed(other, [frames[1]![i]!])]);
    expect(got.map(String)).toEqual(["one", "two"]);
    expect(got[0]!.buffer).not.toBe(got[1]!.buffer);
  });
});

describe("arguments that packet refuses", () => {
  const wrong: [unknown, unknown, ErrorConstructor, string][] = [
    [3, {}, RangeError, "packet(3): a header has 1, 2 or 4 bytes; write packet(1), packet(2) or packet(4)"],
    ["2", {}, TypeError, "write packet(1), packet(2) or packet(4)"],
    [undefined, {}, TypeError, "write packet(1), packet(2) or packet(4)"],
    [1, { maxLength: 256 }, RangeError, "from 1 to 255, not 256; write packet(2, { maxLength: 256 })"],
    [2, { maxLength: 65_536 }, RangeError, "write packet(4, { maxLength: 65536 })"],
    [4, { maxLength: 2 ** 31 }, RangeError, "write packet(4, { maxLength: 2147483647 })"],
    [4, { maxLength: 1.5 }, RangeError, "a whole number of bytes from 1 to 2147483647, not 1.5"],
    [4, { maxLength: 0 }, RangeError, "not 0; omit it for the default of 1048576"],
    [2, { maxLength: -1 }, RangeError, "not -1"],
    [2, { maxLength: Number.NaN }, RangeError, "not NaN"],
    [2, { maxLength: Number.POSITIVE_INFINITY }, RangeError, "not Infinity"],
    [2, { maxLength: "10" }, TypeError, 'not "10"'],
    [2, { maxLength: null }, TypeError, "not object"],
    [2, { maxlength: 10 }, TypeError, 'unknown option "maxlength"; expected { maxLength }'],
    [2, 10, TypeError, "expected an options object { maxLength }, got 10"],
    [2, null, TypeError, "got null"],
  ];
  it.each(wrong)("packet(%j, %j) is a mistake that says what to type", (header, options, kind, message) => {
    const error = thrownBy(() => packet(header as 1, options as object));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(message);
  });

  it("take an absent limit for the default", () => {
    expect(packet(1, JSON.parse("{}")).encodedLength(Buffer.alloc(255))).toBe(256);
    expect(packet(1, { maxLength: undefined } as object).encodedLength(Buffer.alloc(255))).toBe(256);
  });
});
