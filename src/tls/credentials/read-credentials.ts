/** Reads and checks all files that the TLS options of a listener name. */
import { createSecureContext } from "node:tls";
import { type OptionName, TlsError } from "../errors.js";
import { alpnBytes } from "../handshake/alpn.js";
import { contextOptions } from "../handshake/secure-contexts.js";
import { MAX_CERTIFICATES, type TlsOptions } from "../options.js";
import { readClientAuthority, sessionContext } from "./client-authority.js";
import type { Credentials, KeyPair } from "./credentials.js";
import { readKeyPair } from "./key-pair.js";
import { placeOf } from "./pem.js";

/** A context costs 1 ms: of thousands of certificates the first ones are tried at the start, the others at their first use. */
const CHECKED = 100;

export interface ReadCredentials {
  readonly credentials: Credentials;
  /** One line each: what is served, but should not be so. */
  readonly warnings: readonly string[];
}

/**
 * Reads and checks all files. Nothing of a set with a mistake is used.
 * @param listener its name
 * @param now wall-clock milliseconds
 * @param option names an option in messages
 * @throws TlsError
 */
export function readCredentials(
  options: TlsOptions,
  listener: string,
  now: number,
  option: OptionName = (name) => `tls.${name}`,
): ReadCredentials {
  const { more = [], alpn = [], ciphers, minVersion = "TLSv1.2", strictNames = false } = options;
  const warnings: string[] = [];
  if (more.length >= MAX_CERTIFICATES)
    throw new TlsError(
      `${option("more")}: has ${more.length} certificates, at most ${MAX_CERTIFICATES - 1} are allowed`,
    );
  alpnBytes(alpn, option);
  const first = readKeyPair(options, option, now, warnings);
  const pairs = [
    first,
    ...more.map((one, at) => readKeyPair(one, (name) => option(`more[${at}].${name}`), now, warnings)),
  ];
  const authority = readClientAuthority(options, option, now, warnings);
  const credentials: Credentials = {
    ...{ ...authority, pairs, strictNames, minVersion, ciphers, alpn },
    sessionContext: sessionContext(listener, authority),
  };
  for (const [at, pair] of pairs.slice(0, CHECKED).entries()) {
    const [source, name] = at === 0 ? [options, "cert"] : [more[at - 1], `more[${at - 1}].cert`];
    checkContext(credentials, pair, placeOf((source as TlsOptions).cert, option(name)), option);
  }
  return { credentials, warnings };
}

/** OpenSSL refuses keys that are too short for its security level, and unknown cipher suites, only here. */
function checkContext(credentials: Credentials, pair: KeyPair, place: string, option: OptionName): void {
  try {
    createSecureContext(contextOptions(credentials, pair));
  } catch (error) {
    const { code = "", reason = code } = error as NodeJS.ErrnoException & { reason?: string };
    const about = /CIPHER/.test(code) ? `${option("ciphers")}: no such cipher suite` : place;
    throw new TlsError(`${about}: refused by OpenSSL: ${reason}`);
  }
}
