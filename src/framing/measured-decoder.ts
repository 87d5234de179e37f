/**
 * Decoder of the framings that can say from the first bytes of a frame how long it is, or that look for its end: a
 * framing gives the rule (`FrameRule`), this decoder does what is the same for all of them.
 *
 *     chunk ─┬─ the frame is complete ──▶ rule.frame: a view of the chunk, or a value made of its bytes
 *            └─ it is not ──▶ copied into `own` ──┬─ header incomplete: as many bytes as the rule asks for
 *                                                 └─ length known: up to the end of the frame
 *
 * `packet`, `lines` and `raw` have decoders of their own: they are the fastest ones, and older.
 */

import { BufferView, type ReusedBuffer } from "./buffer-view.js";
import type { BorrowingDecoder, FrameMemory } from "./framing.js";
import { EMPTY, pushedTooEarly, reserve, restOf } from "./partial-frame.js";

/** Where a frame ends, and what value it is. Shared by all connections, unless it has state of its own. */
export interface FrameRule<In> {
  readonly name: string;
  /**
   * Whether frames are views of the bytes. They are then copied out of borrowed memory first: a "frame" that is a view
   * only if it may be kept, one with views "inside" always, since a reader cannot copy it later.
   */
  readonly views: "frame" | "inside" | "none";
  /** A terminated frame ends at a byte of this value at the earliest; -1 where the header declares the length. */
  readonly last: number;
  /** Length of the longest frame in bytes, header and terminator included. */
  readonly maxTotal: number;
  /**
   * Measures the frame that begins at `at`.
   * @param seen bytes of this frame that an earlier call has seen; 0 begins a new frame
   * @returns its length in bytes, all included, if that is certain (the frame may reach beyond `end`); `-n` when at
   * least n more bytes are needed to tell; 0 when at least the next `last` byte is
   * @throws FramingError
   */
  measure(bytes: Uint8Array, at: number, end: number, seen: number): number;
  /**
   * The value of a complete frame; `undefined` for bytes that are no frame, such as an empty line.
   * @param memory ArrayBuffer of `bytes`, which begins there at `base`
   * @throws FramingError
   */
  frame(bytes: Buffer, at: number, total: number, memory: ArrayBufferLike, base: number): In | undefined;
}

const EMPTY_MEMORY = EMPTY.buffer;

export class MeasuredDecoder<In> implements BorrowingDecoder<In> {
  private readonly rule: FrameRule<In>;
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
  /** The frame being assembled: its bytes so far, and its length, or what `measure` said instead of one. */
  private own: Buffer;
  private filled: number;
  private total: number;
  /** Bytes in `own` at the last `measure`. */
  private seen: number;
  /** Scratch buffer of `frameMemory` in which the current frame is assembled, or the last one was. */
  private scratch: Buffer | undefined;
  private failure: unknown;

  constructor(rule: FrameRule<In>) {
    this.rule = rule;
    this.chunk = EMPTY;
    this.memory = EMPTY_MEMORY;
    this.base = 0;
    this.at = 0;
    this.end = 0;
    this.source = undefined;
    this.frameMemory = undefined;
    this.own = EMPTY;
    this.filled = 0;
    this.total = 0;
    this.seen = 0;
    this.scratch = undefined;
    this.failure = undefined;
  }

  get buffered(): number {
    return this.filled + this.end - this.at;
  }

  get needed(): number | undefined {
    return this.filled > 0 && this.total > 0 ? this.total : undefined;
  }

  rest(): Buffer {
    return restOf(this.own, this.filled, this.chunk, this.at, this.end);
  }

  push(chunk: Buffer): void {
    this.setInput(chunk, chunk.buffer, chunk.byteOffset, chunk.length);
    this.source = this.frameMemory = undefined;
  }

  pushBorrowed(source: ReusedBuffer, length: number, frameMemory: FrameMemory): void {
    // A view of the received bytes only: a search would otherwise run to the end of the read buffer.
    this.setInput(source.view(0, length), source.memory, source.offset, length);
    this.source = source;
    this.frameMemory = frameMemory;
  }

  private setInput(chunk: Buffer, memory: ArrayBufferLike, base: number, length: number): void {
    if (this.at !== this.end) throw pushedTooEarly(this.rule.name);
    this.chunk = chunk;
    this.memory = memory;
    this.base = base;
    this.at = 0;
    this.end = length;
  }

