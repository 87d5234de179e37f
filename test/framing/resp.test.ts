import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encode, type Framing } from "../../src/framing/framing.js";
import { resp } from "../../src/framing/resp/resp.js";
import {
  RespError,
  RespPush,
  type RespValue,
  RespVerbatim,
  type RespWord,
} from "../../src/framing/resp/values.js";
import { allocationsOf } from "./conformance/allocations.js";
import { conforms } from "./conformance/conformance.js";
import { byteByByte, feed, thrownBy } from "./feed.js";

/** The decoder of one side with the encoder of the other. */
function between<In, Out>(reader: Framing<In, any>, writer: Framing<any, Out>): Framing<In, Out> {
  return {
    name: "resp",
    decoder: () => reader.decoder(),
    encodedLength: (frame) => writer.encodedLength(frame),
    encodeInto: (frame, target, offset) => writer.encodeInto(frame, target, offset),
  };
}

const word = (value: RespWord) =>
  Buffer.from(typeof value === "object" ? value : String(value)).toString("hex");
const anyWord = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.uint8Array({ maxLength: 40 }),
  fc.integer(),
);
const commands = {
  samples: [
    ["GET", "key"],
    ["PING"],
    ["SET", "grüße", Buffer.of(13, 10, 255)],
    ["X", ""],
    ["", 1, 2n, "y".repeat(90)],
  ],
  arbitrary: fc.array(anyWord, { minLength: 1, maxLength: 6 }),
  value: (words: readonly RespWord[]) => words.map(word).join(" "),
  bounded: true,
  unframable: [undefined, null, 7, "GET key", [], [null], [{ a: 1 }]],
};
conforms("resp, commands", { ...commands, framing: between(resp(), resp({ side: "client" })) });
conforms("resp, commands of at most 300 bytes", {
  ...commands,
  framing: between(resp({ maxLength: 300 }), resp({ side: "client", maxLength: 300 })),
  limit: {
    longest: ["x".repeat(288)],
    tooLong: Buffer.from("*1\r\n$289\r\nx"),
    refusedAfter: 10,
    unsendable: ["x".repeat(289)],
  },
});

/** A value in one form, whichever of two equal forms it was sent in. */
function show(value: RespValue): string {
  if (value instanceof RespError) return `-${value.message}`;
  if (value instanceof RespVerbatim) return `=${value.format}${value.text.toString("hex")}`;
  if (value instanceof RespPush) return `>${value.items.map(show)}`;
  if (value instanceof Map) return `%${[...value].map(([key, item]) => `${show(key)}:${show(item)}`)}`;
  if (value instanceof Set) return `~${[...value].map(show)}`;
  if (Array.isArray(value)) return `[${value.map(show)}]`;
  if (value instanceof Uint8Array) return `$${Buffer.from(value).toString("hex")}`;
  return typeof value === "bigint" ? `${value}` : typeof value === "string" ? `+${value}` : String(value);
}
const text = fc.string({ unit: "grapheme", maxLength: 20 }).filter((line) => !/[\r\n]/.test(line));
const { value: anyValue } = fc.letrec<{ value: RespValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.uint8Array({ maxLength: 40 }),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    text.map((message) => new RespError(message)),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => new RespVerbatim("txt", Buffer.from(bytes))),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => new RespPush(items)),
    fc.array(fc.tuple(text, tie("value")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(fc.integer(), { maxLength: 3 }).map((items) => new Set(items)),
  ),
}));
const values = {
  samples: [
    "OK",
    Buffer.from("a\r\nb"),
    null,
    "",
    [],
    [1, [new RespError("ERR x"), 2n ** 70n], new Map<string, RespValue>([["k", Number.NaN]])],
    new RespPush(["message", Buffer.alloc(150)]),
    new RespVerbatim("txt", Buffer.from("hello")),
    new Set([true, 1.5]),
  ] as RespValue[],
  arbitrary: anyValue,
  value: show,
  bounded: true,
  unframable: [undefined, { a: 1 }, Symbol("a"), () => 1, [undefined], "a\r\nb", new RespError("a\nb")],
};
conforms("resp, values", { ...values, framing: between(resp({ side: "client" }), resp({ version: 3 })) });
const short = values.arbitrary.filter((value) => encode(resp({ version: 3 }), value).length <= 300);
conforms("resp, values of at most 300 bytes", {
  ...values,
  arbitrary: short,
  framing: between(resp({ side: "client", maxLength: 300 }), resp({ version: 3, maxLength: 300 })),
  limit: {
    longest: Buffer.alloc(292, "x"),
    tooLong: Buffer.from("$294\r\nx"),
    refusedAfter: 6,
    unsendable: Buffer.alloc(300),
  },
});

