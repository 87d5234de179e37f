/**
 * `cdr()`: GIOP messages of CORBA (OMG, Common Object Request Broker Architecture, part 2, section 9.4), as Erlang's
 * `{packet, cdr}`:
 *
 *     ┌────────┬─────────┬───────┬──────┬────────────────┬──────────────┐
 *     │ "GIOP" │ version │ flags │ type │ length, 4      │ length bytes │
 *     │        │ 2 bytes │       │      │ bytes, unsigned│              │
 *     └────────┴─────────┴───────┴──────┴────────────────┴──────────────┘
 *
 * Bit 0 of the flags gives the byte order of the length: 0 big-endian, 1 little-endian.
 */

import { frameInvalid } from "../errors.js";
import type { Framing } from "../framing.js";
import { type PacketSizeOptions, packetSizeOf, WholePacket, WholePacketFraming } from "./fixed-header.js";

const HEADER = 12;
const MAGIC = [0x47, 0x49, 0x4f, 0x50] as const;

/**
 * Framing of GIOP messages (CORBA), as Erlang's `{packet, cdr}`. A frame is a message with its 12-byte header,
 * received and sent as bytes.
 *
 * A header that does not begin with "GIOP" ends the connection with `frame_invalid`, a declared length above
 * `packetSize` with `frame_too_long`. `conn.send` throws a `FramingError`: `send_too_long` above `packetSize`,
 * `send_invalid` where the header does not declare the length of the frame.
 * @param options `packetSize` in bytes, without header (default 1 MiB)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `packetSize` out of range.
 */
export function cdr(options: PacketSizeOptions = {}): Framing<Buffer, Uint8Array> {
  return new WholePacketFraming(new Cdr(packetSizeOf("cdr", options, HEADER)));
}

class Cdr extends WholePacket {
  readonly name = "cdr";
  readonly headerLength = HEADER;

  protected body(bytes: Uint8Array, at: number): number {
    for (let i = 0; i < MAGIC.length; i++) {
      if (bytes[at + i] !== MAGIC[i]) throw frameInvalid(this.name, 'the header does not begin with "GIOP"');
    }
    const little = (bytes[at + 6]! & 1) === 1;
    const [first, step] = little ? [at + 11, -1] : [at + 8, 1];
    let length = 0;
    for (let i = 0; i < 4; i++) length = length * 256 + bytes[first + i * step]!;
    return length;
  }
}
