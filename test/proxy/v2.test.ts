/** Version 2 of the PROXY header: every header whole and cut at every byte, refused at the first wrong byte. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeProxyHeader, type ProxyHeaderToSend } from "../../src/proxy/encode.js";
import { crc32c } from "../../src/proxy/v2/crc32c.js";
import { parse, refusedAt, said } from "./pieces.js";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const raw = (hex: string) => Buffer.from(SIGNATURE + hex.replace(/[\s_]/g, ""), "hex");
const V4 = "c0000207 c6336401 c822 01bb";
const ends = {
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.1", port: 443 },
};

test.each([
  ["TCP over IPv4", `21 11 000c ${V4}`, { family: "tcp4", ...ends, relays: true }],
  [
    "TCP over IPv6",
    `21 21 0024 20010db8000000000000000000000007 00000000000000000000ffffc0000208 0001 ffff`,
    {
      family: "tcp6",
      source: { address: "2001:db8::7", port: 1 },
      destination: { address: "192.0.2.8", port: 65_535 },
      relays: true,
    },
  ],
  ["UDP over IPv4", `21 12 000c ${V4}`, { family: "udp4", ...ends, relays: false }],
  [
    "a UNIX stream",
    `21 31 00d8 ${Buffer.from("/run/a.sock").toString("hex").padEnd(216, "0")} ${Buffer.from("\0abstract").toString("hex").padEnd(216, "0")}`,
    {
      family: "unix_stream",
      source: { address: "/run/a.sock", port: 0 },
      destination: { address: "@abstract", port: 0 },
      relays: false,
    },
  ],
  ["LOCAL", "20 00 0000", { local: true, family: "unspecified", source: undefined, relays: false }],
  [
    "LOCAL with a block, which is ignored, and a family that does not exist",
    `20 ff 0005 0102030405`,
    { local: true, source: undefined },
  ],
  ["UNSPEC", "21 00 0000", { local: false, family: "unspecified", relays: false }],
  ["UNSPEC with a block", "21 00 0002 ffff", { family: "unspecified" }],
  ["IPv4 without a transport", `21 10 000d ${V4} ff`, { family: "unspecified", source: undefined }],
])("%s", (_, hex, expected) => {
  const bytes = raw(hex);
  const { header, taken } = parse(Buffer.concat([bytes, Buffer.from("hello")]));
  expect(taken).toBe(bytes.length);
  expect(header).toMatchObject({ version: 2, ...expected });
  expect(header?.tlvs.size).toBe(0);
});

/** The last byte is the first that cannot be right. */
test.each([
  ["signature", Buffer.from(`${SIGNATURE.slice(0, 22)}0b`, "hex"), 12],
  ["version 1 in the binary form", raw("11"), 13],
  ["a command that does not exist", raw("22"), 13],
  ["a family that does not exist", raw("21 41"), 14],
  ["a transport that does not exist", raw("21 13"), 14],
  ["5,000 bytes", raw("21 11 13"), 15],
  ["4,097 bytes", raw("21 11 0ff1"), 16],
  ["64 KiB", raw("20 00 ff"), 15],
  ["no room for addresses of IPv4", raw("21 11 000b"), 16],
  ["no room for addresses of IPv6", raw("21 21 0023"), 16],
  ["no room for paths", raw("21 31 00d7"), 16],
  ["one byte left over", raw("21 11 000d"), 16],
  ["a TLV beyond the end", raw(`21 11 0010 ${V4} 01 0002`), 31],
  ["two bytes left over behind a TLV", raw(`21 11 0012 ${V4} 01 0001`), 31],
  ["a checksum of 3 bytes", raw(`21 11 0012 ${V4} 03 0003`), 31],
  ["two checksums", raw(`21 11 001a ${V4} 03 0004 00000000 03 0004`), 38],
  ["a checksum that does not fit", raw(`21 11 0013 ${V4} 03 0004 01020304`), 35],
  ["a unique id of 129 bytes", raw(`21 11 0090 ${V4} 05 0081`), 31],
  ["an SSL TLV of 4 bytes", raw(`21 11 0013 ${V4} 20 0004`), 31],
  ["a TLV beyond the end of the SSL TLV", raw(`21 11 0019 ${V4} 20 0009 01 00000000 21 0002`), 39],
  ["one byte left over in the SSL TLV", raw(`21 11 0015 ${V4} 20 0006`), 31],
])("refused at the first byte that cannot be right: %s", (_, bytes, at) => {
  const longer = Buffer.concat([bytes, Buffer.alloc(600, 0x78)]);
  expect(refusedAt(longer)).toBe(at);
  expect(bytes.length).toBe(at);
  expect(parse(longer).error).toMatch(/PROXY header, version 2/);
});

