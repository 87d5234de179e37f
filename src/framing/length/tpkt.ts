/**
 * `tpkt()`: ISO transport over TCP (RFC 1006 and RFC 2126), as Erlang's `{packet, tpkt}`:
 *
 *     ┌───────────┬──────────┬─────────────────────────┬──────────────────┐
 *     │ version 3 │ reserved │ length, 2 bytes,        │ length - 4 bytes │
 *     │           │          │ big-endian, with header │                  │
 *     └───────────┴──────────┴─────────────────────────┴──────────────────┘
 */

import { frameInvalid } from "../errors.js";
import type { Framing } from "../framing.js";
import { type PacketSizeOptions, packetSizeOf, WholePacket, WholePacketFraming } from "./fixed-header.js";

const HEADER = 4;
const VERSION = 3;

/**
 * Framing of TPKT packets (RFC 1006), as Erlang's `{packet, tpkt}`. A frame is a packet with its 4-byte header,
 * received and sent as bytes.
 *
 * A version other than 3 or a length below 4 ends the connection with `frame_invalid`, a declared length above
 * `packetSize` with `frame_too_long`. `conn.send` throws a `FramingError`: `send_too_long` above `packetSize`,
 * `send_invalid` where the header does not declare the length of the frame.
 * @param options `packetSize` in bytes, without header (default 65,531, what the header can declare)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `packetSize` out of range.
 */
export function tpkt(options: PacketSizeOptions = {}): Framing<Buffer, Uint8Array> {
  return new WholePacketFraming(new Tpkt(packetSizeOf("tpkt", options, HEADER, 0xffff - HEADER)));
}

class Tpkt extends WholePacket {
  readonly name = "tpkt";
  readonly headerLength = HEADER;

  protected body(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== VERSION) throw frameInvalid(this.name, `the version is ${bytes[at]}, not ${VERSION}`);
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (length < HEADER)
      throw frameInvalid(this.name, `the packet declares ${length} bytes, its header has 4`);
    return length - HEADER;
  }
}