const words = (bytes: string) => feed(resp().decoder(), [Buffer.from(bytes)]).map((list) => list.map(String));

describe("commands of resp", () => {
  it("may be inline, and empty ones are nothing", () => {
    expect(words("\r\nPING\r\n  SET a\tb \n*0\r\n*-1\r\n*1\r\n$4\r\nQUIT\r\n")).toEqual([
      ["PING"],
      ["SET", "a", "b"],
      ["QUIT"],
    ]);
  });

  it("refuse at the first byte what is no RESP", () => {
    for (const wrong of [
      "*x",
      "*01",
      "*+",
      "*-2",
      "*\r",
      "*1\r\n:",
      "*1\r\n$-1\r\n",
      "*1\r\n$x",
      "*1\rx",
      "*99999999999",
    ]) {
      const decoder = resp().decoder();
      expect(feed(decoder, byteByByte(Buffer.from(wrong.slice(0, -1))))).toEqual([]);
      const last = Buffer.from(wrong.slice(-1));
      expect([wrong, thrownBy(() => feed(decoder, [last])).code]).toEqual([wrong, "frame_invalid"]);
    }
    for (const chunks of [["*1\r\n$1\r\naxx"], ["*1\r\n$1\r\na", "xx"]]) {
      const error = thrownBy(() =>
        feed(
          resp().decoder(),
          chunks.map((chunk) => Buffer.from(chunk)),
        ),
      );
      expect(error.message).toContain("resp: a word does not end in \\r\\n");
    }
  });

  it("refuse words and bytes above the limit when they are declared, with nothing allocated", () => {
    const cases: [string, string][] = [
      ["*1025\r\n", "1025 words and the limit is 1024"],
      ["*2147483647\r\n", "2147483647 words"],
      ["*1\r\n$1073741824\r\n", "the limit is 1048576"],
      ["*2\r\n$1048560\r\n", "the limit is 1048576"],
    ];
    for (const [bytes, message] of cases) {
      const decoder = resp().decoder();
      decoder.push(Buffer.from(bytes));
      const sizes = allocationsOf(() => {
        const error = thrownBy(() => decoder.pull());
        expect([error.code, error.message]).toEqual(["frame_too_long", expect.stringContaining(message)]);
      });
      expect(sizes).toEqual([]);
    }
    const inline = thrownBy(() => feed(resp().decoder(), [Buffer.alloc(65_537, "x")]));
    expect(inline.message).toContain("an inline command of more than 65536 bytes");
    expect(thrownBy(() => words(`${"a ".repeat(1025)}\n`)).code).toBe("frame_too_long");
  });
});

