/**
 * `raw()`: no framing, every chunk read from the socket is a frame. Nothing is accumulated, so there is no limit.
 */

import { BufferView, type ReusedBuffer } from "./buffer-view.js";
import type { BorrowingDecoder, FrameMemory, Framing } from "./framing.js";
import { copyOut, EMPTY, pushedTooEarly } from "./partial-frame.js";
import { type Payload, payloadLength, writePayload } from "./payload.js";

/**
 * No framing: every chunk is a frame, wherever TCP has cut it; for relays, and protocols that find frame boundaries
 * themselves. Received frames are Buffers of 1 byte to 64 KiB; a Buffer, a Uint8Array or a string (sent as UTF-8) can
 * be sent. `conn.send` throws a `FramingError` with code `send_invalid` for any other value.
 */
export function raw(): Framing<Buffer, Payload> {
  return new RawFraming();
}

class RawFraming implements Framing<Buffer, Payload> {
  readonly name: string = "raw";
  readonly reusable = true;

  decoder(): RawDecoder {
    return new RawDecoder();
  }

  encodedLength(frame: Payload): number {
    return payloadLength(this.name, frame);
  }

  encodeInto(frame: Payload, target: Buffer, offset: number): number {
    return writePayload(frame, target, offset);
  }
}

export class RawDecoder implements BorrowingDecoder<Buffer> {
  private chunk: Buffer;
  /** The borrowed memory that the chunk is a view of. */
  private source: ReusedBuffer | undefined;

  constructor() {
    this.chunk = EMPTY;
    this.source = undefined;
  }

  get buffered(): number {
    return this.chunk.length;
  }

  rest(): Buffer {
    return this.chunk;
  }

  push(chunk: Buffer): void {
    if (this.chunk.length !== 0) throw pushedTooEarly("raw");
    this.chunk = chunk;
    this.source = undefined;
  }

  pushBorrowed(source: ReusedBuffer, length: number, frameMemory: FrameMemory): void {
    if (!frameMemory.borrowed) return this.push(copyOut(source, 0, length, frameMemory));
    // A new view, not a cached one: it is given to the protocol as the frame.
    this.push(new BufferView(source.memory, source.offset, length));
    this.source = source;
  }

  copyRest(frameMemory: FrameMemory): void {
    const { source, chunk } = this;
    if (source && chunk.length > 0) this.chunk = copyOut(source, 0, chunk.length, frameMemory);
    this.source = undefined;
  }

  pull(): Buffer | undefined {
    const chunk = this.chunk;
    // There is no empty frame, as in Erlang.
    if (chunk.length === 0) return undefined;
    this.chunk = EMPTY;
    this.source = undefined;
    return chunk;
  }
}
