/** Which senders of a PROXY header are believed. */
import { expect, test } from "vitest";
import { everywhereIn, networkMistake, TrustedNetworks } from "../../src/proxy/trusted-networks.js";

test("networks, addresses and UNIX sockets are trusted, and nothing else", () => {
  const networks = new TrustedNetworks(["10.0.0.0/8", "192.0.2.7", "fd00::/8", "2001:db8::1"]);
  const trusted = ["10.0.0.0", "10.255.255.255", "192.0.2.7", "fdff::1", "2001:db8::1", "10.1.2.3"];
  const others = ["11.0.0.0", "192.0.2.8", "fe80::1", "2001:db8::2", "::1", "/run/x.sock", "@x", ""];
  for (let again = 0; again < 2; again++) {
    expect(trusted.filter((one) => !networks.trusts(one))).toEqual([]);
    expect(others.filter((one) => networks.trusts(one))).toEqual([]);
  }
});

test("`unix` trusts UNIX sockets, but not a peer whose address was lost", () => {
  const networks = new TrustedNetworks(["unix"]);
  expect(["/run/x.sock", "@x", "", "127.0.0.1"].map((one) => networks.trusts(one))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("a network of all addresses is told", () => {
  expect(everywhereIn(["10.0.0.0/8", "0.0.0.0/0", "::/0", "unix", "10.0.0.0/10"])).toEqual([
    "0.0.0.0/0",
    "::/0",
  ]);
});

test("verdicts are kept in bounded memory", () => {
  const networks = new TrustedNetworks(["10.0.0.0/8"]);
  for (let n = 0; n < 3_000; n++) expect(networks.trusts(`11.0.${n >> 8}.${n & 255}`)).toBe(false);
  expect(networks.trusts("10.0.0.1")).toBe(true);
});

test.each([
  "10.0.0.0/33",
  "10.0.0/8",
  "fd00::/129",
  "host.example",
  "10.0.0.0/8/8",
  "fe80::1%eth0",
  "",
  "10.0.0.0/",
  7,
  null,
])("%j is refused", (entry) => {
  expect(networkMistake(entry)).toMatch(
    /^expected a network such as "10\.0\.0\.0\/8", an address, or "unix", got/,
  );
  expect(() => new TrustedNetworks([entry as string])).toThrow(TypeError);
});
