/**
 * `asn1()`: ASN.1 values in basic encoding rules (ITU-T X.690), as Erlang's `{packet, asn1}`; LDAP and SNMP over TCP:
 *
 *     ┌──────────────┬───────────────────────────────────────────┬──────────────┐
 *     │ tag, 1 byte, │ length: 1 byte below 128, or 1 byte with  │ length bytes │
 *     │ or several   │ a count of 1 to 4 and so many bytes of it │              │
 *     └──────────────┴───────────────────────────────────────────┴──────────────┘
 *
 * As in Erlang, the indefinite length (0x80) is read as 0: the contents follow as further frames.
 */

import { BufferView } from "../buffer-view.js";
import { declaredTooLong, frameInvalid } from "../errors.js";
import type { Framing } from "../framing.js";
import type { FrameRule } from "../measured-decoder.js";
import { type PacketSizeOptions, packetSizeOf, WholePacketFraming } from "./fixed-header.js";

/** Low five bits of a tag that continues in further bytes, of which the last has no top bit. */
const LONG_TAG = 0x1f;
/** A tag in use has at most 6 bytes; the bound keeps a partial header from growing. */
const LONGEST_TAG = 256;
const LONGEST_HEADER = LONGEST_TAG + 5;

/**
 * Framing of ASN.1 values in BER (X.690), as Erlang's `{packet, asn1}`; for LDAP, SNMP over TCP and the like. A frame
 * is a whole value, tag and length included, received and sent as bytes.
 *
 * A length in more than 4 bytes or a tag in more than 256 ends the connection with `frame_invalid`, a declared length
 * above `packetSize` with `frame_too_long`. `conn.send` throws a `FramingError`: `send_too_long` above `packetSize`,
 * `send_invalid` where tag and length do not declare the length of the frame.
 * @param options `packetSize` in bytes, without tag and length (default 1 MiB)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `packetSize` out of range.
 */
export function asn1(options: PacketSizeOptions = {}): Framing<Buffer, Uint8Array> {
  return new WholePacketFraming(new Asn1(packetSizeOf("asn1", options, LONGEST_HEADER)));
}

class Asn1 implements FrameRule<Buffer> {
  readonly name = "asn1";
  readonly views = "frame";
  readonly last = -1;
  readonly packetSize: number;
  readonly maxTotal: number;

  constructor(packetSize: number) {
    this.packetSize = packetSize;
    this.maxTotal = LONGEST_HEADER + packetSize;
  }

  measure(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < 2) return end - at - 2;
    let length = at + 1;
    if ((bytes[at]! & LONG_TAG) === LONG_TAG) {
      while (length < end && bytes[length]! >= 0x80) length++;
      if (length - at > LONGEST_TAG)
        throw frameInvalid(this.name, `a tag has more than ${LONGEST_TAG} bytes`);
      length++;
    }
    if (length >= end) return end - length - 1;
    const first = bytes[length]!;
    if (first < 0x80) return this.total(length + 1 - at, first);
    const count = first & 0x7f;
    const missing = length + 1 + count - end;
    if (count > 4) {
      // As Erlang: the verdict comes when the whole length has.
      if (missing > 0) return -missing;
      throw frameInvalid(this.name, `a length has ${count} bytes, and more than 4 are not supported`);
    }
    if (missing > 0) return -missing;
    let value = 0;
    for (let i = 1; i <= count; i++) value = value * 256 + bytes[length + i]!;
    return this.total(length + 1 + count - at, value);
  }

  private total(header: number, length: number): number {
    if (length > this.packetSize) throw declaredTooLong(this.name, length, this.packetSize, "packetSize");
    return header + length;
  }

  frame(_bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): Buffer {
    return new BufferView(memory, base + at, total);
  }
}