describe("values of resp", () => {
  it("are sent as RESP2 where there is no type of their own", () => {
    const value = [null, true, 1.5, new Map([["a", 1]]), new Set([2]), 2n ** 64n, new RespPush([3])];
    expect(String(encode(resp(), value))).toBe(
      "*7\r\n$-1\r\n:1\r\n$3\r\n1.5\r\n*2\r\n+a\r\n:1\r\n*1\r\n:2\r\n$20\r\n18446744073709551616\r\n*1\r\n:3\r\n",
    );
  });

  it("are doubles that are no numbers as Redis writes them, in both versions", () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    expect(String(encode(resp(), odd))).toBe("*3\r\n$3\r\nnan\r\n$3\r\ninf\r\n$4\r\n-inf\r\n");
    expect(String(encode(resp({ version: 3 }), odd))).toBe("*3\r\n,nan\r\n,inf\r\n,-inf\r\n");
    // Redis before 7.2 may write it with a sign.
    const read = feed(resp({ side: "client" }).decoder(), [Buffer.from(",nan\r\n,-nan\r\n")]);
    expect(read).toEqual([Number.NaN, Number.NaN]);
  });

  it("are read from RESP2 and RESP3", () => {
    const bytes =
      "$-1\r\n*-1\r\n_\r\n:-9223372036854775808\r\n,inf\r\n%1\r\n$1\r\na\r\n#f\r\n!5\r\nERR x\r\n";
    expect(feed(resp({ side: "client" }).decoder(), [Buffer.from(bytes)])).toEqual([
      null,
      null,
      null,
      -9223372036854775808n,
      Number.POSITIVE_INFINITY,
      new Map([["a", false]]),
      new RespError("ERR x"),
    ]);
  });

  it("are refused where they are too deep, too many or of no type", () => {
    const read = (bytes: string) => feed(resp({ side: "client" }).decoder(), [Buffer.from(bytes)]);
    expect(read(`${"*1\r\n".repeat(8)}:1\r\n`)).toHaveLength(1);
    expect(thrownBy(() => read("*1\r\n".repeat(9))).message).toContain("deeper than 8 levels");
    expect(thrownBy(() => read("*1000000\r\n")).code).toBe("frame_too_long");
    const refused: readonly [bytes: string, message: string][] = [
      ["|1\r\n", "a value begins with the byte 124, which is not a RESP type"],
      ["$?\r\n", "a count or length is not a whole number"],
      ["x", "a value begins with the byte 120"],
      ["#x\r\n", 'a boolean ("#") is not t or f'],
      ["_x\r\n", 'a null ("_") is followed by other characters'],
      [":1.5\r\n", 'an integer (":") is not a decimal number of at most 19 digits'],
      [",x\r\n", 'a double (",") is not a decimal number, inf or nan'],
      ["(1.5\r\n", 'a big number ("(") is not a decimal number of at most 4096 characters'],
      ["~-1\r\n", 'a value of type "~" has a negative length'],
      ["+a\nb\r\n", "a line has a line feed in it"],
      ["=2\r\nab\r\n", 'a verbatim string ("=") does not begin with three characters and ":"'],
    ];
    for (const [bytes, message] of refused) {
      const error = thrownBy(() => read(bytes));
      expect([bytes, error.code, error.message]).toEqual([
        bytes,
        "frame_invalid",
        expect.stringContaining(message),
      ]);
    }
  });

  it("do not contain themselves", () => {
    const circle: RespValue[] = [];
    circle.push(circle);
    expect(thrownBy(() => encode(resp(), circle)).message).toContain(
      "deeper than 100 levels, or contains itself",
    );
    expect(thrownBy(() => encode(resp(), new TypeError("ERR") as never)).message).toContain(
      'TypeError is not a RESP value; for an error reply send new RespError("ERR text")',
    );
    expect(thrownBy(() => encode(resp(), [{ a: 1 }] as never)).message).toContain(
      "object is not a RESP value; send a Map for an object, null for no value",
    );
  });
});

describe("options that resp refuses", () => {
  it("are named", () => {
    expect(() => resp({ side: "both" as "server" })).toThrow('the side is "server" or "client", not "both"');
    expect(() => resp({ version: "3" as unknown as 3 })).toThrow('the version is 2 or 3, not "3"');
    expect(() => resp([] as object)).toThrow("resp: expected an options object { side,");
    expect(() => resp({ maxDepth: 0 })).toThrow("maxDepth is a whole number of levels from 1 to 100, not 0");
  });
});
