/**
 * No framing: what the socket reads is a frame, wherever TCP has cut it. For relays, and for protocols that
 * find their own boundaries. There is nothing to accumulate, so there is no limit to set.
 */

import type { Framing, Keeper, LendingDecoder } from "./framing.js";
import { type Payload, payloadLength, writePayload } from "./payload.js";
import { EMPTY, keep, pushedTooEarly } from "./rest.js";
import { View } from "./view.js";

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

export class RawDecoder implements LendingDecoder<Buffer> {
  private chunk: Buffer;

  constructor() {
    this.chunk = EMPTY;
  }

  get buffered(): number {
    return this.chunk.length;
  }

  push(chunk: Buffer): void {
    if (this.chunk.length !== 0) throw pushedTooEarly("raw");
    this.chunk = chunk;
  }

  lend(shared: Buffer, length: number, keeper: Keeper): void {
    const chunk = new View(shared.buffer, shared.byteOffset, length);
    this.push(keeper.borrowed ? chunk : keep(chunk, keeper));
  }

  keepRest(keeper: Keeper): void {
    if (keeper.borrowed && this.chunk.length > 0) this.chunk = keep(this.chunk, keeper);
  }

  pull(): Buffer | undefined {
    const chunk = this.chunk;
    // No bytes are no frame, as in Erlang.
    if (chunk.length === 0) return undefined;
    this.chunk = EMPTY;
    return chunk;
  }
}
