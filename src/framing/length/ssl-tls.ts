/**
 * `sslTls()`: records of SSL 3.0 and TLS (RFC 8446, section 5.1), as Erlang's `{packet, ssl_tls}`; for what looks into
 * TLS without ending it, such as a router by server name:
 *
 *     ┌──────┬────────────────┬─────────────────────┬──────────────┐
 *     │ type │ version,       │ length, 2 bytes,    │ length bytes │
 *     │      │ major and minor│ unsigned, big-endian│              │
 *     └──────┴────────────────┴─────────────────────┴──────────────┘
 *
 * A client hello of SSL 2.0 (top bit of the first byte set, third byte 1) is read as a handshake record, as in Erlang.
 */

import { BufferView } from "../buffer-view.js";
import { frameInvalid, sendInvalid, sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { MeasuredDecoder } from "../measured-decoder.js";
import { onlyBytes } from "../payload.js";
import { FixedHeader, type PacketSizeOptions, packetSizeOf } from "./fixed-header.js";

/** A record: content type (22 handshake, 23 application data, …), version as major and minor number, and content. */
export interface TlsRecord {
  readonly type: number;
  readonly version: readonly [major: number, minor: number];
  readonly data: Uint8Array;
}

/** A received record: its content is a Buffer. */
export interface ReceivedTlsRecord extends TlsRecord {
  readonly data: Buffer;
}

const HEADER = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;

/**
 * Framing of SSL and TLS records, as Erlang's `{packet, ssl_tls}`. A frame is `{ type, version: [major, minor], data }`,
 * received and sent, without the 5-byte header. The records stay encrypted: to serve TLS, configure the listener.
 *
 * A declared length above `packetSize` ends the connection with `frame_too_long`, an SSL 2.0 hello too short for its
 * header with `frame_invalid`. `conn.send` throws a `FramingError`: `send_too_long` above `packetSize`, `send_invalid`
 * for any other value.
 * @param options `packetSize` in bytes, without header (default 65,535, what the header can declare)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for `packetSize` out of range.
 */
export function sslTls(options: PacketSizeOptions = {}): Framing<ReceivedTlsRecord, TlsRecord> {
  return new SslTlsFraming(new SslTls(packetSizeOf("ssl_tls", options, HEADER, 0xffff)));
}

class SslTlsFraming implements Framing<ReceivedTlsRecord, TlsRecord> {
  readonly name = "ssl_tls";
  readonly reusable = true;
  private readonly rule: SslTls;

  constructor(rule: SslTls) {
    this.rule = rule;
  }

  decoder(): MeasuredDecoder<ReceivedTlsRecord> {
    return new MeasuredDecoder(this.rule);
  }

  encodedLength(record: TlsRecord): number {
    const numbers = [record?.type, record?.version?.[0], record?.version?.[1]];
    if (!numbers.every(isByte)) {
      throw sendInvalid(
        this.name,
        "a record is { type, version: [major, minor], data }, numbers from 0 to 255",
      );
    }
    const { length } = onlyBytes(this.name, record.data);
    if (length > this.rule.packetSize) throw sendTooLong(this.name, length, this.rule.packetSize);
    if (record.type >= 0x80 && record.version[1] === CLIENT_HELLO) {
      throw sendInvalid(this.name, `type ${record.type}, minor version 1 would be read as an SSL 2.0 hello`);
    }
    return HEADER + length;
  }

  encodeInto(record: TlsRecord, target: Buffer, offset: number): number {
    const { length } = record.data;
    target[offset] = record.type;
    target[offset + 1] = record.version[0];
    target[offset + 2] = record.version[1];
    target[offset + 3] = length >>> 8;
    target[offset + 4] = length & 0xff;
    target.set(record.data, offset + HEADER);
    return offset + HEADER + length;
  }
}

function isByte(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xff;
}

class SslTls extends FixedHeader<ReceivedTlsRecord> {
  readonly name = "ssl_tls";
  override readonly views = "inside";
  readonly headerLength = HEADER;

  protected body(bytes: Uint8Array, at: number): number {
    if (!isSsl2(bytes, at)) return (bytes[at + 3]! << 8) | bytes[at + 4]!;
    const length = ((bytes[at]! & 0x7f) << 8) | bytes[at + 1]!;
    // The header of 5 bytes reaches 3 bytes into the message, whose own header has 2.
    if (length < 3)
      throw frameInvalid(this.name, `an SSL 2.0 hello declares ${length} bytes, and has at least 3`);
    return length - 3;
  }

  frame(bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): ReceivedTlsRecord {
    if (isSsl2(bytes, at)) return ssl2Hello(bytes, at, total);
    const data = new BufferView(memory, base + at + HEADER, total - HEADER);
    return { type: bytes[at]!, version: [bytes[at + 1]!, bytes[at + 2]!], data };
  }
}

function isSsl2(bytes: Uint8Array, at: number): boolean {
  return bytes[at]! >= 0x80 && bytes[at + 2] === CLIENT_HELLO;
}

/** As a TLS handshake message: type 1, the length in 3 bytes, then the hello from its version on. */
function ssl2Hello(bytes: Buffer, at: number, total: number): ReceivedTlsRecord {
  const length = total - 3;
  const data = Buffer.allocUnsafe(4 + length);
  data.writeUInt32BE(((CLIENT_HELLO << 24) | length) >>> 0, 0);
  bytes.copy(data, 4, at + 3, at + total);
  return { type: HANDSHAKE, version: [bytes[at + 3]!, bytes[at + 4]!], data };
}
