/** Whether the other side's certificate is accepted. OpenSSL has verified the chain; nothing was acted upon yet. */
import { checkServerIdentity, type PeerCertificate as NodeCertificate } from "node:tls";
import type { ClientTerms, SecureTerms, ServerTerms } from "./terms.js";
import type { TlsSession } from "./tls-binding.js";
import { peerCertificate } from "./tls-info.js";

export interface Refusal {
  /** For the log: one line. */
  readonly message: string;
  readonly code: string;
}

/** @returns `undefined` when it is accepted */
export function refusalOf(session: TlsSession, terms: SecureTerms): Refusal | undefined {
  return terms.side === "server" ? refusedClient(session, terms) : refusedServer(session, terms);
}

function refusedClient(session: TlsSession, terms: ServerTerms): Refusal | undefined {
  if (terms.clientCerts === "none") return undefined;
  const certificate = peerCertificate(session);
  if (certificate === undefined) {
    // OpenSSL has refused it already.
    if (terms.clientCerts === "optional") return undefined;
    return { message: "the client has sent no certificate", code: "NO_CERTIFICATE" };
  }
  const error = session.verifyError();
  const whose = `the client's certificate (${certificate.subject || "no subject"})`;
  if (error) return { message: `${whose}: ${error.message}`, code: error.code ?? "UNVERIFIED" };
  const why = terms.refuses?.(certificate);
  return why === undefined ? undefined : { message: `${whose}: ${why}`, code: "CERT_REFUSED" };
}

function refusedServer(session: TlsSession, { serverName }: ClientTerms): Refusal | undefined {
  const error = session.verifyError();
  if (error)
    return { message: `the server's certificate: ${error.message}`, code: error.code ?? "UNVERIFIED" };
  // The name was checked when the session was made, for these terms; the certificate is not sent again.
  if (session.isSessionReused()) return undefined;
  const certificate = session.getPeerCertificate(true) ?? {};
  const mismatch = checkServerIdentity(serverName, certificate as NodeCertificate);
  return (
    mismatch && {
      message: `the server's certificate: ${mismatch.message}`,
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    }
  );
}
