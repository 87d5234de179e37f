/** Where things stand in a header of version 2, and what its addresses say. */
import { ipv4Text, ipv6Text } from "../address-text.js";
import { type ProxyAddress, type ProxyFamily, ProxyHeader } from "../header.js";
import { ProxyError } from "../proxy-error.js";

export interface V2Layout {
  readonly local: boolean;
  readonly family: ProxyFamily;
  /** Bytes of the whole header. */
  readonly length: number;
  /** Offset of the first TLV; `length` where the rest is skipped. */
  readonly tlvsAt: number;
}

const FIXED = 16;
const UNIX_PATH = 108;

/** By the 14th byte: family and transport. All others that are valid are `unspecified`. */
const FAMILIES: Readonly<Record<number, ProxyFamily>> = {
  17: "tcp4",
  18: "udp4",
  33: "tcp6",
  34: "udp6",
  49: "unix_stream",
  50: "unix_dgram",
};
/** Bytes of the addresses. */
const SIZES: Readonly<Record<ProxyFamily, number>> = {
  tcp4: 12,
  udp4: 12,
  tcp6: 36,
  udp6: 36,
  unix_stream: 2 * UNIX_PATH,
  unix_dgram: 2 * UNIX_PATH,
  unspecified: 0,
};

/** @throws ProxyError when the announced length is too short for the addresses */
export function layoutOf(bytes: Uint8Array, start: number): V2Layout {
  const local = bytes[start + 12] === 0x20;
  const code = bytes[start + 13] as number;
  const family = local ? "unspecified" : (FAMILIES[code] ?? "unspecified");
  const length = FIXED + (bytes[start + 14] as number) * 256 + (bytes[start + 15] as number);
  const tlvsAt = FIXED + SIZES[family];
  if (tlvsAt > length)
    throw new ProxyError(
      `wrong PROXY header, version 2: ${length - FIXED} bytes are too few for the addresses of ${family}`,
    );
  // LOCAL is ignored whole. Without family or transport it is not known where addresses end and TLVs begin.
  return { local, family, length, tlvsAt: family === "unspecified" ? length : tlvsAt };
}

/** The header, in memory of its own. */
export function headerOf(bytes: Uint8Array, start: number, layout: V2Layout): ProxyHeader {
  const { local, family, length, tlvsAt } = layout;
  const [source, destination] = addressesOf(bytes, start + FIXED, family);
  const tlvs = tlvsAt < length ? new Uint8Array(bytes.subarray(start + tlvsAt, start + length)) : undefined;
  return new ProxyHeader({ version: 2, local, family, source, destination, tlvs });
}

function addressesOf(
  bytes: Uint8Array,
  at: number,
  family: ProxyFamily,
): readonly [ProxyAddress?, ProxyAddress?] {
  const word = (offset: number) => (bytes[at + offset] as number) * 256 + (bytes[at + offset + 1] as number);
  switch (family) {
    case "tcp4":
    case "udp4":
      return [
        { address: ipv4Text(word(0) * 65_536 + word(2)), port: word(8) },
        { address: ipv4Text(word(4) * 65_536 + word(6)), port: word(10) },
      ];
    case "tcp6":
    case "udp6":
      return [
        { address: ipv6Text(groupsAt(word, 0)), port: word(32) },
        { address: ipv6Text(groupsAt(word, 16)), port: word(34) },
      ];
    case "unix_stream":
    case "unix_dgram":
      return [
        { address: pathAt(bytes, at), port: 0 },
        { address: pathAt(bytes, at + UNIX_PATH), port: 0 },
      ];
    default:
      return [];
  }
}

function groupsAt(word: (offset: number) => number, at: number): number[] {
  const groups: number[] = [];
  for (let group = 0; group < 8; group++) groups.push(word(at + 2 * group));
  return groups;
}

/** A path, padded with zeros; an abstract name begins with one, written `@` as everywhere. */
function pathAt(bytes: Uint8Array, at: number): string {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset + at, UNIX_PATH);
  const from = all[0] === 0 ? 1 : 0;
  const end = all.indexOf(0, from);
  const text = all.toString("utf8", from, end === -1 ? UNIX_PATH : end);
  return from === 1 && text !== "" ? `@${text}` : text;
}
