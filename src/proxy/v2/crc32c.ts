/** CRC-32C (Castagnoli) of RFC 4960, appendix B: the checksum that a PROXY header may carry. */

const TABLE = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  TABLE[byte] = crc;
}

/**
 * Checksum of `bytes[from..to)`, with the four bytes at `zeroed` taken for zeros: those of the checksum itself.
 * @returns an unsigned 32-bit number
 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length, zeroed = Infinity): number {
  let crc = 0xffffffff;
  for (let at = from; at < to; at++) {
    const byte = at >= zeroed && at < zeroed + 4 ? 0 : (bytes[at] as number);
    crc = (TABLE[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
