/**
 * Address of a peer, kept in little memory. It is asked for when a connection is accepted, because after a reset the
 * kernel no longer knows it: for IPv4 one number of 16 bytes, where an object with a text would take 90.
 */
import type { Peer } from "./transport.js";

/** An IPv4 address and port as one number below 2^48, or the peer itself. */
export type PackedPeer = number | Peer;

export const NO_PEER: Peer = Object.freeze({ address: "", port: 0 });

const MAPPED = "::ffff:";

/** What a socket bound to `::` calls an IPv4 client, in the form of IPv4: one form everywhere. */
export function plainAddress(address: string): string {
  return address.startsWith(MAPPED) && address.includes(".") ? address.slice(MAPPED.length) : address;
}

export function packPeer(address: string, port: number): PackedPeer {
  const plain = plainAddress(address);
  if (plain.includes(":")) return { address: plain, port };
  let packed = 0;
  let byte = 0;
  for (let at = 0; at < plain.length; at++) {
    const code = plain.charCodeAt(at);
    if (code === 46) {
      packed = packed * 256 + byte;
      byte = 0;
    } else byte = byte * 10 + code - 48;
  }
  return (packed * 256 + byte) * 65536 + port;
}

export function unpackPeer(peer: PackedPeer): Peer {
  if (typeof peer !== "number") return peer;
  const port = peer % 65536;
  const address = (peer - port) / 65536;
  return {
    address: [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join("."),
    port,
  };
}
