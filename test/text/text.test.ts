/** Values as text: addresses, durations, times, counts, and characters that no terminal may obey. */
import { expect, test } from "vitest";
import { addressText } from "../../src/text/address.js";
import { addressGroup } from "../../src/text/address-group.js";
import { clockTime, clockTimeMs } from "../../src/text/clock-time.js";
import { durationText } from "../../src/text/duration.js";
import { escapeControls, escapeJsonControls } from "../../src/text/escape.js";
import { looksLike } from "../../src/text/looks-like.js";
import { plural } from "../../src/text/plural.js";

test("an address is written with its port, IPv6 in brackets, a UNIX socket as its path", () => {
  expect([
    addressText("10.0.0.7", 51_234),
    addressText("::", 2222),
    addressText("/run/drover.sock", 0),
  ]).toEqual(["10.0.0.7:51234", "[::]:2222", "/run/drover.sock"]);
});

test.each([
  ["10.0.0.7", "10.0.0.7"],
  ["/run/drover.sock", "/run/drover.sock"],
  ["2001:db8:0:1:aaaa:bbbb:cccc:dddd", "2001:db8:0:1::/64"],
  ["2001:DB8::1", "2001:db8::/64"],
  ["::1", "::/64"],
  ["fe80::1%eth0", "fe80::/64%eth0"],
  ["64:ff9b::192.0.2.33", "64:ff9b::/64"],
  ["1:2:3::", "1:2:3::/64"],
])("clients at %s are grouped as %s", (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test.each([
  [0, "0s"],
  [59.9, "59s"],
  [60, "1m"],
  [3_599, "59m 59s"],
  [10_920, "3h 2m"],
  [86_400, "1d"],
  [86_460, "1d"],
  [190_000, "2d 4h"],
])("%d seconds are written as %s", (seconds, text) => {
  expect(durationText(seconds * 1000)).toBe(text);
});

test("a duration has as many units as asked for", () => {
  expect(durationText(10_920_000, 1)).toBe("3h");
});

test("a time of day is local", () => {
  const at = new Date(2026, 10, 22, 6, 8, 2, 79).getTime();
  expect([clockTime(at), clockTimeMs(at)]).toEqual(["06:08:02", "06:08:02.079"]);
});

test("one is singular", () => {
  expect([plural(0, "worker"), plural(1, "worker"), plural(2, "worker")]).toEqual([
    "0 workers",
    "1 worker",
    "2 workers",
  ]);
});

const HOSTILE = "a\n\r\t\x1b[2J\x7f\x9b\u2028\u202e\u{e0001}é";

test("unprintable characters are escaped, everything else stays", () => {
  expect(escapeControls(HOSTILE)).toBe("a\\n\\r\\t\\x1b[2J\\x7f\\x9b\\u2028\\u202e\\udb40\\udc01é");
  expect(escapeControls("\ud800")).toBe("\\ud800");
});

test("escaped JSON reads back as the same value, and keeps its lines", () => {
  const json = escapeJsonControls(JSON.stringify({ text: HOSTILE }, null, 2));
  expect(JSON.parse(json)).toEqual({ text: HOSTILE });
  expect(json.split("\n")).toHaveLength(3);
  expect(json).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
});

test.each([
  ["PROXY TCP4 1.2.3.4", "a PROXY header (version 1)"],
  ["\r\n\r\n\0\r\nQUIT\n\x21", "a PROXY header (version 2)"],
  ["\x16\x03\x01", "a TLS handshake"],
  ["GET / HTTP/1.1", "an HTTP request"],
  ["SSH-2.0-x", "an SSH client"],
  ["PROX", undefined],
  ["hello", undefined],
  ["", undefined],
])("%j looks like %s", (bytes, name) => {
  expect(looksLike(Buffer.from(bytes, "latin1"))).toBe(name);
});
