/**
 * No framing: what the socket reads is a frame, wherever TCP has cut it. For relays, and for protocols that
 * find their own boundaries. There is nothing to accumulate, so there is no limit to set.
 */

import { BufferView, type ReusedBuffer } from "./buffer-view.js";
import type { BorrowingDecoder, FrameMemory, Framing } from "./framing.js";
import { copyOut, EMPTY, pushedTooEarly } from "./partial-frame.js";
import { type Payload, payloadLength, writePayload } from "./payload.js";

/** Every chunk is a frame, as it came. A Buffer, a Uint8Array or a string (as UTF-8) can be sent. */
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
  /** What the chunk is the beginning of, while it is lent. */
  private source: ReusedBuffer | undefined;

  constructor() {
    this.chunk = EMPTY;
    this.source = undefined;
  }

  get buffered(): number {
    return this.chunk.length;
  }

  push(chunk: Buffer): void {
    if (this.chunk.length !== 0) throw pushedTooEarly("raw");
    this.chunk = chunk;
    this.source = undefined;
  }

  pushBorrowed(source: ReusedBuffer, length: number, frameMemory: FrameMemory): void {
    if (!frameMemory.borrowed) return this.push(copyOut(source, 0, length, frameMemory));
    // Of its own, since it goes to the protocol.
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
    // No bytes are no frame, as in Erlang.
    if (chunk.length === 0) return undefined;
    this.chunk = EMPTY;
    this.source = undefined;
    return chunk;
  }
}
