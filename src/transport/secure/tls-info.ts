/** What a connection shows of its TLS. Made when it is asked for: a certificate costs 50 us to parse. */
import { X509Certificate } from "node:crypto";
import type { PeerCertificate, TlsInfo } from "./terms.js";
import type { LegacyCertificate, TlsSession } from "./tls-binding.js";

/** @param closeNotify how the other side has ended, asked at each access */
export function tlsInfo(session: TlsSession, closeNotify: () => boolean | undefined): TlsInfo {
  const { name = "", standardName = name } = session.getCipher() ?? {};
  return {
    protocol: session.getProtocol() ?? "",
    cipher: standardName,
    servername: session.getServername() || undefined,
    alpn: session.getALPNNegotiatedProtocol() || undefined,
    resumed: session.isSessionReused(),
    client: peerCertificate(session),
    get closeNotify() {
      return closeNotify();
    },
  };
}

/** @returns `undefined` when the other side has sent none */
export function peerCertificate(session: TlsSession): PeerCertificate | undefined {
  const legacy = session.getPeerCertificate(true);
  return legacy?.raw === undefined ? undefined : certificateOf(legacy, legacy.raw);
}

function certificateOf({ subject }: LegacyCertificate, der: Buffer): PeerCertificate {
  const parsed = new X509Certificate(der);
  return {
    subject: nameText(parsed.subject),
    commonName: first(subject?.CN),
    names: altNames(parsed.subjectAltName ?? ""),
    issuer: nameText(parsed.issuer),
    serialNumber: parsed.serialNumber,
    fingerprint256: parsed.fingerprint256,
    validTo: new Date(parsed.validTo),
    raw: () => Buffer.from(der),
  };
}

/** Distinguished name in one line. Node escapes line breaks within the parts. */
function nameText(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}

function first(value: string | readonly string[] | undefined): string {
  return (typeof value === "string" ? value : value?.[0]) ?? "";
}

/** `DNS:a.example, IP Address:127.0.0.1`; a name with a comma or a quote in it is a JSON string: `DNS:"a, b"`. */
export function altNames(text: string): string[] {
  const names: string[] = [];
  for (const [, kind, quoted, plain] of text.matchAll(/\s*([^:,]+):(?:("(?:[^"\\]|\\.)*")|([^,]*)),?/g))
    names.push(`${kind}:${quoted === undefined ? plain : (JSON.parse(quoted) as string)}`);
  return names;
}
