/** Encodes PROXY headers, for outgoing connections and tests. */
import { isIPv4, isIPv6 } from "node:net";
import { Ipv4Reader, Ipv6Reader } from "./address-reader.js";
import type { ProxyAddress } from "./header.js";
import { V1_LENGTH } from "./v1/parser-v1.js";
import { crc32c } from "./v2/crc32c.js";
import { encodeTlvs, type TlvsToSend } from "./v2/encode-tlvs.js";
import { SIGNATURE, V2_LENGTH } from "./v2/parser-v2.js";

/** A header to send. */
export interface ProxyHeaderToSend extends TlvsToSend {
  /** Default 2. */
  readonly version?: 1 | 2;
  /** Version 2: the connection is the sender's own (a health check), not a client's. Default false. */
  readonly local?: boolean;
  /**
   * The client. Both ends must be of one kind: TCP over IPv4, over IPv6 (IPv4 is written as mapped beside it), or UNIX
   * sockets (a path with port 0). Without addresses version 1 says UNKNOWN, version 2 UNSPEC.
   */
  readonly source?: ProxyAddress | undefined;
  /** The address that the client connected to. */
  readonly destination?: ProxyAddress | undefined;
  /** Version 2: adds a CRC32c checksum. Default false. */
  readonly crc32c?: boolean;
}

const FIXED = 16;
const UNIX_PATH = 108;

/**
 * Encodes a PROXY header.
 * @throws TypeError when an address is none, a port is not from 0 to 65535, a TLV is too long, or version 1 cannot say it
 */
export function encodeProxyHeader(header: ProxyHeaderToSend): Buffer {
  return header.version === 1 ? encodeV1(header) : encodeV2(header);
}

function encodeV1({ source, destination, local }: ProxyHeaderToSend): Buffer {
  if (source === undefined || destination === undefined || local) return Buffer.from("PROXY UNKNOWN\r\n");
  const family = familyOf(source, destination);
  if (family === "unix") return Buffer.from("PROXY UNKNOWN\r\n");
  const text = (address: string) => (family === "tcp6" && isIPv4(address) ? `::ffff:${address}` : address);
  const addresses = `${text(source.address)} ${text(destination.address)}`;
  const line = `PROXY ${family.toUpperCase()} ${addresses} ${portOf(source)} ${portOf(destination)}\r\n`;
  if (line.length > V1_LENGTH)
    throw new TypeError(`PROXY header: ${line.length} bytes are too many for version 1`);
  return Buffer.from(line, "latin1");
}

function encodeV2(header: ProxyHeaderToSend): Buffer {
  const { source, destination, local = false } = header;
  const known = source !== undefined && destination !== undefined && !local;
  const [code, addresses] = known ? encodeAddresses(source, destination) : ([0, Buffer.alloc(0)] as const);
  const { bytes: tlvs, crcAt } = encodeTlvs(header);
  const length = FIXED + addresses.length + tlvs.length;
  if (length > V2_LENGTH) throw new TypeError(`PROXY header: ${length} bytes, more than ${V2_LENGTH}`);
  const head = Buffer.alloc(4);
  head[0] = local ? 0x20 : 0x21;
  head[1] = code;
  head.writeUInt16BE(length - FIXED, 2);
  const all = Buffer.concat([SIGNATURE, head, addresses, tlvs]);
  if (crcAt !== undefined) all.writeUInt32BE(crc32c(all), FIXED + addresses.length + crcAt);
  return all;
}

function encodeAddresses(
  source: ProxyAddress,
  destination: ProxyAddress,
): readonly [code: number, bytes: Buffer] {
  const family = familyOf(source, destination);
  if (family === "unix") return [0x31, Buffer.concat([pathBytes(source), pathBytes(destination)])];
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(portOf(source), 0);
  ports.writeUInt16BE(portOf(destination), 2);
  const bytes = family === "tcp6" ? ipv6Bytes : ipv4Bytes;
  const both = [bytes(source.address), bytes(destination.address), ports];
  return [family === "tcp6" ? 0x21 : 0x11, Buffer.concat(both)];
}

/** @throws TypeError when the two are no pair */
function familyOf(source: ProxyAddress, destination: ProxyAddress): "tcp4" | "tcp6" | "unix" {
  const both = [source.address, destination.address];
  if (both.every(isIPv4)) return "tcp4";
  if (both.every((address) => isIPv4(address) || isIPv6(address))) return "tcp6";
  if (both.every((address) => address === "" || /^[@/]/.test(address))) return "unix";
  throw new TypeError(
    `PROXY header: ${both.map((one) => JSON.stringify(one)).join(" and ")} are no pair of addresses`,
  );
}

function portOf({ port }: ProxyAddress): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new TypeError(`PROXY header: a port is a whole number from 0 to 65535, got ${port}`);
}

function ipv4Bytes(address: string): Buffer {
  const bytes = Buffer.alloc(4);
  const reader = new Ipv4Reader();
  for (const char of address) reader.push(char.charCodeAt(0));
  bytes.writeUInt32BE(reader.value);
  return bytes;
}

function ipv6Bytes(address: string): Buffer {
  const reader = new Ipv6Reader();
  const text = isIPv4(address) ? `::ffff:${address}` : address;
  // A zone (`%eth0`) means nothing on another machine.
  for (const char of text.replace(/%.*/, "")) reader.push(char.charCodeAt(0));
  const bytes = Buffer.alloc(16);
  for (const [at, group] of reader.groups.entries()) bytes.writeUInt16BE(group, 2 * at);
  return bytes;
}

/** @throws TypeError when it is longer than 108 bytes */
function pathBytes({ address }: ProxyAddress): Buffer {
  const bytes = Buffer.alloc(UNIX_PATH);
  const path = Buffer.from(address.replace(/^@/, "\0"));
  if (path.length > UNIX_PATH)
    throw new TypeError(`PROXY header: the path ${address} is longer than ${UNIX_PATH} bytes`);
  path.copy(bytes);
  return bytes;
}
