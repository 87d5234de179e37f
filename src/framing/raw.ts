/**
 * No framing: what the socket reads is a frame, wherever TCP has cut it. For relays, and for protocols that
 * find their own boundaries. There is nothing to accumulate, so there is no limit to set.
 */

import { type Arena, View } from "./buffer-view.js";
import type { Framing, Keeper, LendingDecoder } from "./framing.js";
import { EMPTY, keep, pushedTooEarly } from "./partial-frame.js";
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

export class RawDecoder implements LendingDecoder<Buffer> {
  private chunk: Buffer;
  /** What the chunk is the beginning of, while it is lent. */
  private arena: Arena | undefined;

  constructor() {
    this.chunk = EMPTY;
    this.arena = undefined;
  }

  get buffered(): number {
    return this.chunk.length;
  }

  push(chunk: Buffer): void {
    if (this.chunk.length !== 0) throw pushedTooEarly("raw");
    this.chunk = chunk;
    this.arena = undefined;
  }

  lend(arena: Arena, length: number, keeper: Keeper): void {
    if (!keeper.borrowed) return this.push(keep(arena, 0, length, keeper));
    // Of its own, since it goes to the protocol.
    this.push(new View(arena.memory, arena.offset, length));
    this.arena = arena;
  }

  keepRest(keeper: Keeper): void {
    const { arena, chunk } = this;
    if (arena && chunk.length > 0) this.chunk = keep(arena, 0, chunk.length, keeper);
    this.arena = undefined;
  }

  pull(): Buffer | undefined {
    const chunk = this.chunk;
    // No bytes are no frame, as in Erlang.
    if (chunk.length === 0) return undefined;
    this.chunk = EMPTY;
    this.arena = undefined;
    return chunk;
  }
}