test("a header that is cut short is never complete", () => {
  const bytes = encodeProxyHeader({ ...ends, authority: "a.example", crc32c: true });
  for (let length = 0; length < bytes.length; length++) {
    const { header, error } = parse(bytes.subarray(0, length));
    expect([header, error]).toEqual([undefined, undefined]);
  }
});

const RICH: ProxyHeaderToSend = {
  ...ends,
  alpn: "h2",
  authority: "grüße.example",
  uniqueId: Buffer.from([0, 255, 10]),
  netns: "blue",
  ssl: {
    tls: true,
    certificateOnConnection: true,
    certificateInSession: true,
    verified: true,
    version: "TLSv1.3",
    cipher: "TLS_AES_256_GCM_SHA384",
    commonName: "device é 7",
    group: "x25519",
    clientCertificate: Buffer.alloc(60, 7),
  },
  tlvs: [
    [0xe0, "one"],
    [0xe0, "two"],
    [0x04, ""],
  ],
  crc32c: true,
};

test("all TLVs, with a checksum", () => {
  const bytes = encodeProxyHeader(RICH);
  const { header } = parse(bytes);
  expect(header).toMatchObject({
    alpn: "h2",
    authority: "grüße.example",
    uniqueId: Buffer.from([0, 255, 10]),
    netns: "blue",
  });
  expect(header?.ssl).toEqual({
    ...RICH.ssl,
    signatureAlgorithm: undefined,
    keyAlgorithm: undefined,
    signatureScheme: undefined,
  });
  expect(header?.tlvs.get(0xe0)?.toString()).toBe("one");
  expect([...(header?.tlvs.keys() ?? [])]).toEqual([1, 2, 5, 0x20, 0x30, 0xe0, 4, 3]);
});

test("any byte changed in a header with a checksum is noticed", () => {
  const bytes = encodeProxyHeader({
    ...ends,
    authority: "a.example",
    ssl: { version: "TLSv1.3" },
    crc32c: true,
  });
  const checksum = bytes.length - 7;
  for (let at = 16; at < bytes.length; at++) {
    // Of another type, it would be no checksum.
    if (at === checksum) continue;
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 0x10;
    expect([at, parse(Buffer.concat([changed, Buffer.alloc(9)])).error === undefined]).toEqual([at, false]);
  }
});

test("verified is only what had a certificate", () => {
  const none = parse(encodeProxyHeader({ ...ends, ssl: { tls: true, verified: true } })).header;
  expect(none?.ssl).toMatchObject({ tls: true, verified: false });
  const rogue = parse(encodeProxyHeader({ ...ends, ssl: { certificateOnConnection: true } })).header;
  expect(rogue?.ssl?.verified).toBe(false);
});

test("CRC32c: the values of RFC 3720, appendix B.4", () => {
  const ascending = Buffer.from(Array.from({ length: 32 }, (_, n) => n));
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.from("xx123456789"), 2)).toBe(0xe3069283);
  expect(crc32c(Buffer.from([1, 9, 9, 9, 9, 2]), 0, 6, 1)).toBe(crc32c(Buffer.from([1, 0, 0, 0, 0, 2])));
});

const address = fc.oneof(
  fc.tuple(fc.ipV4(), fc.ipV4()),
  fc.tuple(fc.ipV6(), fc.ipV6()).filter((both) => !both.some((one) => one.includes("%"))),
  fc.tuple(fc.stringMatching(/^\/[\w/]{1,80}$/), fc.stringMatching(/^@[\w]{1,80}$/)),
);
/** Without half surrogates, which UTF-8 cannot carry. */
const text = fc.string({ unit: "grapheme", maxLength: 40 }).map((one) => Buffer.from(one).toString());

