/** Words for failed handshakes: what is wrong, from OpenSSL's code. */
import type { SecureFailure } from "./terms.js";

export interface Failure {
  readonly reason: SecureFailure;
  readonly message: string;
  readonly code: string;
}

const TEXTS: Readonly<Record<string, string>> = {
  ERR_SSL_HTTP_REQUEST: "a plain HTTP request came where TLS is expected",
  ERR_SSL_HTTPS_PROXY_REQUEST: "a plain HTTP CONNECT request came where TLS is expected",
  ERR_SSL_WRONG_VERSION_NUMBER: "the bytes are not TLS, or of a version older than SSL 3.0",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the other side offers no TLS version that is allowed here",
  ERR_SSL_NO_SHARED_CIPHER: "the other side offers no cipher suite that is allowed here",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "the client offers no application protocol (ALPN) of this listener",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "the client has sent no certificate",
};

/** Code of a server name for which there is no certificate. */
export const UNKNOWN_NAME = "UNKNOWN_NAME";

export const unknownName = (name: string | undefined): string =>
  `there is no certificate for the name ${JSON.stringify(name)}`;

/** Alerts of the other side; OpenSSL puts the version before their names. */
const ALERT = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_(\w+)$/;

export function failureOf(error: NodeJS.ErrnoException & { readonly reason?: string }): Failure {
  const { code = "ERR_SSL", reason = error.message } = error;
  return { reason: isRefusal(code) ? "tls_refused" : "tls_error", message: textOf(code, reason), code };
}

function isRefusal(code: string): boolean {
  return code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE";
}

function textOf(code: string, reason: string): string {
  const alert = ALERT.exec(code)?.[1];
  if (alert) return `the other side has ended the handshake: alert ${alert.toLowerCase()}`;
  return TEXTS[code] ?? reason;
}
