/**
 * `packet(1 | 2 | 4)`: length-prefixed frames, as Erlang's `{packet, 1 | 2 | 4}`:
 *
 *     ┌────────────────────────────┬───────────────┐
 *     │ length, 1, 2 or 4 bytes,   │ length bytes  │
 *     │ unsigned, big-endian       │ of the frame  │
 *     └────────────────────────────┴───────────────┘
 *
 * The length does not include the header. The header is added on sending and removed on receiving. Frames of
 * length 0 are valid.
 */

import { BufferView, type ReusedBuffer } from "./buffer-view.js";
import type { BorrowingDecoder, FrameMemory, Framing } from "./framing.js";
import { FramingError } from "./framing.js";
import { checkMaxLength, checkOptions } from "./options.js";
import { EMPTY, pushedTooEarly, reserve } from "./partial-frame.js";
import { type Payload, payloadLength, writePayload } from "./payload.js";

export type HeaderLength = 1 | 2 | 4;

export interface PacketOptions {
  /**
   * Maximum length of a frame in bytes, without header, received and sent.
   * Default: 255 for packet(1), 65,535 for packet(2), 1,048,576 (1 MiB) for packet(4).
   */
  maxLength?: number;
}

/** Maximum length per header. For 4 bytes it is Erlang's limit (2^31 - 1), so that no sent frame is refused there. */
const CEILING = { 1: 0xff, 2: 0xffff, 4: 0x7fff_ffff } as const;
const DEFAULT = { 1: CEILING[1], 2: CEILING[2], 4: 1_048_576 } as const;

/**
 * Framing by a big-endian length of 1, 2 or 4 bytes before each frame, as Erlang's `{packet, N}`. Received frames are
 * Buffers; a Buffer, a Uint8Array or a string (sent as UTF-8) can be sent. A received length above `maxLength` ends
 * the connection with `frame_too_long` as soon as the header is complete: nothing is allocated for it.
 *
 * `conn.send` throws a `FramingError`: `send_too_long` above `maxLength`, `send_invalid` for any other value.
 * @param bytes length of the header in bytes: 1, 2 or 4
 * @param options `maxLength` in bytes (default 255, 65,535 or 1 MiB, by header)
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for `bytes` or `maxLength` out
 * of range.
 */
export function packet(bytes: HeaderLength, options: PacketOptions = {}): Framing<Buffer, Payload> {
  if (typeof bytes !== "number") throw new TypeError(`packet: ${HEADERS}, not ${typeof bytes}`);
  if (bytes !== 1 && bytes !== 2 && bytes !== 4) throw new RangeError(`packet(${bytes}): ${HEADERS}`);
  const name = nameOf(bytes);
  checkOptions(name, options, ["maxLength"]);
  const wanted = options.maxLength;
  const possible = Math.min(Number(wanted), CEILING[4]);
  const instead = `packet(${smallestFor(possible)}, { maxLength: ${possible} })`;
  return new PacketFraming(bytes, checkMaxLength(name, wanted, DEFAULT[bytes], CEILING[bytes], instead));
}

const EMPTY_MEMORY = EMPTY.buffer;
const HEADERS = "a header has 1, 2 or 4 bytes; write packet(1), packet(2) or packet(4)";

class PacketFraming implements Framing<Buffer, Payload> {
  readonly name: string;
  readonly reusable = true;
  private readonly headerLength: HeaderLength;
  private readonly maxLength: number;

  constructor(headerLength: HeaderLength, maxLength: number) {
    this.name = nameOf(headerLength);
    this.headerLength = headerLength;
    this.maxLength = maxLength;
  }

  decoder(): PacketDecoder {
    return new PacketDecoder(this.headerLength, this.maxLength);
  }

  encodedLength(frame: Payload): number {
    const length = payloadLength(this.name, frame);
    if (length > this.maxLength) throw sendTooLong(this.headerLength, length, this.maxLength);
    return this.headerLength + length;
  }

  encodeInto(frame: Payload, target: Buffer, offset: number): number {
    const start = offset + this.headerLength;
    // The payload first: the length of a string in bytes is known once it is written.
    const end = writePayload(frame, target, start);
    this.writeHeader(end - start, target, offset);
    return end;
  }

