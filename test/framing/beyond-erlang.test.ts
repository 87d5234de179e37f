import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encode, type Framing } from "../../src/framing/framing.js";
import { fixed } from "../../src/framing/length/fixed.js";
import { netstring } from "../../src/framing/length/netstring.js";
import { varint } from "../../src/framing/length/varint.js";
import { lines } from "../../src/framing/lines.js";
import type { Payload } from "../../src/framing/payload.js";
import { delimited } from "../../src/framing/text/delimited.js";
import { json } from "../../src/framing/text/json.js";
import { conforms } from "./conformance/conformance.js";
import { byteByByte, feed, thrownBy } from "./feed.js";

const bytes = {
  samples: ["hello", "grüße 🐄", Buffer.of(0, 9, 255), "", new Uint8Array([1]), Buffer.alloc(190, "ab"), ""],
  arbitrary: fc.oneof(fc.uint8Array({ maxLength: 190 }), fc.string({ unit: "grapheme", maxLength: 30 })),
  value: (frame: Payload) => Buffer.from(frame as string).toString("hex"),
  bounded: true,
};
const x = (count: number) => Buffer.alloc(count, "x");

conforms("varint", { ...bytes, framing: varint() });
conforms("varint with a limit of 200 bytes", {
  ...bytes,
  framing: varint({ maxLength: 200 }),
  limit: { longest: x(200), tooLong: Buffer.of(0xc9, 0x01, 1), refusedAfter: 2, unsendable: x(201) },
});
const five = fc.uint8Array({ minLength: 5, maxLength: 5 });
conforms("fixed", {
  ...bytes,
  samples: ["hello", Buffer.of(0, 9, 10, 13, 255), "gruß", "x x x", new Uint8Array(5)],
  arbitrary: five,
  unframable: [undefined, null, 7, { a: 1 }, [1], "", "four", "sixsix"],
  framing: fixed(5),
});
conforms("netstring", { ...bytes, framing: netstring() });
conforms("netstring with a limit of 200 bytes", {
  ...bytes,
  framing: netstring({ maxLength: 200 }),
  limit: { longest: x(200), tooLong: Buffer.from("2010:"), refusedAfter: 3, unsendable: x(201) },
});

for (const delimiter of ["\0", "\r\n", "\r\n.\r\n", "--", "aab"]) {
  const framing = delimited(delimiter, { maxLength: 200 });
  const fits = (frame: Payload) => {
    const whole = Buffer.concat([Buffer.from(frame as string), Buffer.from(delimiter)]);
    return whole.indexOf(delimiter) === whole.length - delimiter.length;
  };
  const pieces = fc.array(fc.constantFrom("a", "b", "-", "\r", "\n", ".", "x"), { maxLength: 30 });
  const title = `delimited(${JSON.stringify(delimiter)})`;
  const own = {
    ...bytes,
    samples: ["hello", "grüße 🐄", "", x(190), "\r", "", "aa b", "-"].filter(fits),
    arbitrary: fc
      .oneof(
        bytes.arbitrary,
        pieces.map((list) => list.join("")),
      )
      .filter(fits),
  };
  conforms(title, { ...own, framing: delimited(Buffer.from(delimiter)) });
  conforms(`${title} with a limit of 200 bytes`, {
    ...own,
    framing,
    limit: { longest: x(200), tooLong: x(300), refusedAfter: 201, unsendable: x(201) },
  });
}

const latin = {
  samples: ["hello", "grüße", " a\rb\0c ", "", "x", "y".repeat(190), ""],
  arbitrary: fc
    .string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 40,
    })
    .filter((line) => !/\n|\r$/.test(line)),
  value: (line: string) => line,
  bounded: true,
};
for (const terminator of ["\n", "\r\n"] as const) {
  const limit = { longest: "ü".repeat(200), tooLong: x(300), refusedAfter: 201, unsendable: "ü".repeat(201) };
  const options = { terminator, maxLength: 200 } as const;
  conforms(`lines in latin1, ${JSON.stringify(terminator)}`, {
    ...latin,
    framing: lines({ ...options, encoding: "latin1" }),
    limit,
  });
  conforms(`lines in buffers, ${JSON.stringify(terminator)}`, {
    ...bytes,
    samples: bytes.samples.filter((frame) => typeof frame === "string" || !frame.includes(10)),
    arbitrary: bytes.arbitrary.filter(
      (frame) => !/\n|\r$/.test(Buffer.from(frame as string).toString("latin1")),
    ),
    framing: lines({ ...options, encoding: "buffer" }),
    limit: { ...limit, longest: x(200), unsendable: x(201) },
  });
}