test("what the encoder writes is read again, however it is cut", () => {
  const port = fc.nat(65_535);
  const header = fc.record({
    ends: address,
    ports: fc.tuple(port, port),
    alpn: fc.option(fc.stringMatching(/^[!-~]{1,20}$/), { nil: undefined }),
    authority: fc.option(text, { nil: undefined }),
    uniqueId: fc.option(fc.uint8Array({ maxLength: 128 }), { nil: undefined }),
    tlvs: fc.array(fc.tuple(fc.integer({ min: 0xe0, max: 0xef }), fc.uint8Array({ maxLength: 60 })), {
      maxLength: 4,
    }),
    ssl: fc.option(fc.record({ tls: fc.boolean(), commonName: text }), { nil: undefined }),
    crc32c: fc.boolean(),
  });
  fc.assert(
    fc.property(header, ({ ends: [source, destination], ports, ...rest }) => {
      const ported = (at: 0 | 1) => (/^[/@]/.test(source) ? 0 : ports[at]);
      const bytes = encodeProxyHeader({
        ...rest,
        source: { address: source, port: ported(0) },
        destination: { address: destination, port: ported(1) },
      });
      const got = parse(Buffer.concat([bytes, Buffer.from("hello")]));
      expect(got.error).toBeUndefined();
      expect(got.taken).toBe(bytes.length);
      const { header: read } = got;
      expect(read).toMatchObject({ version: 2, alpn: rest.alpn, authority: rest.authority });
      expect(read?.uniqueId && new Uint8Array(read.uniqueId)).toEqual(rest.uniqueId);
      expect(read?.ssl?.commonName).toBe(rest.ssl?.commonName);
      expect([read?.source?.port, read?.destination?.port]).toEqual([ported(0), ported(1)]);
      if (!source.includes(":")) expect(read?.source?.address).toBe(source);
      for (const [type, value] of rest.tlvs)
        if (rest.tlvs.find(([one]) => one === type)?.[1] === value)
          expect(new Uint8Array(read?.tlvs.get(type) as Buffer)).toEqual(value);
    }),
    { numRuns: 60 },
  );
});

test("whatever the bytes, pieces change nothing, and only its own error is thrown", () => {
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }), fc.boolean())
    .map(([changes, v1]) => {
      const bytes = encodeProxyHeader(
        v1
          ? { ...ends, version: 1 }
          : { ...ends, authority: "a.example", ssl: { cipher: "x" }, crc32c: true },
      );
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(
      fc.oneof(
        mutated,
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([raw("21"), bytes])),
      ),
      (bytes) => {
        const { header, error, taken } = parse(bytes);
        if (header !== undefined) expect(said(header)?.version).toBe(bytes[0] === 0x50 ? 1 : 2);
        if (error !== undefined) expect(error).toMatch(/PROXY header/);
        expect(taken).toBeLessThanOrEqual(bytes.length);
      },
    ),
    { numRuns: 150 },
  );
});

test("an impossible header is not encoded", () => {
  const wrong = (header: ProxyHeaderToSend) => () => encodeProxyHeader(header);
  expect(wrong({ ...ends, destination: { address: "/run/x", port: 0 } })).toThrow(/no pair of addresses/);
  expect(wrong({ ...ends, source: { address: "192.0.2.7", port: 65_536 } })).toThrow(
    /from 0 to 65535, got 65536/,
  );
  expect(wrong({ ...ends, uniqueId: Buffer.alloc(129) })).toThrow(/at most 128 bytes/);
  expect(wrong({ ...ends, tlvs: [[256, "x"]] })).toThrow(/from 0 to 255, got 256/);
  expect(wrong({ ...ends, tlvs: [[0xe0, Buffer.alloc(4_100)]] })).toThrow(/more than 4096/);
  expect(encodeProxyHeader({ ...ends, source: undefined, version: 1 }).toString()).toBe("PROXY UNKNOWN\r\n");
});
