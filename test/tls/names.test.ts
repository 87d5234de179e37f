/** Which certificate is served for a server name, and which contexts are kept. */
import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { readCredentials } from "../../src/tls/credentials/read-credentials.js";
import { alpnBytes } from "../../src/tls/handshake/alpn.js";
import { ListenerTerms } from "../../src/tls/handshake/listener-terms.js";
import { NameTable, namesOf } from "../../src/tls/handshake/names.js";
import { SecureContexts } from "../../src/tls/handshake/secure-contexts.js";
import { TicketKeyRotation } from "../../src/tls/tickets/ticket-keys.js";
import type { PeerCertificate } from "../../src/transport/secure/terms.js";
import { certificatePem } from "../support/certificates/certificates.js";

const credentials = (strictNames = false) =>
  readCredentials(
    {
      ...certificatePem("server"),
      strictNames,
      more: [certificatePem("b.example"), certificatePem("wildcard.example")],
    },
    "main",
    0,
  ).credentials;

test("an exact name comes before a wildcard, and the first of two certificates counts", () => {
  const table = new NameTable([
    ["a.c.example"],
    ["*.c.example", "b.c.example"],
    ["b.c.example", "*.c.example"],
  ]);
  expect(
    ["a.c.example", "b.c.example", "x.c.example", "A.C.EXAMPLE", "a.c.example."].map((n) => table.find(n)),
  ).toEqual([0, 1, 1, 0, 0]);
});

test("a wildcard stands for exactly one label", () => {
  const table = new NameTable([["*.c.example"]]);
  for (const name of ["c.example", "a.b.c.example", ".c.example", "", "*", "example"])
    expect(table.find(name), name).toBeUndefined();
});

test("names that are members of every object are not found", () => {
  expect(new NameTable([["a.example"]]).find("__proto__")).toBeUndefined();
});

test("the names of a certificate are its DNS names", () => {
  expect(namesOf(new X509Certificate(certificatePem("wildcard.example").cert))).toEqual(["*.c.example"]);
  expect(namesOf(new X509Certificate(certificatePem("client").cert))).toEqual(["device-1.example"]);
  expect(namesOf(new X509Certificate(certificatePem("ca").cert))).toEqual(["drover test CA"]);
});

test("contexts are made at first use, kept, and the one least recently used goes first", () => {
  const made: unknown[] = [];
  const contexts = new SecureContexts(credentials(), (context) => made.push(context), 2);
  const first = contexts.take(0);
  expect(contexts.take(0)).toBe(first);
  contexts.take(1);
  contexts.take(0);
  contexts.take(2);
  expect(contexts.size).toBe(2);
  expect(contexts.take(0)).toBe(first);
  expect(made).toHaveLength(3);
  contexts.take(1);
  expect(made).toHaveLength(4);
});

test("an unknown name gets the first certificate, and none with strictNames", () => {
  const keys = new TicketKeyRotation(() => {}).keys;
  const hello = Buffer.from("first message of a client without a ticket");
  const open = new ListenerTerms("main", credentials(), () => keys);
  const first = open.contextOf(hello);
  expect(open.contextFor("b.example")).toBe(open.contextFor("B.EXAMPLE"));
  expect(open.contextFor("x.c.example")).not.toBe(first);
  expect(open.contextFor("unknown.example")).toBe(first);
  const strict = new ListenerTerms("main", credentials(true), () => keys);
  expect(strict.contextFor("unknown.example")).toBeUndefined();
  expect(strict.contextFor("localhost")).toBe(strict.contextOf(hello));
});

test("a client certificate that has expired is refused, also where OpenSSL resumes its session without a look", () => {
  const terms = new ListenerTerms("main", credentials(), () => []);
  const certificate = (validTo: Date) => ({ validTo }) as PeerCertificate;
  expect(terms.refuses(certificate(new Date(Date.now() + 60_000)))).toBeUndefined();
  expect(terms.refuses(certificate(new Date("2021-01-01T00:00:00Z")))).toBe(
    "has expired on 2021-01-01T00:00:00.000Z",
  );
});

test("protocol names are encoded with their length", () => {
  expect(alpnBytes(["resp", "h2"]).toString("latin1")).toBe("\x04resp\x02h2");
  expect(() => alpnBytes([""])).toThrow("tls.alpn: a name has 1 to 255 characters");
});
