/** Bytes that cannot be a PROXY header. The connection ends as `proxy_error`. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
}

/** A byte as text: `"A" (0x41)`, `0x0a`. */
export function byteText(byte: number): string {
  const hex = `0x${byte.toString(16).padStart(2, "0")}`;
  return byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}" (${hex})` : hex;
}
