/** Names what the first bytes of a connection look like, for messages about bytes that are not what was expected. */

const BEGINNINGS: readonly (readonly [beginning: string, name: string])[] = [
  ["PROXY ", "a PROXY header (version 1)"],
  ["\r\n\r\n\0\r\nQUIT\n", "a PROXY header (version 2)"],
  ["\x16\x03", "a TLS handshake"],
  ...[
    "GET ",
    "POST ",
    "HEAD ",
    "PUT ",
    "DELETE ",
    "OPTIONS ",
    "PATCH ",
    "CONNECT ",
    "TRACE ",
    "PRI * HTTP/2",
  ].map((method) => [method, "an HTTP request"] as const),
  ["SSH-", "an SSH client"],
];

/** Bytes that `looksLike` needs to see. */
export const LOOKED_AT = 12;

/** @returns `a TLS handshake`, `an HTTP request` …; `undefined` for anything else */
export function looksLike(bytes: Uint8Array): string | undefined {
  const begun = (text: string): boolean => {
    if (bytes.length < text.length) return false;
    for (let at = 0; at < text.length; at++) if (bytes[at] !== text.charCodeAt(at)) return false;
    return true;
  };
  return BEGINNINGS.find(([text]) => begun(text))?.[1];
}
