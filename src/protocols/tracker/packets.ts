/**
 * Packets of GPS trackers in the manner of the GT06, and the framing that reads and writes them:
 *
 *   78 78 │ length │ type │ content │ serial (2) │ CRC (2) │ 0D 0A       length: from the type to the CRC
 */
import { customFraming, FramingError } from "../../index.js";

export const LOGIN = 0x01;
export const POSITION = 0x12;
export const HEARTBEAT = 0x13;

export interface Packet {
  readonly type: number;
  readonly content: Buffer;
  /** Number that the tracker gives the packet; the answer repeats it. */
  readonly serial: number;
}

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1;
  return crc;
});

/** CRC-16/X-25, "CRC-ITU" in the manuals of trackers. */
export function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) crc = (crc >> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
  return crc ^ 0xffff;
}

/** What may be wrong with bytes that are no packet. */
export const FAULTS = ["start", "length", "end", "crc"] as const;
type Fault = (typeof FAULTS)[number];

export const faultOf = (error: Error): Fault => error.message as Fault;

function wrong(fault: Fault): never {
  throw new FramingError("frame_invalid", fault);
}

function decode(bytes: Buffer) {
  if (bytes[0] !== 0x78 || (bytes.length > 1 && bytes[1] !== 0x78)) wrong("start");
  if (bytes.length < 3) return 3;
  const declared = bytes[2] as number;
  if (declared < 5) wrong("length");
  const length = declared + 5;
  if (bytes.length < length) return length;
  if (bytes.readUInt16BE(length - 2) !== 0x0d0a) wrong("end");
  if (bytes.readUInt16BE(length - 4) !== crcOf(bytes.subarray(2, length - 4))) wrong("crc");
  const frame: Packet = {
    type: bytes[3] as number,
    content: bytes.subarray(4, length - 6),
    serial: bytes.readUInt16BE(length - 6),
  };
  return { frame, length };
}

function encode({ type, content, serial }: Packet): Buffer {
  if (content.length > 250)
    throw new FramingError("send_invalid", "a packet has at most 250 bytes of content");
  const bytes = Buffer.alloc(content.length + 10);
  bytes.set([0x78, 0x78, content.length + 5, type]);
  bytes.set(content, 4);
  bytes.writeUInt16BE(serial, content.length + 4);
  bytes.writeUInt16BE(crcOf(bytes.subarray(2, content.length + 6)), content.length + 6);
  bytes.writeUInt16BE(0x0d0a, content.length + 8);
  return bytes;
}

export const framing = customFraming<Packet>({ name: "tracker", decode, encode, maxLength: 260 });

/** 15 digits in 8 bytes, two in each, with a 0 before. */
export function imeiOf({ content }: Packet): string | undefined {
  const digits = content.toString("hex", 0, 8).slice(1);
  return /^\d{15}$/.test(digits) ? digits : undefined;
}

export interface Position {
  readonly at: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly kmh: number;
  readonly course: number;
}

/** Time in 6 bytes, satellites, latitude and longitude in 1/30,000 minutes, speed, and course with its flags. */
export function positionOf({ content }: Packet): Position | undefined {
  if (content.length < 18) return undefined;
  const [year, month, day, hour, minute, second] = content as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const time = Date.UTC(2000 + year, month - 1, day, hour, minute, second);
  const flags = content.readUInt16BE(16);
  const latitude = (content.readUInt32BE(7) / 1_800_000) * (flags & 0x0400 ? 1 : -1);
  const longitude = (content.readUInt32BE(11) / 1_800_000) * (flags & 0x0800 ? -1 : 1);
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return {
    at: new Date(time).toISOString(),
    latitude,
    longitude,
    kmh: content[15] as number,
    course: flags & 0x3ff,
  };
}
