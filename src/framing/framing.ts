/**
 * Interface of a framing: a decoder that turns chunks into frames, and an encoder that writes frames into a buffer.
 * Pure: no socket, no process, no clock.
 *
 * An incomplete frame is a value (`undefined`); invalid bytes throw a `FramingError`, after which the decoder cannot
 * be used and the connection ends.
 */

import type { ReusedBuffer } from "./buffer-view.js";

/**
 * Turns chunks (bytes as read from the socket) into frames of type `In`. One per connection. Push a chunk, pull until
 * `undefined`, push the next chunk.
 */
export interface Decoder<In> {
  /**
   * Bytes received and not yet returned as frames, headers and terminators included. When the peer ends and this is
   * not 0, a frame was truncated.
   */
  readonly buffered: number;
  /**
   * Takes a chunk. Frames may be views of it, so its bytes must never be overwritten. The next chunk may be pushed
   * once `pull` has returned `undefined`.
   * @throws Error when frames of the last chunk have not been pulled.
   */
  push(chunk: Buffer): void;
  /**
   * The next complete frame, or `undefined` when more bytes are needed. A frame may be kept; it may be a view of the
   * chunk and then keeps the chunk's memory alive.
   * @throws FramingError `frame_too_long` or `frame_invalid` when the bytes cannot be a frame, and at every later call.
   */
  pull(): In | undefined;
  /**
   * Optional: length in bytes of the frame that `pull` waits for, header included, once its header tells it;
   * `undefined` before, and for frames that end in a terminator.
   */
  readonly needed?: number | undefined;
  /**
   * Optional; a connection cannot change its framing, its protocol or its OS process in mid-stream without it: the bytes
   * that `buffered` counts, as they came, headers and terminators included. The decoder stays as it is. A view of the
   * chunk where possible, so call `copyRest` first where that is borrowed memory.
   */
  rest?(): Buffer;
}

/** Memory into which a decoder copies what must outlive a borrowed read buffer. */
export interface FrameMemory {
  /** Whether frames are valid only until the next `pull`, and so may be views of the borrowed memory. */
  readonly borrowed: boolean;
  /** Target of `copyIn`. No byte is written twice, so views of it may be kept as frames. */
  readonly buffer: Buffer;
  /** ArrayBuffer of `buffer`, at offset 0. */
  readonly memory: ArrayBufferLike;
  /** Copies `length` bytes from `start` of `from`. @returns their offset in `buffer`, valid until the next call */
  copyIn(from: ReusedBuffer, start: number, length: number): number;
  /**
   * A reusable buffer in which a borrowed frame is assembled from several chunks.
   * @param received bytes of the frame received so far, of `length`
   * @returns `undefined` when the decoder should allocate a buffer of its own
   */
  takeScratch(received: number, length: number): Buffer | undefined;
  /** Gives the buffer back, once its frame has been handled. */
  returnScratch(scratch: Buffer): void;
}

/**
 * A decoder that can read borrowed memory (overwritten by the next read) and copies only what must outlive it.
 * Optional: for a plain `Decoder` the reader copies each chunk first.
 */
export interface BorrowingDecoder<In> extends Decoder<In> {
  /** As `push`, for the first `length` bytes of memory that may be overwritten after `copyRest`. */
  pushBorrowed(source: ReusedBuffer, length: number, frameMemory: FrameMemory): void;
  /** Copies the bytes not pulled yet out of the borrowed memory. A second call does nothing. */
  copyRest(frameMemory: FrameMemory): void;
}

/**
 * A framing: how frames are delimited in the byte stream. `In` is the type of received frames, `Out` of sent ones.
 * Any object of this shape can be the `framing` of a protocol.
 */
export interface Framing<In, Out = In> {
  /** Name in logs and messages: `packet(2)`, `lines`, `raw`. */
  readonly name: string;
  /** Creates the decoder of a connection. */
  decoder(): Decoder<In>;
  /**
   * Optional: `true` if a decoder with nothing buffered is equal to a new one. Then idle connections keep no decoder.
   */
  readonly reusable?: boolean;
  /**
   * Length of the encoded frame in bytes, header or terminator included.
   * @throws FramingError `send_too_long` or `send_invalid` when the frame cannot be sent: nothing is truncated.
   */
  encodedLength(frame: Out): number;
  /**
   * Optional, for framings that put nothing after the frame: writes only the header, so that a large frame is sent
   * without copying. Returns the offset after the header.
   */
  encodeHead?(frame: Uint8Array, target: Buffer, offset: number): number;
  /** Writes the frame at `offset`, where `encodedLength(frame)` bytes are free. Returns the offset after it. */
  encodeInto(frame: Out, target: Buffer, offset: number): number;
}

/** Code of a framing error: `frame_…` is thrown by decoders, `send_…` by encoders. */
export type FramingErrorCode = "frame_too_long" | "frame_invalid" | "send_too_long" | "send_invalid";

/**
 * Invalid frame. Thrown by a decoder, it ends the connection with `code` as the reason; thrown by an encoder, it is
 * thrown to the caller of `conn.send`.
 */
export class FramingError extends Error {
  override readonly name = "FramingError";
  readonly code: FramingErrorCode;
  constructor(code: FramingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Encodes one frame, for tests and clients.
 * @throws FramingError when the frame cannot be sent.
 */
export function encode<Out>(framing: Framing<any, Out>, frame: Out): Buffer {
  const bytes = Buffer.allocUnsafe(framing.encodedLength(frame));
  framing.encodeInto(frame, bytes, 0);
  return bytes;
}