const values = {
  samples: [{ a: 1 }, null, "", [], 0, false, "grüße 🐄", [{ b: ["x".repeat(150)] }, 1.5], "\n\uFFFD"],
  arbitrary: fc
    .jsonValue({ maxDepth: 5 })
    .filter((value) => !/__proto__|constructor/.test(JSON.stringify(value))),
  value: (value: unknown) => JSON.stringify(value),
  bounded: true,
  unframable: [undefined, () => 1, Symbol("a"), 1n, [1n]],
};
conforms("json", { ...values, framing: json() });
conforms("json with a limit of 200 bytes", {
  ...values,
  arbitrary: values.arbitrary.filter((value) => Buffer.byteLength(JSON.stringify(value)) <= 200),
  framing: json({ maxLength: 200 }),
  limit: { longest: "x".repeat(198), tooLong: x(300), refusedAfter: 201, unsendable: "x".repeat(199) },
});

/** What the bytes are refused as, whole and byte by byte. */
function refusal(framing: Framing<any, any>, text: string | Buffer): string {
  const all = Buffer.from(text as string);
  const [whole, slow] = [[all], byteByByte(all)].map((chunks) => {
    const { code, message } = thrownBy(() => feed(framing.decoder(), chunks));
    return `${code} ${message}`;
  });
  expect(slow).toBe(whole);
  return whole!;
}

describe("varint", () => {
  it("has lengths in LEB128", () => {
    expect(encode(varint(), "hi")).toEqual(Buffer.from("\x02hi"));
    expect(encode(varint(), x(300)).subarray(0, 2)).toEqual(Buffer.of(0xac, 0x02));
    expect(encode(varint(), x(16_384)).subarray(0, 3)).toEqual(Buffer.of(0x80, 0x80, 0x01));
  });

  it("refuses lengths that are padded, too long or above the limit", () => {
    expect(refusal(varint(), Buffer.of(0x80, 0x00))).toContain("frame_invalid varint: a length is padded");
    expect(refusal(varint(), Buffer.of(0x80, 0x80, 0x80, 0x80, 0x80))).toContain(
      "frame_invalid varint: a length has",
    );
    expect(refusal(varint(), Buffer.of(0xff, 0xff, 0xff))).toContain(
      "frame_too_long varint: the peer declares",
    );
    const most = varint({ maxLength: 2 ** 31 - 1 });
    expect(refusal(most, Buffer.of(0xff, 0xff, 0xff, 0xff, 0x0f))).toContain("4294967295 bytes");
    expect(feed(most.decoder(), [Buffer.of(0xff, 0xff, 0xff, 0xff, 0x07)])).toEqual([]);
  });
});

describe("netstring", () => {
  it("is digits, a colon, the frame and a comma", () => {
    expect(encode(netstring(), "hello")).toEqual(Buffer.from("5:hello,"));
    expect(encode(netstring(), "")).toEqual(Buffer.from("0:,"));
  });

  it("refuses what is none", () => {
    expect(refusal(netstring(), "05:hello,")).toContain(
      "frame_invalid netstring: a length has a leading zero",
    );
    expect(refusal(netstring(), "5:hello;")).toContain(
      'frame_invalid netstring: a frame does not end in ","',
    );
    for (const text of [":", "x", "5x", "-1:", " 5:"]) {
      expect(refusal(netstring(), text)).toContain(
        'frame_invalid netstring: a frame does not begin with digits and ":"',
      );
    }
    expect(refusal(netstring(), "9999999999999")).toContain("frame_too_long");
  });
});

describe("delimited", () => {
  it("ends a frame at the leftmost delimiter", () => {
    expect(feed(delimited("aab").decoder(), byteByByte(Buffer.from("aaabxaab"))).map(String)).toEqual([
      "a",
      "x",
    ]);
  });

  it("waits as long as the delimiter may yet end the frame in time", () => {
    const framing = delimited("\r\n.\r\n", { maxLength: 3 });
    expect(feed(framing.decoder(), byteByByte(Buffer.from("abc\r\n.\r\n"))).map(String)).toEqual(["abc"]);
    expect(refusal(framing, "abc\r\n.\rx")).toContain("frame_too_long");
    expect(refusal(framing, "abcd")).toContain("delimited: the peer sends a frame of more than 3 bytes");
  });

  it("does not send a frame that the peer would end earlier", () => {
    for (const [delimiter, frame] of [
      ["\n", "a\nb"],
      ["--", "a-"],
      ["abab", "xab"],
      ["aa", "a"],
    ]) {
      expect(thrownBy(() => delimited(delimiter!).encodedLength(frame!)).code).toBe("send_invalid");
    }
    expect(String(encode(delimited("aab"), "a"))).toBe("aaab");
  });

  it("refuses a delimiter that is none", () => {
    expect(() => delimited("")).toThrow("the delimiter has 1 to 255 bytes, not 0");
    expect(() => delimited(10 as unknown as string)).toThrow("is a string or a Buffer, not number");
    // Its UTF-8 would be the replacement character.
    expect(() => delimited("\ud800")).toThrow("the delimiter has half a surrogate pair");
  });
});

