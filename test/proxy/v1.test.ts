/** Version 1 of the PROXY header: every line whole and cut at every byte, refused at the first wrong byte. */
import { isIPv6 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ipv4Reader, Ipv6Reader } from "../../src/proxy/address-reader.js";
import { encodeProxyHeader } from "../../src/proxy/encode.js";
import { parse, refusedAt } from "./pieces.js";

test.each([
  ["PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n", "tcp4", "192.0.2.7:51234", "198.51.100.1:443"],
  [
    "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
    "tcp4",
    "255.255.255.255:65535",
    "255.255.255.255:65535",
  ],
  ["PROXY TCP4 0.0.0.0 10.0.0.0 0 1\r\n", "tcp4", "0.0.0.0:0", "10.0.0.0:1"],
  ["PROXY TCP6 2001:DB8::7 ::1 1 2\r\n", "tcp6", "2001:db8::7:1", "::1:2"],
  ["PROXY TCP6 :: 2001:0db8:0:0:1:0:0:1 1 2\r\n", "tcp6", ":::1", "2001:db8::1:0:0:1:2"],
  [
    "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n",
    "tcp6",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe:65535",
  ],
  ["PROXY TCP6 ::ffff:192.0.2.7 64:ff9b::192.0.2.8 1 2\r\n", "tcp6", "192.0.2.7:1", "64:ff9b::c000:208:2"],
])("%j", (line, family, source, destination) => {
  const { header, taken } = parse(`${line}hello`);
  expect(taken).toBe(line.length);
  expect(header).toMatchObject({ version: 1, local: false, family, relays: true, alpn: undefined });
  expect(`${header?.source?.address}:${header?.source?.port}`).toBe(source);
  expect(`${header?.destination?.address}:${header?.destination?.port}`).toBe(destination);
});

test.each([
  "PROXY UNKNOWN\r\n",
  "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
  "PROXY UNKNOWN \n\0\xff\r\n",
  `PROXY UNKNOWN ${"x".repeat(91)}\r\n`,
])("%j: the real addresses count", (line) => {
  const { header, taken } = parse(`${line}\r\nhello`);
  expect(taken).toBe(line.length);
  expect(header).toMatchObject({ version: 1, family: "unspecified", source: undefined, relays: false });
});

/** The part up to `|` is the beginning of a valid header; the byte behind it is refused. */
test.each([
  "|GET / HTTP/1.1\r\n",
  "|\x16\x03\x01",
  "P|OST / HTTP/1.1\r\n",
  "PROXY|\r\n",
  "PROXY |tcp4",
  "PROXY U|DP4 ",
  "PROXY TCP|5 ",
  "PROXY TCP4 | ",
  "PROXY TCP4 | 1.2.3.4",
  "PROXY TCP4 25|6.1.1.1",
  "PROXY TCP4 0|1.2.3.4",
  "PROXY TCP4 1.2.3.0|0",
  "PROXY TCP4 1.|.3.4",
  "PROXY TCP4 1.2.3|  ",
  "PROXY TCP4 1.2.3.4|.5",
  "PROXY TCP4 1.2.3.4 |::1",
  "PROXY TCP4 1.2.3.4 1.2.3.4 6553|6",
  "PROXY TCP4 1.2.3.4 1.2.3.4 0|1",
  "PROXY TCP4 1.2.3.4 1.2.3.4 |-1",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 |\r",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1|\r\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 2| ",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 2|\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r|\r",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 |\r\n",
  "PROXY TCP6 :|1",
  "PROXY TCP6 1::|:",
  "PROXY TCP6 1::2:|:",
  "PROXY TCP6 1234|5",
  "PROXY TCP6 1:2:3:4:5:6:7:8|:",
  "PROXY TCP6 ::1:2:3:4:5:6:7|:",
  "PROXY TCP6 1:2| ",
  "PROXY TCP6 fe80::1|%eth0",
  "PROXY TCP6 ::1|g",
  "PROXY TCP6 ::01|.2.3.4",
  "PROXY TCP6 1:2:3:4:5:6:7:1|.2.3.4",
  "PROXY UNKNOWN|X",
  "PROXY UNKNOWN\r|X",
  `PROXY UNKNOWN ${"x".repeat(91)}|x`,
  `PROXY TCP6 ${"ffff:".repeat(6)}255.255.255.255 ${"ffff:".repeat(6)}255.255.255.255 65|535`,
])("refused at the first byte that cannot be right: %j", (marked) => {
  const at = marked.indexOf("|");
  const line = marked.replace("|", "");
  expect(refusedAt(line)).toBe(at + 1);
  const { error } = parse(line);
  expect(error).toMatch(
    at === 0
      ? /expected a PROXY header/
      : new RegExp(`^byte ${at + 1} of the PROXY header, version 1, cannot be `),
  );
});

