/** What the framing tests share: bytes for frames, chunks for bytes, frames for chunks. */

import fc from "fast-check";
import { type Decoder, encode, type Framing } from "../../src/framing/framing.js";

/** The frames one after the other, as they would be on the wire. */
export function wire<Out>(framing: Framing<any, Out>, frames: readonly Out[]): Buffer {
  return Buffer.concat(frames.map((frame) => encode(framing, frame)));
}

/** The bytes cut at `cuts`, each piece in memory of its own, as chunks from a socket are. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => Buffer.from(bytes.subarray(edges[i], edge)));
}

export function byteByByte(bytes: Buffer): Buffer[] {
  return [...bytes].map((byte) => Buffer.of(byte));
}

/** Pushes each chunk and pulls all that it completes. */
export function feed<In>(decoder: Decoder<In>, chunks: readonly Buffer[]): In[] {
  const frames: In[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    pullAll(decoder, frames);
  }
  return frames;
}

export function pullAll<In>(decoder: Decoder<In>, frames: In[] = []): In[] {
  for (let frame = decoder.pull(); frame !== undefined; frame = decoder.pull()) frames.push(frame);
  return frames;
}

/** Bytes, and places to cut them at. */
export function cutBytes(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<{ bytes: Buffer; cuts: number[] }> {
  return bytes.chain((some) =>
    fc.record({
      bytes: fc.constant(some),
      cuts: fc.array(fc.integer({ min: 0, max: some.length }), { maxLength: 12 }),
    }),
  );
}

/** The error that `act` throws. */
export function thrownBy(act: () => unknown): any {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
