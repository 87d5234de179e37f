/** Reads a certificate chain and its key, and checks that they fit. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { type OptionName, TlsError } from "../errors.js";
import { namesOf } from "../handshake/names.js";
import type { NamedKeyPairOptions } from "../options.js";
import type { KeyPair } from "./credentials.js";
import { foundIn, type Pem, pemBlocks, readPassphrase, readPem } from "./pem.js";

/**
 * @param now wall-clock milliseconds
 * @param warnings gets one line for each thing that is served, but should not be so
 * @throws TlsError
 */
export function readKeyPair(
  options: NamedKeyPairOptions,
  option: OptionName,
  now: number,
  warnings: string[],
): KeyPair {
  const cert = readPem(options.cert, option("cert"));
  const key = readPem(options.key, option("key"), "PRIVATE KEY");
  const leaf = leafOf(cert);
  const privateKey = privateKeyOf(key, options.passphraseFile, option);
  if (!leaf.checkPrivateKey(privateKey))
    throw new TlsError(`${key.place}: is not the key of the certificate in ${cert.file ?? cert.place}`, true);
  if (key.mode & 0o007)
    warnings.push(`${key.place}: every user may read this private key: chmod o-rwx ${key.file}`);
  const validTo = Date.parse(leaf.validTo);
  warnAboutDates(cert, leaf, now, warnings);
  const names = (options.names ?? namesOf(leaf)).map((name) => name.toLowerCase());
  return {
    name: /^CN=(.+)$/m.exec(leaf.subject)?.[1] ?? names[0] ?? leaf.serialNumber,
    names,
    cert: pemBlocks(cert.text, "CERTIFICATE").join("\n"),
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    validTo,
  };
}

/** @throws TlsError when there is no certificate */
export function certificatesOf(pem: Pem): X509Certificate[] {
  const { place } = pem;
  const blocks = pemBlocks(pem.text, "CERTIFICATE");
  if (blocks.length === 0)
    throw new TlsError(
      `${place}: has no certificate: expected a block -----BEGIN CERTIFICATE-----${foundIn(pem)}`,
    );
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new TlsError(
        `${place}: certificate ${at + 1} of ${blocks.length} is damaged: OpenSSL cannot read it`,
      );
    }
  });
}

function leafOf(cert: Pem): X509Certificate {
  const [leaf, ...chain] = certificatesOf(cert) as [X509Certificate, ...X509Certificate[]];
  let issued = leaf;
  for (const issuer of chain) {
    if (!issued.checkIssued(issuer))
      throw new TlsError(
        `${cert.place}: the chain is out of order: ${nameOf(issuer)} is not the issuer of ${nameOf(issued)}: ` +
          "put the server's certificate first, then each issuer",
      );
    issued = issuer;
  }
  return leaf;
}

function nameOf({ subject }: X509Certificate): string {
  return JSON.stringify(subject.replaceAll("\n", ", "));
}

function privateKeyOf(key: Pem, passphraseFile: string | undefined, option: OptionName): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key.text))
    throw new TlsError(
      `${key.place}: has no private key: expected a block -----BEGIN PRIVATE KEY-----${foundIn(key)}`,
    );
  if (key.text.includes("-----BEGIN OPENSSH PRIVATE KEY-----"))
    throw new TlsError(
      `${key.place}: is an OpenSSH key, which TLS does not read: convert a copy with ssh-keygen -p -m PKCS8 -f`,
    );
  const encrypted = /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(key.text);
  if (encrypted && passphraseFile === undefined)
    throw new TlsError(
      `${key.place}: the private key is encrypted: set ${option("passphraseFile")} to a file with its passphrase`,
    );
  const passphrase = encrypted
    ? readPassphrase(passphraseFile as string, option("passphraseFile"))
    : undefined;
  try {
    return createPrivateKey({ key: key.text, ...(passphrase !== undefined && { passphrase }) });
  } catch {
    // OpenSSL's message may quote the input.
    throw new TlsError(
      encrypted
        ? `${key.place}: the passphrase in ${passphraseFile} does not decrypt it`
        : `${key.place}: the private key is damaged: OpenSSL cannot read it`,
    );
  }
}

function warnAboutDates(cert: Pem, leaf: X509Certificate, now: number, warnings: string[]): void {
  if (now > Date.parse(leaf.validTo))
    warnings.push(
      `${cert.place}: the certificate of ${nameOf(leaf)} has expired on ${leaf.validTo}: renew it`,
    );
  if (now < Date.parse(leaf.validFrom))
    warnings.push(`${cert.place}: the certificate of ${nameOf(leaf)} is not valid before ${leaf.validFrom}`);
}