  encodeHead(frame: Uint8Array, target: Buffer, offset: number): number {
    this.writeHeader(frame.length, target, offset);
    return offset + this.headerLength;
  }

  private writeHeader(length: number, target: Buffer, offset: number): void {
    let rest = length;
    for (let at = offset + this.headerLength - 1; at >= offset; at--) {
      target[at] = rest & 0xff;
      rest >>>= 8;
    }
  }
}

/**
 * Two paths. A frame that is complete in the chunk becomes a view of the chunk. Any other frame is assembled: its
 * header in a number, which needs no memory however slowly it arrives, its bytes in a buffer that grows with what is
 * received and becomes the frame itself.
 */
export class PacketDecoder implements BorrowingDecoder<Buffer> {
  private readonly headerLength: HeaderLength;
  private readonly maxLength: number;
  private chunk: Buffer;
  /** ArrayBuffer of the chunk, and the chunk's offset in it. */
  private memory: ArrayBufferLike;
  private base: number;
  /** Offset in the chunk of the next unread byte, and end of the chunk. */
  private at: number;
  private end: number;
  /** For a borrowed chunk: its buffer, and the memory for what must outlive it. */
  private source: ReusedBuffer | undefined;
  private frameMemory: FrameMemory | undefined;
  /** The frame being assembled: header bytes read, length so far, payload buffer, payload bytes in it. */
  private headerSeen: number;
  private length: number;
  private own: Buffer;
  private filled: number;
  /** Scratch buffer of `frameMemory` in which the current frame is assembled, or the last one was. */
  private scratch: Buffer | undefined;

  constructor(headerLength: HeaderLength, maxLength: number) {
    this.headerLength = headerLength;
    this.maxLength = maxLength;
    this.chunk = EMPTY;
    this.memory = EMPTY_MEMORY;
    this.base = 0;
    this.at = 0;
    this.end = 0;
    this.source = undefined;
    this.frameMemory = undefined;
    this.headerSeen = 0;
    this.length = 0;
    this.own = EMPTY;
    this.filled = 0;
    this.scratch = undefined;
  }

  get buffered(): number {
    return this.headerSeen + this.filled + this.end - this.at;
  }

  get needed(): number | undefined {
    return this.headerSeen === this.headerLength ? this.headerLength + this.length : undefined;
  }

  rest(): Buffer {
    const { headerSeen, filled, at, end } = this;
    if (headerSeen === 0) return this.chunk.subarray(at, end);
    const bytes = Buffer.allocUnsafeSlow(this.buffered);
    // An incomplete header: `length` has the bytes read so far.
    bytes.writeUIntBE(this.length, 0, headerSeen);
    this.own.copy(bytes, headerSeen, 0, filled);
    this.chunk.copy(bytes, headerSeen + filled, at, end);
    return bytes;
  }

  push(chunk: Buffer): void {
    this.setInput(chunk, chunk.buffer, chunk.byteOffset, chunk.length);
    this.source = this.frameMemory = undefined;
  }

  pushBorrowed(source: ReusedBuffer, length: number, frameMemory: FrameMemory): void {
    this.setInput(source.buffer, source.memory, source.offset, length);
    this.source = source;
    this.frameMemory = frameMemory;
  }

  private setInput(chunk: Buffer, memory: ArrayBufferLike, base: number, length: number): void {
    if (this.at !== this.end) throw pushedTooEarly(nameOf(this.headerLength));
    this.setChunk(chunk, memory, base);
    this.at = 0;
    this.end = length;
  }

  private setChunk(chunk: Buffer, memory: ArrayBufferLike, base: number): void {
    this.chunk = chunk;
    this.memory = memory;
    this.base = base;
  }

  copyRest(frameMemory: FrameMemory): void {
    const { source } = this;
    this.source = this.frameMemory = undefined;
    if (!source || this.at === this.end) return;
    const length = this.end - this.at;
    this.at = frameMemory.copyIn(source, this.at, length);
    this.setChunk(frameMemory.buffer, frameMemory.memory, 0);
    this.end = this.at + length;
  }

