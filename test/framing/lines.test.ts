import { describe, expect, it, vi } from "vitest";
import { encode } from "../../src/framing/framing.js";
import { lines } from "../../src/framing/lines.js";
import { allocationsOf } from "./conformance/allocations.js";
import { byteByByte, cutAt, feed, thrownBy } from "./feed.js";

const read = (bytes: string | Buffer, options = {}) =>
  feed(lines(options).decoder(), [Buffer.from(bytes as string)]);

describe("lines that are received", () => {
  it("lose their terminator, whichever of the two it is", () => {
    for (const terminator of ["\n", "\r\n"] as const) {
      expect(read("one\ntwo\r\n\n\r\nfive", { terminator })).toEqual(["one", "two", "", ""]);
    }
  });

  it("lose one carriage return before the line feed and keep every other", () => {
    expect(read("\ra\rb\r\r\n\r\r\n")).toEqual(["\ra\rb\r", "\r"]);
  });

  it("keep control characters and a byte order mark as they are", () => {
    expect(read("\uFEFFa\0\t\x1b[0m\n")).toEqual(["\uFEFFa\0\t\x1b[0m"]);
  });

  it("have U+FFFD for bytes that are not UTF-8, and leave their neighbours alone", () => {
    const bad = Buffer.concat([Buffer.from("a"), Buffer.of(0xff, 0xc0, 0x80), Buffer.from("b\nc\n")]);
    for (const chunks of [[bad], byteByByte(bad)]) {
      expect(feed(lines().decoder(), chunks)).toEqual(["a\uFFFD\uFFFD\uFFFDb", "c"]);
    }
  });

  it("end a cut-off character at the end of its line", () => {
    const bytes = Buffer.concat([Buffer.from("🐄").subarray(0, 3), Buffer.from("\n🐄\n")]);
    expect(read(bytes)).toEqual(["\uFFFD", "🐄"]);
  });

  it("keep a character that is split over chunks", () => {
    const bytes = Buffer.from("€🐄\n");
    for (let at = 0; at < bytes.length; at++) {
      expect(feed(lines().decoder(), cutAt(bytes, [at]))).toEqual(["€🐄"]);
    }
  });
});

describe("the limit of lines", () => {
  it("is 8192 bytes unless it is set, the terminator not counted", () => {
    const longest = "x".repeat(8192);
    expect(read(`${longest}\n`)).toEqual([longest]);
    expect(read(`${longest}\r\n`)).toEqual([longest]);
    expect(thrownBy(() => read(`${longest}x\n`)).code).toBe("frame_too_long");
    expect(thrownBy(() => read(`${longest}x`)).message).toContain("a line of more than 8192 bytes");
  });

  it("waits one byte more where that byte is a carriage return, which may yet be the terminator", () => {
    const decoder = lines({ maxLength: 3 }).decoder();
    expect(feed(decoder, [Buffer.from("abc\r")])).toEqual([]);
    expect(feed(decoder, [Buffer.from("\nab\r")])).toEqual(["abc"]);
    expect(feed(decoder, [Buffer.from("\n")])).toEqual(["ab"]);
    for (const wrong of ["abc\rd", "abc\r\r"]) {
      for (const chunks of [[Buffer.from(wrong)], byteByByte(Buffer.from(wrong))]) {
        const late = lines({ maxLength: 3 }).decoder();
        expect(thrownBy(() => feed(late, chunks)).code).toBe("frame_too_long");
      }
    }
  });

  it("bounds the memory: one byte more than the longest line and no further", () => {
    const bytes = byteByByte(Buffer.alloc(8192, "x"));
    const sizes = allocationsOf(() => feed(lines().decoder(), bytes));
    expect(sizes).toEqual([512, 1026, 2054, 4110, 8193]);
  });

  it("lets go of the memory of a line that has been given out", () => {
    const chunks = ["x".repeat(3000), "\n", "y"].map((text) => Buffer.from(text));
    expect(allocationsOf(() => feed(lines().decoder(), chunks))).toEqual([6000, 512]);
  });
});

describe("the search for the end of a line", () => {
  it("looks at every byte once, however slowly the bytes come", () => {
    const bytes = Buffer.from(`${"x".repeat(5000)}\n${"y".repeat(300)}\n`);
    const chunks = byteByByte(bytes);
    let looked = 0;
    const real = Buffer.prototype.indexOf;
    const spy = vi.spyOn(Buffer.prototype, "indexOf").mockImplementation(function (
      this: Buffer,
      value,
      from,
    ) {
      const start = Number(from ?? 0);
      const found = real.call(this, value as number, start);
      looked += (found === -1 ? this.length : found + 1) - start;
      return found;
    });
    try {
      expect(feed(lines().decoder(), chunks).map((line) => line.length)).toEqual([5000, 300]);
    } finally {
      spy.mockRestore();
    }
    expect(looked).toBe(bytes.length);
  });
});

describe("lines that are sent", () => {
  it("get the terminator that was chosen", () => {
    expect(encode(lines(), "grüße")).toEqual(Buffer.from("grüße\n"));
    expect(encode(lines({ terminator: "\r\n" }), "")).toEqual(Buffer.from("\r\n"));
  });

  it("may be as long as the limit in bytes, and no longer", () => {
    const framing = lines({ maxLength: 4 });
    expect(framing.encodedLength("üü")).toBe(5);
    expect(thrownBy(() => framing.encodedLength("üüx")).message).toBe(
      "lines: the line has 5 bytes and the limit is 4; split it, or raise the limit on both sides with lines({ maxLength: 5 })",
    );
  });

  it("are refused when the peer would read something else", () => {
    for (const wrong of ["a\nb", "a\n", "\n", "a\r\nb", "a\r", "\r"]) {
      const error = thrownBy(() => lines().encodedLength(wrong));
      expect([wrong, error.code]).toEqual([wrong, "send_invalid"]);
    }
    expect(thrownBy(() => lines().encodedLength("a\nb")).message).toContain("split it and send each");
  });

  it("may have a carriage return inside", () => {
    expect(read(encode(lines(), "a\rb"))).toEqual(["a\rb"]);
  });

  it("are strings and nothing else", () => {
    const error = thrownBy(() => lines().encodedLength(Buffer.from("a") as unknown as string));
    expect([error.code, error.message]).toEqual([
      "send_invalid",
      "lines: a line is a string, not object; write String(value)",
    ]);
  });
});

describe("options that lines refuses", () => {
  const wrong: [unknown, ErrorConstructor, string][] = [
    [{ maxLength: 0 }, RangeError, "a whole number of bytes from 1 to"],
    [{ maxLength: 2 ** 40 }, RangeError, "or use packet(4)"],
    [{ maxLength: "8k" }, TypeError, 'not "8k"'],
    [{ terminator: "\r" }, TypeError, 'the terminator is "\\n" or "\\r\\n", not "\\r"'],
    [
      { delimiter: "," },
      TypeError,
      'unknown option "delimiter"; expected { maxLength, terminator, encoding }',
    ],
    ["\r\n", TypeError, "expected an options object { maxLength, terminator, encoding }"],
  ];
  it.each(wrong)("lines(%j) is a mistake that says what to type", (options, kind, message) => {
    const error = thrownBy(() => lines(options as object));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(message);
  });
});
