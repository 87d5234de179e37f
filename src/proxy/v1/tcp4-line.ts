/**
 * A whole line of version 1 for IPv4, which is nearly every one: read by one regular expression, in a fifth of the time
 * that the byte-by-byte parser takes. Anything else is left to that: pieces, other lines, errors.
 */
import { ProxyHeader } from "../header.js";

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ADDRESS = `(${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET})`;
const PORT = "(0|[1-9]\\d{0,4})";
const LINE = new RegExp(`^PROXY TCP4 ${ADDRESS} ${ADDRESS} ${PORT} ${PORT}\r\n$`);
/** Bytes of the longest one. */
const LENGTH = 56;
const LF = 0x0a;

/** @returns the length of the line and its header; `undefined` when it is not such a line */
export function readTcp4Line(
  bytes: Uint8Array,
  from: number,
  to: number,
): { readonly length: number; readonly header: ProxyHeader } | undefined {
  const most = Math.min(to, from + LENGTH);
  let end = from;
  while (end < most && bytes[end] !== LF) end++;
  if (end === most) return undefined;
  const length = end + 1 - from;
  const found = LINE.exec(Buffer.from(bytes.buffer, bytes.byteOffset + from, length).toString("latin1"));
  if (found === null) return undefined;
  const [sourcePort, destinationPort] = [Number(found[3]), Number(found[4])];
  if (sourcePort > 65_535 || destinationPort > 65_535) return undefined;
  const source = { address: found[1] as string, port: sourcePort };
  const destination = { address: found[2] as string, port: destinationPort };
  const header = new ProxyHeader({
    version: 1,
    local: false,
    family: "tcp4",
    source,
    destination,
    tlvs: undefined,
  });
  return { length, header };
}
