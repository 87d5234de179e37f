/**
 * `customFraming({ decode, encode })`: a framing of the user's own from two functions. `decode` sees all bytes that have
 * not been used; the decoder around it collects them, bounds them, and works on borrowed memory where frames are borrowed.
 */
import { isUint8Array } from "node:util/types";
import { sendInvalid } from "../errors.js";
import { type Framing, FramingError } from "../framing.js";
import { checkMaxLength, checkOptions } from "../options.js";
import { CustomDecoder, type Decode } from "./custom-decoder.js";

export interface CustomFramingOptions<In, Out = In> {
  /** Name in messages. Default `custom`. */
  readonly name?: string;
  /**
   * Finds the first frame in `bytes`: `{ frame, length }` with the bytes that it has used, header and all; `undefined`
   * while it is incomplete, or a number: that many bytes are needed before it is worth calling again. May throw
   * `FramingError("frame_invalid", "crc")`. The frame may be a view of `bytes`.
   */
  readonly decode: Decode<In>;
  /** The bytes of a frame, header and all. May throw `FramingError("send_invalid", "…")`. */
  encode(frame: Out): Uint8Array;
  /** Bytes that a frame may have, all in all, and that `decode` is shown; then the connection ends as `frame_too_long`. Default: 65536. */
  readonly maxLength?: number;
}

const DEFAULT = 65_536;
const CEILING = 0x7fff_ff00;
const KEYS = ["name", "decode", "encode", "maxLength"];

/**
 * A framing of your own. Simple, at the cost of a copy of each frame that is sent and of one call of `decode` for each
 * chunk of an incomplete frame; the interface `Framing` is the fast way.
 * @throws TypeError, RangeError for a wrong option
 */
export function customFraming<In, Out = In>(options: CustomFramingOptions<In, Out>): Framing<In, Out> {
  checkOptions("customFraming", options, KEYS);
  const { name = "custom", decode, encode } = options;
  if (typeof name !== "string" || name === "")
    throw new TypeError(`customFraming: name is a word such as "gt06"`);
  if (typeof decode !== "function")
    throw new TypeError(
      "customFraming: decode is a function (bytes) => ({ frame, length }), or undefined while it is incomplete",
    );
  if (typeof encode !== "function")
    throw new TypeError("customFraming: encode is a function (frame) => bytes");
  const instead = `customFraming({ maxLength: ${CEILING} })`;
  const maxLength = checkMaxLength("customFraming", options.maxLength, DEFAULT, CEILING, instead);
  return new CustomFraming(name, options, maxLength);
}

class CustomFraming<In, Out> implements Framing<In, Out> {
  readonly name: string;
  readonly reusable = true;
  readonly #options: CustomFramingOptions<In, Out>;
  readonly #maxLength: number;
  /** Encoded by `encodedLength`, for the call of `encodeInto` that follows. */
  #frame: Out | undefined = undefined;
  #bytes: Uint8Array | undefined = undefined;

  constructor(name: string, options: CustomFramingOptions<In, Out>, maxLength: number) {
    this.name = name;
    this.#options = options;
    this.#maxLength = maxLength;
  }

  decoder(): CustomDecoder<In> {
    return new CustomDecoder(this.name, this.#options.decode, this.#maxLength);
  }

  encodedLength(frame: Out): number {
    const bytes = this.#encode(frame);
    this.#frame = frame;
    this.#bytes = bytes;
    return bytes.length;
  }

  encodeInto(frame: Out, target: Buffer, offset: number): number {
    const bytes =
      this.#bytes !== undefined && Object.is(this.#frame, frame) ? this.#bytes : this.#encode(frame);
    this.#frame = undefined;
    this.#bytes = undefined;
    target.set(bytes, offset);
    return offset + bytes.length;
  }

  #encode(frame: Out): Uint8Array {
    let bytes: unknown;
    try {
      bytes = this.#options.encode(frame);
    } catch (error) {
      if (error instanceof FramingError) throw error;
      throw sendInvalid(
        this.name,
        `encode has thrown: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    if (isUint8Array(bytes)) return bytes;
    throw sendInvalid(
      this.name,
      `encode must return a Buffer, got ${bytes === null ? "null" : typeof bytes}`,
    );
  }
}
