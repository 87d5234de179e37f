/** Reads the TLVs of a header whose structure the parser has checked. */
import { SSL_CLIENT, SSL_HEAD, SSL_TLV, TLV, TLV_HEAD } from "./tlv-types.js";

/** TLS between client and proxy. */
export interface SslInfo {
  /** The client connected by TLS. */
  readonly tls: boolean;
  /** The client presented a certificate on this connection. */
  readonly certificateOnConnection: boolean;
  /** The client presented a certificate at least once in the TLS session. */
  readonly certificateInSession: boolean;
  /** The client presented a certificate, and the proxy verified it. */
  readonly verified: boolean;
  /** `TLSv1.3`. */
  readonly version: string | undefined;
  readonly cipher: string | undefined;
  /** Common name of the client's certificate. */
  readonly commonName: string | undefined;
  /** Of the proxy's certificate: `RSA-SHA256`, `RSA2048`. */
  readonly signatureAlgorithm: string | undefined;
  readonly keyAlgorithm: string | undefined;
  /** Key exchange: `x25519`. */
  readonly group: string | undefined;
  readonly signatureScheme: string | undefined;
  /** The client's certificate, DER. */
  readonly clientCertificate: Buffer | undefined;
}

export interface Tlvs {
  readonly values: ReadonlyMap<number, Buffer>;
  readonly alpn: string | undefined;
  readonly authority: string | undefined;
  readonly uniqueId: Buffer | undefined;
  readonly netns: string | undefined;
  readonly ssl: SslInfo | undefined;
}

export function readTlvs(bytes: Uint8Array | undefined): Tlvs {
  const values = bytes === undefined ? new Map<number, Buffer>() : valuesOf(bytes);
  return {
    values,
    alpn: values.get(TLV.alpn)?.toString("latin1"),
    authority: values.get(TLV.authority)?.toString(),
    uniqueId: values.get(TLV.uniqueId),
    netns: values.get(TLV.netns)?.toString("latin1"),
    ssl: sslOf(values.get(TLV.ssl)),
  };
}

/** Of a type that is given twice, the first: a sender in front of another one appends. */
function valuesOf(bytes: Uint8Array): Map<number, Buffer> {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Map<number, Buffer>();
  for (let at = 0; at < all.length; ) {
    const type = all[at] as number;
    const end = at + TLV_HEAD + all.readUInt16BE(at + 1);
    if (!values.has(type)) values.set(type, all.subarray(at + TLV_HEAD, end));
    at = end;
  }
  return values;
}

function sslOf(value: Buffer | undefined): SslInfo | undefined {
  if (value === undefined) return undefined;
  const client = value[0] as number;
  const inner = valuesOf(value.subarray(SSL_HEAD));
  const text = (type: number) => inner.get(type)?.toString("latin1");
  const certificateOnConnection = (client & SSL_CLIENT.certificateOnConnection) !== 0;
  const certificateInSession = (client & SSL_CLIENT.certificateInSession) !== 0;
  return {
    tls: (client & SSL_CLIENT.tls) !== 0,
    certificateOnConnection,
    certificateInSession,
    // 0 also means that no certificate was asked for: HAProxy sends it then.
    verified: (certificateOnConnection || certificateInSession) && value.readUInt32BE(1) === 0,
    version: text(SSL_TLV.version),
    cipher: text(SSL_TLV.cipher),
    commonName: inner.get(SSL_TLV.commonName)?.toString(),
    signatureAlgorithm: text(SSL_TLV.signatureAlgorithm),
    keyAlgorithm: text(SSL_TLV.keyAlgorithm),
    group: text(SSL_TLV.group),
    signatureScheme: text(SSL_TLV.signatureScheme),
    clientCertificate: inner.get(SSL_TLV.clientCertificate),
  };
}
