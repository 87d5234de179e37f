/**
 * What every framing is: a decoder that is fed chunks and asked for frames, and an encoder that writes a
 * frame where it is told. Pure: no socket, no process, no clock.
 *
 * "Not yet" is a value (`undefined`); "wrong" is a thrown `FramingError`, after which the decoder is of no
 * more use and the connection is over.
 */

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

export interface Framing<In, Out = In> {
  /** As it is shown to people: `packet(2)`, `lines`, `raw`. */
  readonly name: string;
  decoder(): Decoder<In>;
  /**
   * Bytes that the frame takes on the wire, its header included.
   * @throws FramingError when the frame cannot be sent: nothing is ever truncated.
   */
  encodedLength(frame: Out): number;
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
