/** Decoder of `customFraming`: collects the bytes of an incomplete frame, and calls `decode` on what is there. */
import { BufferView, type ReusedBuffer } from "../buffer-view.js";
import { receivedTooLong } from "../errors.js";
import type { BorrowingDecoder, FrameMemory } from "../framing.js";
import { copyOut, EMPTY, pushedTooEarly, reserve } from "../partial-frame.js";

/** See `customFraming`. */
export type Decode<In> = (
  bytes: Buffer,
) => { readonly frame: In; readonly length: number } | number | undefined;

export class CustomDecoder<In> implements BorrowingDecoder<In> {
  readonly #name: string;
  readonly #decode: Decode<In>;
  readonly #maxLength: number;
  /** Bytes that are not used begin at `at`; those before were given out. */
  #chunk: Buffer = EMPTY;
  #at = 0;
  /** The borrowed memory that the chunk is a view of. */
  #source: ReusedBuffer | undefined = undefined;
  /** Memory of an incomplete frame, of which `filled` bytes are in use. */
  #own: Buffer = EMPTY;
  #filled = 0;
  /** Length below which `decode` need not be called. */
  #needed = 0;
  #failure: unknown = undefined;
  #pulled = true;

  constructor(name: string, decode: Decode<In>, maxLength: number) {
    this.#name = name;
    this.#decode = decode;
    this.#maxLength = maxLength;
  }

  get buffered(): number {
    return this.#filled + this.#chunk.length - this.#at;
  }

  get needed(): number | undefined {
    return this.#needed > this.buffered ? this.#needed : undefined;
  }

  push(chunk: Buffer): void {
    if (!this.#pulled) throw pushedTooEarly(this.#name);
    this.#take(chunk);
    this.#source = undefined;
  }

  pushBorrowed(source: ReusedBuffer, length: number, frameMemory: FrameMemory): void {
    // Kept frames may be views, wherever `decode` has put them: only of memory that is not overwritten.
    if (!frameMemory.borrowed) return this.push(copyOut(source, 0, length, frameMemory));
    if (!this.#pulled) throw pushedTooEarly(this.#name);
    this.#take(new BufferView(source.memory, source.offset, length));
    // What follows an incomplete frame was copied behind it.
    this.#source = this.#chunk.length > 0 ? source : undefined;
  }

  #take(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#pulled = false;
    if (this.#chunk.length > this.#at) this.#collect(this.#chunk.length - this.#at);
    if (this.#filled === 0) {
      this.#chunk = chunk;
      this.#at = 0;
      return;
    }
    const length = this.#filled + chunk.length;
    this.#own = reserve(this.#own, this.#filled, length, Number.MAX_SAFE_INTEGER);
    this.#own.set(chunk, this.#filled);
    this.#filled = length;
  }

  pull(): In | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.buffered === 0 || this.buffered < this.#needed) return this.#keep();
    const bytes = this.#unused;
    // Never more than a frame may have: what follows must not decide what it is.
    const found = this.#found(bytes.length > this.#maxLength ? bytes.subarray(0, this.#maxLength) : bytes);
    if (found === undefined) return this.#keep();
    // The frame may be a view of what was collected, which becomes a chunk, and is not written to again.
    if (this.#filled > 0) this.#begin();
    this.#at += found.length;
    this.#needed = 0;
    return found.frame;
  }

  #begin(): void {
    this.#chunk = this.#own.subarray(0, this.#filled);
    this.#at = 0;
    this.#own = EMPTY;
    this.#filled = 0;
  }

  #found(bytes: Buffer): { readonly frame: In; readonly length: number } | undefined {
    try {
      const found = this.#decode(bytes);
      if (found === undefined || typeof found === "number") {
        this.#needed = this.#checkNeeded(found, bytes.length);
        return undefined;
      }
      const { length, frame } = found;
      if (Number.isInteger(length) && length > 0 && length <= bytes.length && frame !== undefined)
        return found;
      throw new TypeError(
        `${this.#name}: decode must return { frame, length }, with the length that it has used: 1 to ${bytes.length}, got ${String(length)}`,
      );
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** @throws FramingError when the frame would be, or is already, too long */
  #checkNeeded(needed: number | undefined, length: number): number {
    const max = this.#maxLength;
    if (length >= max || (needed !== undefined && needed > max)) throw this.#tooLong();
    return needed !== undefined && needed > length ? needed : 0;
  }

  #tooLong(): Error {
    return receivedTooLong(this.#name, "a frame", this.#maxLength, "maxLength");
  }

  /** No frame is complete: collects what is there. */
  #keep(): undefined {
    this.#pulled = true;
    const rest = this.#chunk.length - this.#at;
    if (rest === 0) {
      this.#source = undefined;
      this.#dropChunk();
    } else if (this.#source === undefined) this.#collect(rest);
    return undefined;
  }

  #collect(rest: number): void {
    this.#own = reserve(EMPTY, 0, rest, Number.MAX_SAFE_INTEGER);
    this.#own.set(this.#at === 0 ? this.#chunk : this.#chunk.subarray(this.#at), 0);
    this.#filled = rest;
    this.#dropChunk();
  }

  #dropChunk(): void {
    this.#chunk = EMPTY;
    this.#at = 0;
  }

  /** What is still borrowed is copied: of frames that wait as a chunk, of an incomplete one as its beginning. */
  copyRest(_frameMemory: FrameMemory): void {
    if (this.#source === undefined) return;
    this.#source = undefined;
    const rest = this.#chunk.length - this.#at;
    if (rest === 0) this.#dropChunk();
    else if (this.#pulled) this.#collect(rest);
    else {
      this.#chunk = Buffer.from(this.#chunk.subarray(this.#at));
      this.#at = 0;
    }
  }

  rest(): Buffer {
    return this.#unused;
  }

  get #unused(): Buffer {
    if (this.#filled > 0) return this.#own.subarray(0, this.#filled);
    return this.#at === 0 ? this.#chunk : this.#chunk.subarray(this.#at);
  }
}
