/**
 * `resp()`: the protocol of Redis, versions 2 and 3 (Redis serialization protocol specification).
 *
 *     client ──commands: lists of words──▶ server
 *            ◀──replies: values (values.ts)──
 */

import { sendTooLong } from "../errors.js";
import type { Framing } from "../framing.js";
import { type FrameRule, MeasuredDecoder } from "../measured-decoder.js";
import { checkLimit, checkMaxLength, checkOptions } from "../options.js";
import { CommandRule } from "./commands.js";
import { commandParts, lengthOf, type Part, valueParts, writeParts } from "./encode.js";
import { ReplyRule } from "./replies.js";
import type { RespValue, RespWord } from "./values.js";

export interface RespOptions {
  /** "server" reads commands and sends values, "client" the other way round. Default: "server". */
  side?: "server" | "client";
  /** Maximum length of a command or value in bytes, received and sent, headers included. Default: 1,048,576 (1 MiB). */
  maxLength?: number;
  /** Maximum number of words of a received command. Default: 1024. */
  maxWords?: number;
  /** Maximum depth of a received value. Default: 8. */
  maxDepth?: number;
  /** Version in which a server sends: 2 has no type of its own for map, set, double, boolean. Default: 2. */
  version?: 2 | 3;
}

const CEILING = 0x7fff_ffff;

/**
 * Framing of the Redis protocol. A server receives commands as lists of Buffers, from arrays of bulk strings and from
 * inline commands (words between blanks, no quoting, at most 64 KiB; empty ones are skipped), and sends values: a string
 * is a simple string, a Buffer a bulk string; see `RespValue`. With `side: "client"` it sends commands, lists of
 * strings, bytes and numbers, and receives values.
 *
 * More words or bytes than allowed end the connection with `frame_too_long` as soon as they are declared, anything else
 * that is not RESP with `frame_invalid`. `conn.send` throws a `FramingError`: `send_too_long` above `maxLength`,
 * `send_invalid` for anything that is not a value or command.
 * @param options `side`, `maxLength` in bytes (default 1 MiB), `maxWords` (1024), `maxDepth` in levels (8), `version` (2)
 * @throws TypeError for an unknown option or a value of the wrong type; RangeError for a value out of range.
 */
export function resp(options?: RespOptions & { side?: "server" }): Framing<Buffer[], RespValue>;
export function resp(options: RespOptions & { side: "client" }): Framing<RespValue, readonly RespWord[]>;
export function resp(
  options: RespOptions = {},
): Framing<Buffer[], RespValue> | Framing<RespValue, readonly RespWord[]> {
  checkOptions("resp", options, ["side", "maxLength", "maxWords", "maxDepth", "version"]);
  const { side = "server", version = 2 } = options;
  const instead = `resp({ maxLength: ${CEILING} })`;
  const maxLength = checkMaxLength("resp", options.maxLength, 1_048_576, CEILING, instead);
  const { maxWords, maxDepth } = options;
  const words = checkLimit("resp", "maxWords", maxWords, 1024, 1_000_000, "maxWords: 1000000", "words");
  const depth = checkLimit("resp", "maxDepth", maxDepth, 8, 100, "maxDepth: 100", "levels");
  if (version !== 2 && version !== 3)
    throw new TypeError(`resp: the version is 2 or 3, not ${JSON.stringify(version)}`);
  if (side === "server") {
    return new RespFraming(
      maxLength,
      () => new CommandRule(maxLength, words),
      (value: RespValue) => valueParts(value, version),
    );
  }
  if (side !== "client")
    throw new TypeError(`resp: the side is "server" or "client", not ${JSON.stringify(side)}`);
  return new RespFraming(maxLength, () => new ReplyRule(maxLength, depth), commandParts);
}

class RespFraming<In, Out> implements Framing<In, Out> {
  readonly name = "resp";
  readonly reusable = true;
  private readonly maxLength: number;
  private readonly rule: () => FrameRule<In>;
  private readonly partsOf: (frame: Out) => Part[];
  /** The frame last measured, and its parts: it is written next. */
  private measured: Out | undefined = undefined;
  private parts: Part[] | undefined = undefined;

  constructor(maxLength: number, rule: () => FrameRule<In>, partsOf: (frame: Out) => Part[]) {
    this.maxLength = maxLength;
    this.rule = rule;
    this.partsOf = partsOf;
  }

  decoder(): MeasuredDecoder<In> {
    return new MeasuredDecoder(this.rule());
  }

  encodedLength(frame: Out): number {
    const parts = this.partsOf(frame);
    const length = lengthOf(parts);
    if (length > this.maxLength) {
      throw sendTooLong(this.name, length, this.maxLength, `resp({ maxLength: ${length} })`);
    }
    this.measured = frame;
    this.parts = parts;
    return length;
  }

  encodeInto(frame: Out, target: Buffer, offset: number): number {
    const parts = this.parts !== undefined && this.measured === frame ? this.parts : this.partsOf(frame);
    this.measured = this.parts = undefined;
    return writeParts(parts, target, offset);
  }
}
