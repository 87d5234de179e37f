/**
 * What a TLS handshake needs, and what is known after it: the interface between the transports, which do TLS, and the
 * code that reads certificates and decides which clients are let in.
 */
import type { SecureContext } from "node:tls";

/** Terms of the server's side: those of one listener, read again for each handshake, so that they can be replaced. */
export interface ServerTerms {
  readonly side: "server";
  /** Name of the listener: listeners take turns where many handshakes wait. */
  readonly listener: string;
  /** Context of a client that asks for no name, or where `byName` is false. Its options decide versions and suites. */
  readonly context: SecureContext;
  /**
   * Context with which the handshake of one client begins.
   * @param hello the first message of the client, or its first record
   * @returns one that is equal to `context` for this client. Default: `context`
   */
  contextOf?(hello: Buffer): SecureContext;
  /** Whether `contextFor` is asked; where there is one certificate for all names, asking would only cost. */
  readonly byName: boolean;
  /** @returns the context for the name that a client asks for (SNI); `undefined`: the handshake is refused */
  contextFor(serverName: string): SecureContext | undefined;
  /** Protocol names as in the ALPN extension, each behind its length; `undefined`: the extension is not answered. */
  readonly alpn: Buffer | undefined;
  /** Whether a client certificate is asked for. One that does not verify is refused, also where it is optional. */
  readonly clientCerts: "none" | "optional" | "required";
  /**
   * Looks at a client certificate that has verified, also in a resumed session, where OpenSSL does not look at dates.
   * @returns why it is refused, for the log; `undefined` when it is let in. Default: it is let in
   */
  refuses?(certificate: PeerCertificate): string | undefined;
}

/** Terms of an outgoing connection. Chain and name of the server are always verified. */
export interface ClientTerms {
  readonly side: "client";
  /** With the authorities that are trusted, and the client's own certificate if it has one. */
  readonly context: SecureContext;
  /** Host name or IP address that the server's certificate must be for; a host name is also sent (SNI). */
  readonly serverName: string;
  /** As of `ServerTerms`. */
  readonly alpn: Buffer | undefined;
  /**
   * Session of an earlier connection with the same context and `serverName`, to be resumed: its certificate is not looked
   * at again. Default: none.
   */
  readonly session?: Buffer | undefined;
  /** A session that can be resumed later; may be called more than once, also after the handshake. */
  onSession?(session: Buffer): void;
}

export type SecureTerms = ServerTerms | ClientTerms;

/** @param received the first bytes of the other side, where it speaks first */
export function firstContext(terms: SecureTerms, received: Buffer | undefined): SecureContext {
  if (terms.side === "client" || received === undefined) return terms.context;
  return terms.contextOf?.(received) ?? terms.context;
}

/** Why there is no TLS: the handshake failed, or the other side's certificate is refused. */
export type SecureFailure = "tls_error" | "tls_refused";

/** Certificate of the other side. */
export interface PeerCertificate {
  /** Distinguished name, such as `CN=device-1, O=Acme`. */
  readonly subject: string;
  /** Common name of the subject; empty when it has none. */
  readonly commonName: string;
  /** Subject alternative names with their kind: `DNS:localhost`, `IP Address:127.0.0.1`, `URI:…`, `email:…`. */
  readonly names: readonly string[];
  /** Distinguished name of the issuer. */
  readonly issuer: string;
  /** Hexadecimal, upper case. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate, as pairs of hexadecimal digits with colons. */
  readonly fingerprint256: string;
  readonly validTo: Date;
  /** The certificate in DER. */
  raw(): Buffer;
}

/** A TLS connection, as `conn.tls` shows it. */
export interface TlsInfo {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** The standard's name of the cipher suite, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** Name that the client has asked for (SNI). */
  readonly servername: string | undefined;
  /** Protocol agreed on by ALPN. */
  readonly alpn: string | undefined;
  /** Whether an earlier session was resumed, so that certificates were not sent again. */
  readonly resumed: boolean;
  /** Certificate of the other side, verified; `undefined` when there is none. */
  readonly client: PeerCertificate | undefined;
  /**
   * How the other side has ended its sending: true, as TLS demands it; false by FIN alone, so that an attacker may
   * have cut it off; `undefined` before, and where the transport `stream` does not know.
   */
  readonly closeNotify: boolean | undefined;
}
