/**
 * `sunrm()`: record marking of Sun RPC (RFC 5531, section 11), as Erlang's `{packet, sunrm}`:
 *
 *     ┌─────────────────┬──────────────────────────┬──────────────┐
 *     │ last fragment,  │ length, 31 bits,         │ length bytes │
 *     │ 1 bit           │ unsigned, big-endian     │              │
 *     └─────────────────┴──────────────────────────┴──────────────┘
 *
 * Each fragment is a frame, with its header; the bit says whether it is the last one of the record.
 */

import type { Framing } from "../framing.js";
import { type PacketSizeOptions, packetSizeOf, WholePacket, WholePacketFraming } from "./fixed-header.js";

const HEADER = 4;

/**
 * Framing by the record marks of Sun RPC (RFC 5531), as Erlang's `{packet, sunrm}`. A frame is a fragment with its
 * 4-byte header, received and sent as bytes; the top bit of the header marks the last fragment of a record.
 *
 * A declared length above `packetSize` ends the connection with `frame_too_long`. `conn.send` throws a `FramingError`:
 * `send_too_long` above `packetSize`, `send_invalid` where the header does not declare the length of the frame.
 * @param options `packetSize` in bytes, without header (default 1 MiB)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `packetSize` out of range.
 */
export function sunrm(options: PacketSizeOptions = {}): Framing<Buffer, Uint8Array> {
  return new WholePacketFraming(new SunRm(packetSizeOf("sunrm", options, HEADER)));
}

class SunRm extends WholePacket {
  readonly name = "sunrm";
  readonly headerLength = HEADER;

  protected body(bytes: Uint8Array, at: number): number {
    return ((bytes[at]! & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
}
