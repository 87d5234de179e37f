// What a decoder makes of an input: its frames, and the error or the number of bytes left. It must be the same
// however the input is cut, and whether or not the memory of the chunks is used again.

import { ReusedBuffer } from "../../../src/framing/buffer-view.js";
import {
  type BorrowingDecoder,
  type Decoder,
  type FrameMemory,
  type Framing,
  FramingError,
} from "../../../src/framing/framing.js";
import { MAX_LENGTH } from "./inputs.js";

/** How chunks are given: in memory of their own, or in memory that is overwritten after each. */
export type Way = "own" | "kept" | "borrowed";

const shared = new ReusedBuffer(Buffer.alloc(MAX_LENGTH));
/** Where frames are kept until their verdict. */
const kept = Buffer.alloc(2 * MAX_LENGTH);

/** Memory for what must outlive the shared buffer. */
class Memory implements FrameMemory {
  readonly buffer = kept;
  readonly memory = this.buffer.buffer;
  readonly borrowed: boolean;
  #used = 0;
  constructor(borrowed: boolean) {
    this.borrowed = borrowed;
  }
  copyIn(from: ReusedBuffer, start: number, length: number): number {
    const at = this.#used;
    this.buffer.set(from.view(start, length), at);
    this.#used += length;
    return at;
  }
  takeScratch(): undefined {}
  returnScratch(): void {}
}

export function verdict(
  framing: Framing<any, any>,
  chunks: readonly Buffer[],
  way: Way,
  bounded: boolean,
): string {
  const decoder = framing.decoder();
  const memory = new Memory(way === "borrowed");
  const frames: unknown[] = [];
  const shown: string[] = [];
  const all = Buffer.concat(chunks);
  let received = 0;
  let end = "";
  try {
    for (const chunk of chunks) {
      give(decoder, chunk, way, memory);
      received += chunk.length;
      for (let frame = decoder.pull(); frame !== undefined; frame = decoder.pull()) {
        frames.push(frame);
        shown.push(show(frame));
      }
      if (way !== "own") {
        (decoder as BorrowingDecoder<unknown>).copyRest(memory);
        shared.buffer.fill(0xaa);
      }
      checkRest(decoder, all.subarray(0, received));
    }
    end = `left ${decoder.buffered}`;
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    end = error.code;
    checkEnded(decoder, error.code);
  }
  // Frames that may be kept must not change with the memory they came in.
  const last =
    way === "borrowed" && frames.every((frame) => frame instanceof Uint8Array) ? shown : frames.map(show);
  return `${bounded ? last.join("\n") : last.join("").replaceAll("$", "")}\n${end}`;
}

function give(decoder: Decoder<unknown>, chunk: Buffer, way: Way, memory: Memory): void {
  if (way === "own") return decoder.push(Buffer.from(chunk));
  shared.buffer.set(chunk);
  (decoder as BorrowingDecoder<unknown>).pushBorrowed(shared, chunk.length, memory);
}

/** What a decoder has not given out is what came last, as it came. The parser of PROXY headers has no `rest`. */
function checkRest(decoder: Decoder<unknown>, received: Buffer): void {
  if (decoder.rest === undefined) return;
  const expected = received.subarray(received.length - decoder.buffered);
  if (!decoder.rest().equals(expected)) throw new Error("rest() differs from what was received");
}

function checkEnded(decoder: Decoder<unknown>, code: string): void {
  try {
    decoder.pull();
  } catch (again) {
    if (again instanceof FramingError && again.code === code) return;
    throw again;
  }
  throw new Error(`pull() returned after ${code}: it must throw again`);
}

function show(value: unknown): string {
  if (value instanceof Uint8Array)
    return `$${Buffer.from(value.buffer, value.byteOffset, value.length).toString("latin1")}`;
  if (value instanceof Map) return `%${[...value].map(([key, item]) => `${show(key)}=${show(item)}`)}`;
  if (value instanceof Set) return `~${[...value].map(show)}`;
  if (Array.isArray(value)) return `[${value.map(show)}]`;
  if (typeof value !== "object" || value === null) return `${typeof value} ${String(value)}`;
  return `{${Object.entries(value).map(([key, item]) => `${key}=${show(item)}`)}}`;
}
