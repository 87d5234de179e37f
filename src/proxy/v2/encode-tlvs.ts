/** Encodes the TLVs of a PROXY header, version 2. */
import { MAX_UNIQUE_ID, SSL_CLIENT, SSL_TLV, TLV } from "./tlv-types.js";
import type { SslInfo } from "./tlvs.js";

/** TLVs to send; those of version 2 only. */
export interface TlvsToSend {
  readonly alpn?: string | undefined;
  readonly authority?: string | undefined;
  /** At most 128 bytes. */
  readonly uniqueId?: Uint8Array | string | undefined;
  readonly netns?: string | undefined;
  readonly ssl?: Partial<SslInfo> | undefined;
  /** Any others: type (0 to 255) and value. */
  readonly tlvs?: Iterable<readonly [type: number, value: Uint8Array | string]> | undefined;
  readonly crc32c?: boolean;
}

/** @returns the TLVs, and the offset of the checksum's value in them. @throws TypeError when one is too long */
export function encodeTlvs(from: TlvsToSend): { readonly bytes: Buffer; readonly crcAt: number | undefined } {
  const parts: Buffer[] = [];
  const add = (type: number, value: Uint8Array | string | undefined) => {
    if (value !== undefined) parts.push(tlv(type, Buffer.from(value as string)));
  };
  add(TLV.alpn, from.alpn);
  add(TLV.authority, from.authority);
  if (from.uniqueId !== undefined && Buffer.byteLength(from.uniqueId) > MAX_UNIQUE_ID)
    throw new TypeError(`PROXY header: a unique id has at most ${MAX_UNIQUE_ID} bytes`);
  add(TLV.uniqueId, from.uniqueId);
  if (from.ssl !== undefined) parts.push(tlv(TLV.ssl, sslValue(from.ssl)));
  add(TLV.netns, from.netns);
  for (const [type, value] of from.tlvs ?? []) add(type, value);
  const before = Buffer.concat(parts);
  if (!from.crc32c) return { bytes: before, crcAt: undefined };
  return { bytes: Buffer.concat([before, tlv(TLV.crc32c, Buffer.alloc(4))]), crcAt: before.length + 3 };
}

function tlv(type: number, value: Buffer): Buffer {
  if (!Number.isInteger(type) || type < 0 || type > 255)
    throw new TypeError(`PROXY header: the type of a TLV is a whole number from 0 to 255, got ${type}`);
  if (value.length > 65_535)
    throw new TypeError(`PROXY header: TLV ${type} has ${value.length} bytes, more than 65535`);
  const head = Buffer.from([type, value.length >> 8, value.length & 255]);
  return Buffer.concat([head, value]);
}

function sslValue(ssl: Partial<SslInfo>): Buffer {
  const { tls = true, certificateOnConnection = false, certificateInSession = false, verified = false } = ssl;
  const bits =
    (tls ? SSL_CLIENT.tls : 0) |
    (certificateOnConnection ? SSL_CLIENT.certificateOnConnection : 0) |
    (certificateInSession ? SSL_CLIENT.certificateInSession : 0);
  const inner = Object.entries(SSL_TLV).flatMap(([name, type]) => {
    const value = ssl[name as keyof typeof SSL_TLV];
    return value === undefined ? [] : [tlv(type, Buffer.from(value as string))];
  });
  return Buffer.concat([Buffer.from([bits, 0, 0, 0, verified ? 0 : 1]), ...inner]);
}
