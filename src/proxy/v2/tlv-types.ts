/** Types of TLVs: proxy-protocol.txt, section 2.2. */
export const TLV = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  noop: 0x04,
  uniqueId: 0x05,
  ssl: 0x20,
  netns: 0x30,
} as const;

/** Types within the value of `TLV.ssl`. */
export const SSL_TLV = {
  version: 0x21,
  commonName: 0x22,
  cipher: 0x23,
  signatureAlgorithm: 0x24,
  keyAlgorithm: 0x25,
  group: 0x26,
  signatureScheme: 0x27,
  clientCertificate: 0x28,
} as const;

/** Bits of the first byte of `TLV.ssl`. */
export const SSL_CLIENT = { tls: 1, certificateOnConnection: 2, certificateInSession: 4 } as const;

/** Type and length of a TLV, in bytes. */
export const TLV_HEAD = 3;
/** Bytes of `TLV.ssl` before the TLVs inside it: client bits, result of verification. */
export const SSL_HEAD = 5;
export const MAX_UNIQUE_ID = 128;
