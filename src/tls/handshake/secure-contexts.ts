/**
 * Contexts of OpenSSL, made at their first use and kept: one costs 0.3 to 1.4 ms and 30 to 40 KB, so 10,000 at the
 * start would be 3 to 13 s and 300 MB.
 */
import { constants } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { Credentials, KeyPair } from "../credentials/credentials.js";

/** Most contexts that are kept; the one that was used least recently goes first. */
const MAX_CONTEXTS = 1_000;

export class SecureContexts {
  readonly #credentials: Credentials;
  readonly #prepare: (context: SecureContext) => void;
  readonly #most: number;
  /** By index of the certificate, the most recently used last. */
  readonly #kept = new Map<number, SecureContext>();

  /** @param prepare called with each new context */
  constructor(credentials: Credentials, prepare: (context: SecureContext) => void, most = MAX_CONTEXTS) {
    this.#credentials = credentials;
    this.#prepare = prepare;
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** @param at index of the certificate in the credentials */
  take(at: number): SecureContext {
    const kept = this.#kept.get(at);
    if (kept !== undefined) {
      // Only where room is short the order matters.
      if (this.#kept.size >= this.#most) this.#keep(at, kept);
      return kept;
    }
    const context = this.make(at);
    this.#keep(at, context);
    return context;
  }

  /** One more, which is not kept. @param at as of `take` */
  make(at: number): SecureContext {
    const context = createSecureContext(
      contextOptions(this.#credentials, this.#credentials.pairs[at] as KeyPair),
    );
    this.#prepare(context);
    return context;
  }

  get kept(): Iterable<SecureContext> {
    return this.#kept.values();
  }

  #keep(at: number, context: SecureContext): void {
    this.#kept.delete(at);
    this.#kept.set(at, context);
    if (this.#kept.size <= this.#most) return;
    const [oldest] = this.#kept.keys();
    this.#kept.delete(oldest as number);
  }
}

export function contextOptions(credentials: Credentials, { cert, key }: KeyPair): SecureContextOptions {
  const { ca, crl, minVersion, ciphers, sessionContext } = credentials;
  return {
    ...{ cert, key, minVersion, sessionIdContext: sessionContext, honorCipherOrder: true },
    // A ticket lives as long as its key is known: 12 hours as the current one, 12 as the previous one.
    sessionTimeout: 24 * 3_600,
    // A client could have the server compute key exchanges without end (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(ca !== undefined && { ca }),
    ...(crl !== undefined && { crl }),
    ...(ciphers !== undefined && { ciphers }),
  };
}
