/** Reading of certificates and keys: what is refused, and in which words. */
import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCredentials } from "../../src/tls/credentials/read-credentials.js";
import type { TlsOptions } from "../../src/tls/options.js";
import { certificateFile, certificateFiles, certificatePem } from "../support/certificates/certificates.js";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "drover-tls-"));

/** A copy of a file that only this user may read, as a key should be. */
function secret(name: string): string {
  const copy = join(folder, name);
  copyFileSync(certificateFile(name), copy);
  chmodSync(copy, 0o600);
  return copy;
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const cert = certificateFile("server.crt");
const key = secret("server.key");
const read = (options: Partial<TlsOptions>) => readCredentials({ cert, key, ...options }, "main", NOW);
const refusal = (options: Partial<TlsOptions>) => {
  try {
    read(options);
  } catch (error) {
    const { name, message } = error as Error;
    expect(name).toBe("TlsError");
    expect(message).not.toContain("\n");
    return message;
  }
  return "accepted";
};

test("files, PEM text and buffers are read alike", () => {
  const pem = certificatePem("server");
  const fromFiles = read({}).credentials;
  expect(read({ cert: pem.cert, key: Buffer.from(pem.key) }).credentials).toEqual(fromFiles);
  expect(fromFiles.pairs).toMatchObject([
    { name: "localhost", names: ["localhost"], validTo: Date.parse("2119-12-31T23:59:59Z") },
  ]);
  expect(read({}).warnings).toEqual([]);
});

test("a file that is missing, a directory, not PEM or DER is named with its option", () => {
  expect(refusal({ cert: "/nowhere/a.crt" })).toBe("tls.cert: /nowhere/a.crt: no such file");
  expect(refusal({ key: folder })).toBe(`tls.key: ${folder}: is a directory, expected a file`);
  const text = file("text", "hello\n");
  expect(refusal({ cert: text })).toBe(
    `tls.cert: ${text}: not PEM: expected a line such as -----BEGIN CERTIFICATE-----`,
  );
  const der = Buffer.from(certificatePem("server").cert.split("\n").slice(1, -2).join(""), "base64");
  expect(refusal({ cert: file("der", der) })).toContain("it looks like DER: convert it with openssl x509");
  expect(refusal({ cert: key })).toBe(
    `tls.cert: ${key}: has no certificate: expected a block -----BEGIN CERTIFICATE-----, found -----BEGIN PRIVATE KEY-----`,
  );
  expect(refusal({ key: cert })).toBe(
    `tls.key: ${cert}: has no private key: expected a block -----BEGIN PRIVATE KEY-----, found -----BEGIN CERTIFICATE-----`,
  );
});

test("a file that only other programs read is refused with its kind", () => {
  const { key: pem, cert: chain } = certificatePem("server");
  const sec1 = createPrivateKey(pem).export({ type: "sec1", format: "der" });
  expect(refusal({ key: file("sec1.der", sec1) })).toContain("it looks like DER: convert it with");
  // A sequence of 1,399 bytes with the version first.
  const pkcs12 = Buffer.concat([Buffer.from([0x30, 0x82, 5, 0x77, 2, 1, 3]), Buffer.alloc(1396, 0xff)]);
  expect(refusal({ cert: file("a.pfx", pkcs12) })).toContain(
    "it looks like PKCS#12: convert it with openssl pkcs12 -nodes",
  );
  const ssh = file("ssh.key", pem.replaceAll("PRIVATE KEY", "OPENSSH PRIVATE KEY"));
  expect(refusal({ key: ssh })).toContain(`tls.key: ${ssh}: is an OpenSSH key`);
  const crl = file("none.pem", "\n");
  expect(refusal({ ca: certificateFile("ca.crt"), crl })).toBe(
    `tls.crl: ${crl}: is empty: expected a line such as -----BEGIN X509 CRL-----`,
  );
  const cutOff = file("cut.crt", chain + chain.slice(0, 200));
  expect(refusal({ cert: cutOff })).toBe(
    `tls.cert: ${cutOff}: a block -----BEGIN CERTIFICATE----- has no -----END CERTIFICATE-----: the file is cut off`,
  );
});

test("a FIFO and a device are refused unread: waiting for their end would stop the primary", () => {
  const fifo = join(folder, "fifo.pem");
  execFileSync("mkfifo", [fifo]);
  for (const path of [fifo, "/dev/zero", "/dev/null"])
    expect(refusal({ cert: path })).toBe(
      `tls.cert: ${path}: is not a regular file, as it must be to be read again at a reload`,
    );
});

test("a certificate that OpenSSL does not serve is refused, also a further one", () => {
  const weak = { cert: certificateFile("weak.crt"), key: secret("weak.key") };
  expect(refusal(weak)).toBe(`tls.cert: ${weak.cert}: refused by OpenSSL: ee key too small`);
  expect(refusal({ more: [certificateFiles("a.example"), weak] })).toBe(
    `tls.more[1].cert: ${weak.cert}: refused by OpenSSL: ee key too small`,
  );
});

test("damaged PEM is refused without a byte of it", () => {
  const pem = readFileSync(key, "utf8");
  const damaged = file("damaged.key", pem.replace("MIGH", "AAAA"));
  expect(refusal({ key: damaged })).toBe(
    `tls.key: ${damaged}: the private key is damaged: OpenSSL cannot read it`,
  );
  const half = file("half.crt", readFileSync(cert, "utf8").replace("MII", "MAA"));
  expect(refusal({ cert: half })).toBe(
    `tls.cert: ${half}: certificate 1 of 1 is damaged: OpenSSL cannot read it`,
  );
});

test("a key of another certificate is refused, and names both files", () => {
  const other = secret("server-renewed.key");
  expect(refusal({ key: other })).toBe(`tls.key: ${other}: is not the key of the certificate in ${cert}`);
});

test("an encrypted key needs its passphrase", () => {
  const encrypted = secret("server-encrypted.key");
  const passphraseFile = secret("passphrase");
  expect(refusal({ key: encrypted })).toBe(
    `tls.key: ${encrypted}: the private key is encrypted: set tls.passphraseFile to a file with its passphrase`,
  );
  const wrong = file("wrong", "guess\n");
  expect(refusal({ key: encrypted, passphraseFile: wrong })).toBe(
    `tls.key: ${encrypted}: the passphrase in ${wrong} does not decrypt it`,
  );
  expect(refusal({ key: encrypted, passphraseFile: file("empty", "") })).toContain("is empty");
  const { pairs } = read({ key: encrypted, passphraseFile }).credentials;
  expect(pairs[0]?.key).toContain("-----BEGIN PRIVATE KEY-----");
});

test("expired certificates and keys that every user may read are served with a warning", () => {
  const expired = { cert: certificateFile("server-expired.crt"), key: secret("server-expired.key") };
  chmodSync(expired.key, 0o644);
  expect(read(expired).warnings).toEqual([
    `tls.key: ${expired.key}: every user may read this private key: chmod o-rwx ${expired.key}`,
    `tls.cert: ${expired.cert}: the certificate of "CN=localhost, O=drover test" has expired on Jan  1 00:00:00 2021 GMT: renew it`,
  ]);
});

test("a chain begins with the server's certificate", () => {
  const [own, ca] = [readFileSync(cert, "utf8"), readFileSync(certificateFile("ca.crt"), "utf8")];
  expect(read({ cert: own + ca }).credentials.pairs[0]?.cert.match(/BEGIN/g)).toHaveLength(2);
  expect(refusal({ cert: ca + own })).toContain("tls.cert: the chain is out of order");
});

test("further certificates have the names in them, or those that are given", () => {
  const more = ["b.example", "wildcard.example"] as const;
  const { pairs } = read({
    more: [
      ...more.map((name) => certificateFiles(name)),
      { ...certificateFiles("a.example"), names: ["A.Example", "*.A.example"] },
    ],
  }).credentials;
  expect(pairs.map(({ names }) => names)).toEqual([
    ["localhost"],
    ["b.example"],
    ["*.c.example"],
    ["a.example", "*.a.example"],
  ]);
  expect(refusal({ more: [{ cert, key: "/nowhere" }] })).toBe("tls.more[0].key: /nowhere: no such file");
});

test("client certificates need an authority, and are required with one", () => {
  const ca = certificateFile("ca.crt");
  const crl = certificateFile("crl.pem");
  expect(read({ ca, crl }).credentials).toMatchObject({ clientCerts: "required" });
  expect(read({ ca, clientCerts: "optional" }).credentials).toMatchObject({ clientCerts: "optional" });
  expect(refusal({ clientCerts: "required" })).toBe("tls.clientCerts: is required, but tls.ca is missing");
  expect(refusal({ crl })).toContain("tls.crl: has no effect without client certificates");
  expect(refusal({ ca, crl: ca })).toBe(
    `tls.crl: ${ca}: has no revocation list: expected a block -----BEGIN X509 CRL-----, found -----BEGIN CERTIFICATE-----`,
  );
});

test("the session context follows everything that decides which clients are let in", () => {
  const ca = certificateFile("ca.crt");
  const contexts = [
    {},
    { ca },
    { ca, clientCerts: "optional" },
    { ca: certificateFile("rogue-ca.crt") },
    { ca, crl: certificateFile("crl.pem") },
    { ca, crl: certificateFile("crl-empty.pem") },
  ].map((options) => read(options as Partial<TlsOptions>).credentials.sessionContext);
  expect(new Set(contexts).size).toBe(contexts.length);
  expect(read(certificateFiles("server-renewed")).credentials.sessionContext).toBe(contexts[0]);
  expect(readCredentials({ cert, key }, "other", NOW).credentials.sessionContext).not.toBe(contexts[0]);
});

test("unknown cipher suites are refused", () => {
  expect(refusal({ ciphers: "NO-SUCH" })).toBe(
    "tls.ciphers: no such cipher suite: refused by OpenSSL: no cipher match",
  );
});
