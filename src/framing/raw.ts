/**
 * No framing: what the socket reads is a frame, wherever TCP has cut it. For relays, and for protocols that
 * find their own boundaries. There is nothing to accumulate, so there is no limit to set.
 */

import type { Framing, Keeper, LendingDecoder } from "./framing.js";
import { type Payload, payloadLength, writePayload } from "./payload.js";
import { EMPTY, keep, pushedTooEarly } from "./rest.js";
import type { Arena } from "./view.js";

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
  /** Who keeps the chunk if it is not pulled: it is a view of what is lent. */
  private keeper: Keeper | undefined;
  private arena: Arena | undefined;

  constructor() {
    this.chunk = EMPTY;
    this.keeper = undefined;
    this.arena = undefined;
  }

  get buffered(): number {
    return this.chunk.length;
  }

  push(chunk: Buffer): void {
    if (this.chunk.length !== 0) throw pushedTooEarly("raw");
    this.chunk = chunk;
    this.arena = this.keeper = undefined;
  }

  lend(arena: Arena, length: number, keeper: Keeper): void {
    if (!keeper.borrowed) return this.push(keep(arena, 0, length, keeper));
    this.push(arena.view(0, length));
    this.arena = arena;
    this.keeper = keeper;
  }

  keepRest(): void {
    const { arena, chunk, keeper } = this;
    if (chunk.length > 0 && arena && keeper) this.chunk = keep(arena, 0, chunk.length, keeper);
    this.arena = this.keeper = undefined;
  }

  pull(): Buffer | undefined {
    const chunk = this.chunk;
    // No bytes are no frame, as in Erlang.
    if (chunk.length === 0) return undefined;
    this.chunk = EMPTY;
    this.arena = this.keeper = undefined;
    return chunk;
  }
}
