/** Options of TLS for a listener, as written in `serve({ tls })` or under `tls` in a configuration file. */

/**
 * PEM text, or where it is: a string that begins with `-----BEGIN` and a Buffer are PEM, any other string is the path
 * of a file.
 */
export type PemSource = string | Buffer;

/** A certificate chain, leaf first, and the private key of the leaf. */
export interface KeyPairOptions {
  readonly cert: PemSource;
  readonly key: PemSource;
  /** File whose first line decrypts the key. Default: none, and an encrypted key is refused. */
  readonly passphraseFile?: string | undefined;
}

/** A further certificate, chosen by the server name that a client asks for (SNI). */
export interface NamedKeyPairOptions extends KeyPairOptions {
  /** `b.example` or `*.c.example`. Default: the DNS names in the certificate. */
  readonly names?: readonly string[] | undefined;
}

export interface TlsOptions extends KeyPairOptions {
  /**
   * `at_once`: a connection begins with the handshake. `by_protocol`: it begins in clear, until a handler returns
   * `next(state, startTls())`, as for SMTP's STARTTLS. Default `at_once`.
   */
  readonly start?: TlsStart | undefined;
  /** Further certificates, at most 10,000. A name that none has gets the first certificate. */
  readonly more?: readonly NamedKeyPairOptions[] | undefined;
  /** Closes connections that ask for a name that no certificate has. Default false. */
  readonly strictNames?: boolean | undefined;
  /** Authorities of client certificates. Default: none. */
  readonly ca?: PemSource | undefined;
  /** Certificates that their authority has revoked. Default: none. */
  readonly crl?: PemSource | undefined;
  /** Whether clients are asked for a certificate, and may have none. Default `required` with `ca`, else `none`. */
  readonly clientCerts?: ClientCerts | undefined;
  /** Default `TLSv1.2`. */
  readonly minVersion?: TlsVersion | undefined;
  /** Cipher suites in OpenSSL's notation; the server's order counts. Default: Node's. */
  readonly ciphers?: string | undefined;
  /**
   * File with the keys of session tickets, 48 bytes each, the first encrypts: for several machines behind one address.
   * Default: keys that the server makes and replaces every 12 hours.
   */
  readonly ticketKeys?: string | undefined;
  /** Names of protocols that are agreed on (ALPN), the preferred first. Default: those of `alpn` of the listener. */
  readonly alpn?: readonly string[] | undefined;
}

export type ClientCerts = "none" | "optional" | "required";

export type TlsStart = "at_once" | "by_protocol";

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** Most certificates of one listener. */
export const MAX_CERTIFICATES = 10_000;
