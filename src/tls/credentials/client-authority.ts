/** Reads what client certificates are checked against: authorities (CA) and revocation lists (CRL). */
import { createHash } from "node:crypto";
import { createSecureContext } from "node:tls";
import { type OptionName, TlsError } from "../errors.js";
import type { TlsOptions } from "../options.js";
import type { ClientAuthority } from "./credentials.js";
import { certificatesOf } from "./key-pair.js";
import { foundIn, type Pem, pemBlocks, readPem } from "./pem.js";

/** @throws TlsError */
export function readClientAuthority(
  { ca, crl, clientCerts = ca === undefined ? "none" : "required" }: TlsOptions,
  option: OptionName,
  now: number,
  warnings: string[],
): ClientAuthority {
  if (clientCerts !== "none" && ca === undefined)
    throw new TlsError(`${option("clientCerts")}: is ${clientCerts}, but ${option("ca")} is missing`);
  if (crl !== undefined && clientCerts === "none")
    throw new TlsError(
      `${option("crl")}: has no effect without client certificates: set ${option("clientCerts")} and ${option("ca")}`,
    );
  return {
    clientCerts,
    ca: ca === undefined ? undefined : authorities(readPem(ca, option("ca")), now, warnings),
    crl: crl === undefined ? undefined : revocations(readPem(crl, option("crl"), "X509 CRL")),
  };
}

/** Changes with everything that decides which clients are let in: sessions from before are not resumed after. */
export function sessionContext(
  listener: string,
  { clientCerts, ca = "", crl = "" }: ClientAuthority,
): string {
  const hash = createHash("sha256");
  for (const part of [listener, clientCerts, ca, crl]) hash.update(`${part.length}:${part}`);
  // OpenSSL takes at most 32 bytes.
  return hash.digest("hex").slice(0, 32);
}

function authorities(pem: Pem, now: number, warnings: string[]): string {
  for (const one of certificatesOf(pem))
    if (now > Date.parse(one.validTo))
      warnings.push(
        `${pem.place}: the authority ${JSON.stringify(one.subject.replaceAll("\n", ", "))} has expired on ${one.validTo}`,
      );
  return pemBlocks(pem.text, "CERTIFICATE").join("\n");
}

function revocations(pem: Pem): string {
  const { place } = pem;
  const blocks = pemBlocks(pem.text, "X509 CRL");
  if (blocks.length === 0)
    throw new TlsError(
      `${place}: has no revocation list: expected a block -----BEGIN X509 CRL-----${foundIn(pem)}`,
    );
  try {
    createSecureContext({ crl: blocks });
  } catch {
    throw new TlsError(`${place}: the revocation list is damaged: OpenSSL cannot read it`);
  }
  return blocks.join("\n");
}
