/**
 * What every framing is: a decoder that is fed chunks and asked for frames, and an encoder that writes a
 * frame where it is told. Pure: no socket, no process, no clock.
 *
 * "Not yet" is a value (`undefined`); "wrong" is a thrown `FramingError`, after which the decoder is of no
 * more use and the connection is over.
 */

import type { ReusedBuffer } from "./buffer-view.js";

/** Turns chunks into frames. One per connection. Push a chunk, pull until `undefined`, push the next one. */
export interface Decoder<In> {
  /**
   * Bytes received and not yet given out as frames, headers and terminators included. 0 means: nothing is
   * begun, so a peer that ends here has not been cut off.
   */
  readonly buffered: number;
  /**
   * Takes a chunk. Frames may be views of it, so its bytes must never be overwritten. The decoder lets go of
   * it when `pull` says `undefined`; only then the next chunk may be pushed.
   * @throws Error when frames of the last chunk have not been pulled.
   */
  push(chunk: Buffer): void;
  /**
   * The next whole frame, or `undefined` when more bytes are needed.
   * Frames are safe to keep: they may share memory with the chunk, which is never overwritten.
   * @throws FramingError when the bytes cannot be a frame, and again whenever it is called after that.
   */
  pull(): In | undefined;
}

/** Where a decoder puts what it has to keep of memory that is only lent. */
export interface FrameMemory {
  /** Whether frames are valid only until the next `pull`, so that they may be views of the memory that is lent. */
  readonly borrowed: boolean;
  /** Never written twice: frames that are views of it are safe to keep. */
  readonly buffer: Buffer;
  /** That of `buffer`, which begins where it does. */
  readonly memory: ArrayBufferLike;
  /** Copies in `length` bytes that begin at `start`. @returns where they begin in `buffer`, until the next call */
  copyIn(from: ReusedBuffer, start: number, length: number): number;
  /**
   * Memory that is used again and again, to put a borrowed frame together in.
   * @param received bytes of the frame that are here, of `length`
   * @returns `undefined` where it is not worth it
   */
  takeScratch(received: number, length: number): Buffer | undefined;
  /** The frame in it has been handled. */
  returnScratch(scratch: Buffer): void;
}

/**
 * A decoder that can look at memory which is about to be used again, and copies out only what has to stay.
 * Optional: where a decoder cannot, whoever feeds it copies the chunk first.
 */
export interface BorrowingDecoder<In> extends Decoder<In> {
  /** As `push`, for the first `length` bytes of memory that stays as it is only until `copyRest`. */
  pushBorrowed(source: ReusedBuffer, length: number, frameMemory: FrameMemory): void;
  /** Copies out what of the memory has not been pulled yet; nothing when that has been done. */
  copyRest(frameMemory: FrameMemory): void;
}

export interface Framing<In, Out = In> {
  /** As it is shown to people: `packet(2)`, `lines`, `raw`. */
  readonly name: string;
  decoder(): Decoder<In>;
  /**
   * Optional: `true` says that a decoder which has nothing buffered is as good as new, so that an idle connection
   * need not keep one.
   */
  readonly reusable?: boolean;
  /**
   * Bytes that the frame takes on the wire, its header included.
   * @throws FramingError when the frame cannot be sent: nothing is ever truncated.
   */
  encodedLength(frame: Out): number;
  /**
   * Optional: writes only what stands before the bytes of the frame, for a frame that is bytes and nothing
   * comes after it, so that a large one need not be copied. Returns the offset after it.
   */
  encodeHead?(frame: Uint8Array, target: Buffer, offset: number): number;
  /** Writes the frame at `offset`, where `encodedLength(frame)` bytes are free. Returns the offset after it. */
  encodeInto(frame: Out, target: Buffer, offset: number): number;
}

/** The words under which a framing error is counted. */
export type FramingErrorCode = "frame_too_long" | "send_too_long" | "send_invalid";

export class FramingError extends Error {
  override readonly name = "FramingError";
  readonly code: FramingErrorCode;
  constructor(code: FramingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The frame on its own, for tests and clients. */
export function encode<Out>(framing: Framing<any, Out>, frame: Out): Buffer {
  const bytes = Buffer.allocUnsafe(framing.encodedLength(frame));
  framing.encodeInto(frame, bytes, 0);
  return bytes;
}