  copyRest(frameMemory: FrameMemory): void {
    const { source } = this;
    this.source = this.frameMemory = undefined;
    if (!source || this.at === this.end) return;
    const length = this.end - this.at;
    this.base = frameMemory.copyIn(source, this.at, length);
    this.memory = frameMemory.memory;
    this.chunk = new BufferView(this.memory, this.base, length);
    this.at = 0;
    this.end = length;
  }

  pull(): In | undefined {
    const { rule } = this;
    for (;;) {
      const { at, end } = this;
      if (at === end) return this.releaseChunk();
      let frame: In | undefined;
      if (this.filled !== 0) frame = this.assemble();
      else {
        const total = rule.measure(this.chunk, at, end, 0);
        if (total <= 0 || total > end - at) return this.keepPartial(total);
        if (this.frameMemory !== undefined && this.mustCopy(this.frameMemory)) {
          // Copies the whole rest at once, for this frame and all others in the chunk.
          this.copyRest(this.frameMemory);
          continue;
        }
        if (this.scratch !== undefined) this.returnScratch();
        frame = rule.frame(this.chunk, at, total, this.memory, this.base);
        this.at = at + total;
      }
      if (frame !== undefined) return frame;
    }
  }

  private mustCopy(frameMemory: FrameMemory): boolean {
    const { views } = this.rule;
    return views === "inside" || (views === "frame" && !frameMemory.borrowed);
  }

  /** The rest of the chunk is the beginning of a frame. */
  private keepPartial(total: number): undefined {
    this.returnScratch();
    this.total = total;
    this.append(this.end - this.at);
    this.releaseChunk();
  }

  /** Takes from the chunk what belongs to the frame begun. @returns `undefined` also when the chunk is used up */
  private assemble(): In | undefined {
    if (this.failure !== undefined) throw this.failure;
    try {
      while (this.at !== this.end) {
        this.append(this.step());
        if (this.total <= 0) {
          // A view of what has been received: a search would otherwise run on through the unused rest.
          this.total = this.rule.measure(this.own.subarray(0, this.filled), 0, this.filled, this.seen);
          // A rule that looks one byte ahead has that byte given back.
          if (this.total > 0 && this.total < this.filled) this.giveBack(this.filled - this.total);
        }
        if (this.filled === this.total) return this.complete();
      }
    } catch (error) {
      this.failure = error;
      throw error;
    }
    return undefined;
  }

  /** How many bytes of the chunk to take before the frame can be complete, or be measured again. */
  private step(): number {
    const { total, at, end, filled, rule } = this;
    const available = end - at;
    if (total > 0) return Math.min(total - filled, available);
    // One byte more than allowed is enough for `measure` to refuse the frame.
    const most = Math.min(available, rule.maxTotal + 1 - filled);
    if (total < 0) return Math.min(-total, most);
    const last = this.chunk.indexOf(rule.last, at);
    return last === -1 ? most : Math.min(last + 1 - at, most);
  }

  private append(count: number): void {
    const { filled, at } = this;
    const received = filled + count;
    if (received > this.own.length) this.makeRoom(received);
    this.chunk.copy(this.own, filled, at, at + count);
    this.seen = filled;
    this.filled = received;
    this.at = at + count;
  }

  private giveBack(count: number): void {
    this.filled -= count;
    this.at -= count;
  }

  private makeRoom(received: number): void {
    const { own, filled, total, rule } = this;
    this.scratch =
      rule.views === "frame" && total > 0 ? this.frameMemory?.takeScratch(received, total) : undefined;
    if (this.scratch === undefined) {
      this.own = reserve(own, filled, received, total > 0 ? total : rule.maxTotal + 1);
    } else {
      own.copy(this.scratch, 0, 0, filled);
      this.own = this.scratch;
    }
  }

  private complete(): In | undefined {
    const { own, total } = this;
    const frame = this.rule.frame(own, 0, total, own.buffer, own.byteOffset);
    this.own = EMPTY;
    this.filled = 0;
    this.total = 0;
    return frame;
  }

  /** Returns the scratch buffer: the next `pull` means that the last frame was handled. */
  private returnScratch(): void {
    if (this.scratch === undefined || this.own === this.scratch) return;
    this.frameMemory?.returnScratch(this.scratch);
    this.scratch = undefined;
  }

  private releaseChunk(): undefined {
    if (this.failure !== undefined) throw this.failure;
    this.returnScratch();
    // What is left of it was copied, so the chunk (up to 64 KiB) can be collected.
    this.chunk = EMPTY;
    this.memory = EMPTY_MEMORY;
    this.source = this.frameMemory = undefined;
    this.at = this.end = 0;
  }
}