describe("lines in other encodings", () => {
  it("have a byte per character in latin1, and keep every byte in buffers", () => {
    const all = Buffer.from([...Buffer.from("a"), 0xff, 0xe9, 10]);
    expect(feed(lines({ encoding: "latin1" }).decoder(), [all])).toEqual(["a\xff\xe9"]);
    expect(feed(lines({ encoding: "buffer" }).decoder(), [all])).toEqual([all.subarray(0, 3)]);
    const error = thrownBy(() => lines({ encoding: "latin1" }).encodedLength("€"));
    expect([error.code, error.message]).toEqual(["send_invalid", expect.stringContaining("above U+00FF")]);
    expect(() => lines({ encoding: "ascii" as "latin1" })).toThrow(
      'the encoding is "utf8", "latin1" or "buffer"',
    );
  });
});

describe("json", () => {
  const read = (text: string, options = {}) => feed(json(options).decoder(), [Buffer.from(text)]);

  it("reads a value a line, null included, and either terminator", () => {
    expect(read('{"a":[1]}\nnull\r\n"x"\n')).toEqual([{ a: [1] }, null, "x"]);
  });

  it("refuses a line that is not JSON, without quoting it", () => {
    for (const text of ["\n", " \r\n"])
      expect(refusal(json(), text)).toContain("frame_invalid json: the line is empty");
    expect(refusal(json(), "\uFEFF1\n")).toContain("json: the line begins with a byte order mark");
    for (const text of ["{\n", "'secret'\n", "NaN\n", "1 2\n"]) {
      expect(refusal(json(), text)).toContain("frame_invalid json: the line is not valid JSON");
    }
    expect(refusal(json(), "'secret'\n")).not.toContain("secret");
    expect(refusal(json(), Buffer.from([0x22, 0xff, 0x22, 10]))).toContain(
      "frame_invalid json: the line is not UTF-8",
    );
    expect(read('"\uFFFD"\n')).toEqual(["\uFFFD"]);
  });

  it("refuses a value that is deeper than allowed, before it is parsed", () => {
    const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}\n`;
    expect(read(nested(32))).toHaveLength(1);
    expect(refusal(json(), nested(33))).toContain("deeper than 32 levels (maxDepth)");
    expect(refusal(json(), `${"[".repeat(60_000)}\n`)).toContain("deeper than 32 levels");
    expect(read(`["${"[".repeat(50)}\\"[[", [], [], {"a":{}}]\n`, { maxDepth: 3 })).toHaveLength(1);
  });

  it("refuses keys that reach a prototype, however they are spelled", () => {
    for (const text of [
      '{"__proto__":1}',
      '[{"a":{"\\u005f_proto__":{}}}]',
      '{"constructor":{"prototype":{}}}',
    ]) {
      expect(refusal(json(), `${text}\n`)).toMatch(/^frame_invalid json: .* not allowed/);
    }
    expect(read('{"constructor":{"a":1},"x":"__proto__"}\n')).toHaveLength(1);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("refuses numbers that would be infinite", () => {
    for (const text of ["1e309", "[-1E+999]", `${"9".repeat(310)}`, `1${"0".repeat(250)}e99`, "1e00000400"]) {
      expect(refusal(json(), `${text}\n`)).toContain("frame_invalid json: a number is beyond 1.8e308");
    }
    expect(read("1e308\n1e-999\n")).toEqual([1e308, 0]);
  });

  it("names what cannot be sent in one line", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const value of [circle, { self: [circle] }, 1n]) {
      const error = thrownBy(() => json().encodedLength(value));
      expect([error.code, error.message]).toEqual([
        "send_invalid",
        expect.stringMatching(/^json: the value has no JSON: .+$/),
      ]);
    }
    expect(() => json([] as object)).toThrow("json: expected an options object { maxLength, maxDepth }");
  });

  it("writes the text that was measured, whatever toJSON says the second time", () => {
    let calls = 0;
    const value = { toJSON: () => "x".repeat(++calls) };
    expect(String(encode(json(), value))).toBe('"x"\n');
  });
});
