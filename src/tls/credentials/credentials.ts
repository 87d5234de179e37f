/**
 * Credentials of a listener: everything that its TLS options name, read and checked. Plain data, so that the primary
 * reads the files, once, and sends it to the workers. Holds private keys: never log, show or publish it.
 */
import type { ClientCerts, TlsVersion } from "../options.js";

/** A certificate that is ready to be served. The key is not encrypted any more. */
export interface KeyPair {
  /** Common name or first DNS name, for metrics and messages. */
  readonly name: string;
  /** Server names that it is served for, in lower case. */
  readonly names: readonly string[];
  /** The chain, as PEM. */
  readonly cert: string;
  /** PKCS#8, as PEM. */
  readonly key: string;
  /** Wall-clock milliseconds at which the leaf ends. */
  readonly validTo: number;
}

/** What client certificates are checked against. */
export interface ClientAuthority {
  readonly clientCerts: ClientCerts;
  /** PEM. */
  readonly ca: string | undefined;
  /** PEM. */
  readonly crl: string | undefined;
}

export interface Credentials extends ClientAuthority {
  /** The first is served for unknown names. */
  readonly pairs: readonly KeyPair[];
  readonly strictNames: boolean;
  readonly minVersion: TlsVersion;
  readonly ciphers: string | undefined;
  readonly alpn: readonly string[];
  /** Changes with everything that decides which clients are let in: sessions from before are not resumed after. */
  readonly sessionContext: string;
}
