import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TlsRecord } from "../../../src/framing/erlang.js";
import * as erlang from "../../../src/framing/erlang.js";
import { encode, type Framing } from "../../../src/framing/framing.js";
import { conforms } from "../conformance/conformance.js";
import { byteByByte, feed, thrownBy } from "../feed.js";

const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const hex = (frame: Uint8Array) => Buffer.from(frame).toString("hex");

/** A whole packet for a body of at most 300 bytes. */
type Wrap = (body: Buffer) => Buffer;

const wraps: Record<"asn1" | "sunrm" | "cdr" | "tpkt" | "fcgi", Wrap> = {
  asn1: (content) => {
    const short = [0x30, content.length];
    const long = [0x30, 0x82, content.length >> 8, content.length & 0xff];
    return Buffer.concat([Buffer.from(content.length < 128 ? short : long), content]);
  },
  sunrm: (content) =>
    Buffer.concat([Buffer.of(0x80, 0, content.length >> 8, content.length & 0xff), content]),
  cdr: (content) => {
    const header = Buffer.from("GIOP\x01\x02\x00\x00\0\0\0\0", "latin1");
    const little = content.length % 2;
    header[6] = little;
    if (little) header.writeUInt32LE(content.length, 8);
    else header.writeUInt32BE(content.length, 8);
    return Buffer.concat([header, content]);
  },
  tpkt: (content) => {
    const header = Buffer.of(3, 0, 0, 0);
    header.writeUInt16BE(content.length + 4, 2);
    return Buffer.concat([header, content]);
  },
  fcgi: (content) => {
    const header = Buffer.of(1, 6, 0, 1, content.length >> 8, content.length & 0xff, content.length % 8, 0);
    return Buffer.concat([header, content]);
  },
};

const { asn1, sunrm, cdr, tpkt, fcgi } = erlang;
const makers = { asn1, sunrm, cdr, tpkt, fcgi };

for (const name of Object.keys(wraps) as (keyof typeof wraps)[]) {
  const wrap = wraps[name];
  const subject = {
    samples: ["hello", "", "x", "y".repeat(190), "", "z".repeat(201)].map((text) => wrap(Buffer.from(text))),
    arbitrary: body.map(wrap),
    value: hex,
    bounded: true,
    unframable: [
      undefined,
      null,
      7,
      { a: 1 },
      [1],
      "text",
      Buffer.alloc(0),
      wrap(Buffer.from("ab")).subarray(0, -1),
    ],
  };
  conforms(`erlang.${name}`, { ...subject, framing: makers[name]() });
  const tooLong = wrap(Buffer.alloc(301));
  const padding = name === "fcgi" ? 300 % 8 : 0;
  conforms(`erlang.${name} with a limit of 300 bytes`, {
    ...subject,
    framing: makers[name]({ packetSize: 300 + padding }),
    limit: {
      longest: wrap(Buffer.alloc(300, "x")),
      tooLong: name === "fcgi" ? Buffer.of(1, 6, 0, 1, 1, 49, 0, 0, 0, 0) : tooLong,
      refusedAfter: { asn1: 4, sunrm: 4, cdr: 12, tpkt: 4, fcgi: 8 }[name],
      unsendable: wrap(Buffer.alloc(400, "x")),
    },
  });
}

const record = (type: number, minor: number, data: string): TlsRecord => ({
  type,
  version: [3, minor],
  data: Buffer.from(data),
});
const tls = {
  samples: [record(22, 1, "hello"), record(23, 3, ""), record(21, 3, "xy"), record(255, 0, "z".repeat(190))],
  arbitrary: fc
    .tuple(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 255 }), body)
    .map(([type, minor, data]): TlsRecord => ({ type, version: [3, minor], data })),
  value: ({ type, version, data }: TlsRecord) => `${type} ${version} ${hex(data)}`,
  bounded: true,
  unframable: [undefined, null, 7, { a: 1 }, [1], record(256, 1, ""), record(200, 1, "")],
};
conforms("erlang.sslTls", { ...tls, framing: erlang.sslTls() });
conforms("erlang.sslTls with a limit of 300 bytes", {
  ...tls,
  framing: erlang.sslTls({ packetSize: 300 }),
  limit: {
    longest: record(23, 3, "x".repeat(300)),
    tooLong: Buffer.of(23, 3, 3, 1, 45),
    refusedAfter: 5,
    unsendable: record(23, 3, "x".repeat(301)),
  },
});

const ended = (text: string) => Buffer.from(`${text}\n`);
const line = {
  samples: ["hello", "", "a\rb\r", "x".repeat(190)].map(ended),
  arbitrary: body.map((bytes) =>
    Buffer.concat([bytes.map((byte) => (byte === 10 ? 11 : byte)), Buffer.of(10)]),
  ),
  value: hex,
  bounded: true,
  unframable: [undefined, null, 7, { a: 1 }, [1], "", "a", "a\nb\n", "a\nb"],
};
conforms("erlang.line", { ...line, framing: erlang.line() });
conforms("erlang.line with a limit of 301 bytes", {
  ...line,
  framing: erlang.line({ packetSize: 301 }),
  limit: {
    longest: ended("x".repeat(300)),
    tooLong: ended("x".repeat(400)),
    refusedAfter: 302,
    unsendable: ended("x".repeat(301)),
  },
});