  pull(): Buffer | undefined {
    const { chunk, at, headerLength } = this;
    const start = at + headerLength;
    if (this.headerSeen !== 0 || start > this.end) return this.assemble();
    // By index: readUInt16BE and its like check their arguments once more and cost a call each.
    let length = chunk[at]!;
    if (headerLength === 2) length = (length << 8) | chunk[at + 1]!;
    else if (headerLength === 4) {
      length = ((length << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!) >>> 0;
    }
    if (length > this.maxLength) throw frameTooLong(headerLength, length, this.maxLength);
    const end = start + length;
    if (end > this.end) return this.assemble();
    if (this.frameMemory !== undefined && !this.frameMemory.borrowed) {
      // Copies the whole rest at once, for this frame and all others in the chunk.
      this.copyRest(this.frameMemory);
      return this.pull();
    }
    this.at = end;
    return new BufferView(this.memory, this.base + start, length);
  }

  private assemble(): Buffer | undefined {
    if (this.headerSeen === 0) this.returnScratch();
    this.readHeader();
    if (this.headerSeen < this.headerLength) return this.releaseChunk();
    const { chunk, at, length } = this;
    const received = Math.min(length, this.filled + this.end - at);
    const end = at + received - this.filled;
    if (received > this.own.length) this.makeRoom(received);
    chunk.copy(this.own, this.filled, at, end);
    this.at = end;
    this.filled = received;
    if (received < length) return this.releaseChunk();
    const frame = this.own === this.scratch ? this.own.subarray(0, length) : this.own;
    this.headerSeen = 0;
    this.length = 0;
    this.own = EMPTY;
    this.filled = 0;
    return frame;
  }

  private readHeader(): void {
    while (this.headerSeen < this.headerLength && this.at < this.end) {
      const length = this.length * 256 + this.chunk[this.at]!;
      // Checked before any field is changed, so that a failed decoder throws again at every later call.
      if (length > this.maxLength && this.headerSeen === this.headerLength - 1) {
        throw frameTooLong(this.headerLength, length, this.maxLength);
      }
      this.length = length;
      this.headerSeen++;
      this.at++;
    }
  }

  private makeRoom(received: number): void {
    const { own, filled, length } = this;
    this.scratch = this.frameMemory?.takeScratch(received, length);
    if (this.scratch === undefined) this.own = reserve(own, filled, received, length);
    else {
      own.copy(this.scratch, 0, 0, filled);
      this.own = this.scratch;
    }
  }

  /** Returns the scratch buffer: the next `pull` means that the last frame was handled. */
  private returnScratch(): void {
    if (this.scratch === undefined) return;
    this.frameMemory?.returnScratch(this.scratch);
    this.scratch = undefined;
  }

  private releaseChunk(): undefined {
    if (this.headerSeen === 0) this.returnScratch();
    // The rest was copied, so the chunk (up to 64 KiB) can be collected. Borrowed memory lives on anyway.
    if (this.source === undefined) this.setChunk(EMPTY, EMPTY_MEMORY, 0);
    this.source = this.frameMemory = undefined;
    this.at = this.end = 0;
  }
}

function nameOf(bytes: HeaderLength): string {
  return `packet(${bytes})`;
}

function frameTooLong(bytes: HeaderLength, length: number, maxLength: number): FramingError {
  const fact = `${nameOf(bytes)}: the peer declares a frame of ${length} bytes and the limit is ${maxLength}`;
  const fix = "raise maxLength if that is right; if not, the peer speaks another protocol";
  return new FramingError("frame_too_long", `${fact}; ${fix}`);
}

function sendTooLong(bytes: HeaderLength, length: number, maxLength: number): FramingError {
  const fact = `${nameOf(bytes)}: the frame has ${length} bytes and the limit is ${maxLength}; split it`;
  const wider = `packet(${Math.max(bytes, smallestFor(length))}, { maxLength: ${length} })`;
  const fix = length > CEILING[4] ? "" : `, or raise the limit on both sides with ${wider}`;
  return new FramingError("send_too_long", `${fact}${fix}`);
}

/** The shortest header that can count this far. */
function smallestFor(length: number): HeaderLength {
  if (length <= CEILING[1]) return 1;
  return length <= CEILING[2] ? 2 : 4;
}
