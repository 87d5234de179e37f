/**
 * Terms of outgoing TLS connections. The chain and the name of the server are always verified: there is no option that
 * turns it off; for a server with a certificate of one's own, name its authority (`ca`).
 */
import { constants } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { ClientTerms } from "../transport/secure/terms.js";
import { certificatesOf, readKeyPair } from "./credentials/key-pair.js";
import { readPem } from "./credentials/pem.js";
import { TlsError } from "./errors.js";
import { alpnBytes } from "./handshake/alpn.js";
import type { PemSource, TlsVersion } from "./options.js";

export interface ClientTlsOptions {
  /** Authorities that the server's certificate is verified with. Default: the public ones that Node knows. */
  readonly ca?: PemSource | undefined;
  /** Certificate of this side, for servers that ask for one; with `key`. */
  readonly cert?: PemSource | undefined;
  readonly key?: PemSource | undefined;
  /** File whose first line decrypts the key. */
  readonly passphraseFile?: string | undefined;
  /** Name that the server's certificate must be for, also sent as SNI. Default: the host that is connected to. */
  readonly serverName?: string | undefined;
  /** Protocol names that are offered (ALPN), the preferred first. Default: none. */
  readonly alpn?: readonly string[] | undefined;
  /** Default `TLSv1.2`. */
  readonly minVersion?: TlsVersion | undefined;
}

const KEYS = ["ca", "cert", "key", "passphraseFile", "serverName", "alpn", "minVersion"];

/** A context costs 0.3 to 1.4 ms and 30 to 40 KB: one for each options object, with the last session of each server. */
interface Kept {
  readonly context: SecureContext;
  readonly alpn: Buffer | undefined;
  readonly sessions: Map<string, Buffer>;
}

const kept = new WeakMap<ClientTlsOptions, Kept>();
/** For options without any of their own. */
const PLAIN: ClientTlsOptions = {};
/** Most servers whose sessions are kept for one options object; the oldest goes first. */
const MAX_SESSIONS = 1_000;

/**
 * Files are read once for each options object: pass the same one to connections that share a context.
 * @param serverName name, or IP address, that the server's certificate must be for
 * @returns what makes the terms of one handshake
 * @throws TlsError when a file cannot be read, or certificate and key do not belong together; TypeError for an unknown option
 */
export function clientTerms(options: ClientTlsOptions, serverName: string): () => ClientTerms {
  const own = Object.keys(options).length === 0 ? PLAIN : options;
  let made = kept.get(own);
  if (made === undefined) {
    made = make(own);
    kept.set(own, made);
  }
  const { context, alpn, sessions } = made;
  return () => ({
    side: "client",
    ...{ context, serverName, alpn, session: sessions.get(serverName) },
    onSession(session) {
      sessions.delete(serverName);
      sessions.set(serverName, session);
      if (sessions.size > MAX_SESSIONS) sessions.delete(sessions.keys().next().value as string);
    },
  });
}

function make(options: ClientTlsOptions): Kept {
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw new TypeError(`connect: unknown option "tls.${unknown}"; the options are ${KEYS.join(", ")}`);
  const { ca, cert, key, passphraseFile, alpn, minVersion = "TLSv1.2" } = options;
  const option = (name: string) => `tls.${name}`;
  if ((cert === undefined) !== (key === undefined))
    throw new TlsError(
      `tls.${cert === undefined ? "cert" : "key"}: is missing: a client certificate needs both`,
    );
  const authority = ca === undefined ? undefined : readPem(ca, option("ca"));
  if (authority !== undefined) certificatesOf(authority);
  const own =
    cert === undefined || key === undefined
      ? undefined
      : readKeyPair({ cert, key, ...(passphraseFile !== undefined && { passphraseFile }) }, option, 0, []);
  return {
    context: contextOf({
      ...(authority !== undefined && { ca: authority.text }),
      ...(own !== undefined && { cert: own.cert, key: own.key }),
      minVersion,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    }),
    alpn: alpn && alpnBytes(alpn),
    sessions: new Map(),
  };
}

/** Errors of OpenSSL quote nothing of what they have read. */
function contextOf(options: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw new TlsError(`tls: ${(error as Error).message}`);
  }
}