describe("the frames of Erlang's packet types", () => {
  it("have a fcgi record's padding removed on receiving and added on sending", () => {
    const frame = wraps.fcgi(Buffer.from("hello"));
    const wire = encode(erlang.fcgi(), frame);
    expect(wire).toEqual(Buffer.concat([frame, Buffer.alloc(5)]));
    wire.fill(0xff, frame.length);
    expect(feed(erlang.fcgi().decoder(), [wire])).toEqual([frame]);
  });

  it("are the pieces of a line longer than lineLength, of which the last has the terminator", () => {
    const framing = erlang.line({ lineLength: 8 });
    for (const chunks of [
      [Buffer.from("0123456789abcdef\nxy\n")],
      byteByByte(Buffer.from("0123456789abcdef\nxy\n")),
    ]) {
      expect(feed(framing.decoder(), chunks).map(String)).toEqual(["01234567", "89abcdef", "\n", "xy\n"]);
    }
  });

  it("end where the delimiter of lines is", () => {
    expect(feed(erlang.line({ lineDelimiter: 0 }).decoder(), [Buffer.from("a\nb\0c\0")]).map(String)).toEqual(
      ["a\nb\0", "c\0"],
    );
  });

  it("begin with an SSL 2.0 hello as a handshake record", () => {
    const hello = Buffer.from([0x80, 9, 1, 3, 1, 0, 3, 0, 0, 0, 16]);
    const [frame] = feed(erlang.sslTls().decoder(), [hello]);
    expect(frame).toEqual({
      type: 22,
      version: [3, 1],
      data: Buffer.from([1, 0, 0, 8, ...hello.subarray(3)]),
    });
  });
});

describe("bytes that are of another protocol", () => {
  const wrong: [string, Framing<any, any>, string, string][] = [
    ["cdr", erlang.cdr(), "GET / HTTP/1.1\r\n", 'cdr: the header does not begin with "GIOP"'],
    ["tpkt", erlang.tpkt(), "\x02\x00\x00\x08", "tpkt: the version is 2, not 3"],
    ["tpkt", erlang.tpkt(), "\x03\x00\x00\x03", "tpkt: the packet declares 3 bytes, its header has 4"],
    ["fcgi", erlang.fcgi(), "GET / HTTP/1.1\r\n", "fcgi: the version is 71, not 1"],
    ["asn1", erlang.asn1(), "\x30\x85\x00\x00\x00\x00\x00", "asn1: a length has 5 bytes"],
    ["asn1", erlang.asn1(), `\x1f${"\xff".repeat(300)}`, "asn1: a tag has more than 256 bytes"],
    ["sslTls", erlang.sslTls(), "\x80\x02\x01\x00\x00", "ssl_tls: an SSL 2.0 hello declares 2 bytes"],
  ];
  it.each(wrong)("end %s with frame_invalid and say why: %#", (_name, framing, text, message) => {
    const bytes = Buffer.from(text, "latin1");
    for (const chunks of [[bytes], byteByByte(bytes)]) {
      const decoder = framing.decoder();
      const error = thrownBy(() => feed(decoder, chunks));
      expect([error.name, error.code]).toEqual(["FramingError", "frame_invalid"]);
      expect(error.message).toContain(message);
      expect(error.message).toContain("the peer speaks another protocol or is faulty");
      expect(thrownBy(() => decoder.pull()).code).toBe("frame_invalid");
    }
  });
});

describe("options that they refuse", () => {
  const wrong: [() => unknown, ErrorConstructor, string][] = [
    [
      () => erlang.asn1({ packetSize: 0 }),
      RangeError,
      "asn1: packetSize is a whole number of bytes from 1 to",
    ],
    [() => erlang.tpkt({ packetSize: 65_532 }), RangeError, "write { packetSize: 65531 }"],
    [
      () => erlang.cdr({ packet_size: 4 } as object),
      TypeError,
      'unknown option "packet_size"; expected { packetSize }',
    ],
    [
      () => erlang.line({ lineDelimiter: "," as unknown as number }),
      TypeError,
      "a number from 0 to 255, not string",
    ],
    [() => erlang.line({ lineDelimiter: 256 }), RangeError, "a number from 0 to 255, not 256"],
    [() => erlang.line({ lineLength: -1 }), RangeError, "lineLength is a whole number of bytes from 1"],
  ];
  it.each(wrong)("mistake %# says what to type", (make, kind, message) => {
    const error = thrownBy(make);
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(message);
  });
});