const octet = fc.nat(255);
const v4 = fc.tuple(octet, octet, octet, octet).map((bytes) => bytes.join("."));
const v6 = fc.ipV6().filter((text) => !text.includes("%"));
const port = fc.nat(65_535);

test("what the encoder writes is read again, however it is cut", () => {
  const ends = fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6));
  fc.assert(
    fc.property(ends, port, port, ([source, destination], sourcePort, destinationPort) => {
      const bytes = encodeProxyHeader({
        version: 1,
        source: { address: source, port: sourcePort },
        destination: { address: destination, port: destinationPort },
      });
      const { header, taken } = parse(bytes);
      expect(taken).toBe(bytes.length);
      expect([header?.source?.port, header?.destination?.port]).toEqual([sourcePort, destinationPort]);
      expect(plain(header?.source?.address)).toBe(plain(source));
      expect(plain(header?.destination?.address)).toBe(plain(destination));
    }),
    { numRuns: 60 },
  );
});

/** One form of an IPv6 address, made by the URL parser; mapped addresses are IPv4. */
function plain(address = ""): string {
  if (!address.includes(":")) return address;
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(text);
  if (!mapped) return text;
  const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** What may complete a beginning of an IPv6 address, if anything does. */
const COMPLETIONS = [
  ...["", ":", "0", "::", ":0", "0::", "0.0.0", ".0.0.0", "0.0", ".0.0", "0", ".0"],
  ...Array.from({ length: 8 }, (_, n) => [":0".repeat(n), `0${":0".repeat(n)}`, `${"0:".repeat(n)}:`]).flat(),
];

test("of IPv6 every beginning is taken that can become an address, and no other", () => {
  const text = fc.oneof(
    v6,
    fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF::::...."), maxLength: 24 }),
    fc
      .tuple(v6, fc.nat(40), fc.constantFrom(..."0:.f1"))
      .map(([one, at, char]) => one.slice(0, at) + char + one.slice(at)),
  );
  fc.assert(
    fc.property(text, (address) => {
      const reader = new Ipv6Reader();
      for (let length = 1; length <= address.length; length++) {
        const begun = address.slice(0, length);
        const viable = COMPLETIONS.some((rest) => isIPv6(begun + rest));
        if (reader.push(begun.charCodeAt(length - 1)) !== viable) throw new Error(`${begun}: ${viable}`);
        if (!viable) return;
        if (reader.complete !== isIPv6(begun)) throw new Error(`${begun}: ${reader.complete}`);
        if (reader.complete) expect(plain(reader.text)).toBe(plain(begun));
      }
    }),
    { numRuns: 600 },
  );
});

test("of IPv4 every octet from 0 to 255 is read, and none beyond", () => {
  for (let value = 0; value < 300; value++) {
    const reader = new Ipv4Reader();
    const taken = [...`9.8.7.${value}`].every((char) => reader.push(char.charCodeAt(0)));
    expect(taken && reader.complete).toBe(value <= 255);
    if (taken) expect(reader.text).toBe(`9.8.7.${value}`);
  }
});
