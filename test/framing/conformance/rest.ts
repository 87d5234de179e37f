/** The part of the conformance suite that is about `rest`: what was received and not given out, as it came. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { ReusedBuffer } from "../../../src/framing/buffer-view.js";
import {
  type BorrowingDecoder,
  type Decoder,
  type FrameMemory,
  FramingError,
} from "../../../src/framing/framing.js";
import { byteByByte, cutAt, cutBytes, feed, wire } from "../feed.js";
import { plain, type Subject } from "./subject.js";

export function handsOverTheRest<In, Out>(subject: Subject<In, Out>): void {
  const { framing, samples } = subject;
  const all = wire(framing, samples);
  /** Every place where it can be cut, or some of them. */
  const cuts = Array.from({ length: all.length + 1 }, (_, cut) => cut).filter(
    (cut) => cut < 100 || cut % Math.ceil(all.length / 100) < 2,
  );

  it("has in `rest` what was not given out, before and after each frame, wherever the bytes are cut", () => {
    for (const cut of cuts) checkRest(framing.decoder(), cutAt(all, [cut]));
    checkRest(framing.decoder(), byteByByte(all.subarray(0, 300)));
  });

  it("has in `rest` what was not given out of any bytes, invalid ones too", () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some));
    fc.assert(
      fc.property(cutBytes(bytes), ({ bytes, cuts }) => checkRest(framing.decoder(), cutAt(bytes, cuts))),
      { numRuns: 30 },
    );
  });

  it("goes on in another decoder with `rest`", () => {
    for (const cut of cuts) {
      const [first, second] = cutAt(all, [cut]) as [Buffer, Buffer];
      const decoder = framing.decoder();
      decoder.push(first);
      const frame = decoder.pull();
      const frames = feed(framing.decoder(), [decoder.rest?.() as Buffer, second]);
      if (frame !== undefined) frames.unshift(frame);
      expect(plain(subject, frames)).toEqual(plain(subject, samples));
    }
  });

  it("keeps `rest` out of borrowed memory, once `copyRest` was called", () => {
    for (const cut of cuts) {
      for (const borrowed of [false, true]) {
        const decoder = framing.decoder() as BorrowingDecoder<In>;
        const shared = new ReusedBuffer(Buffer.from(all));
        const memory = memoryOf(all.length, borrowed);
        decoder.pushBorrowed(shared, cut, memory);
        decoder.pull();
        const expected = all.subarray(cut - decoder.buffered, cut);
        decoder.copyRest(memory);
        shared.buffer.fill(0xaa);
        expect(decoder.rest?.().equals(expected)).toBe(true);
      }
    }
  });
}

function checkRest(decoder: Decoder<unknown>, chunks: readonly Buffer[]): void {
  let received = Buffer.alloc(0);
  const check = () => {
    const expected = received.subarray(received.length - decoder.buffered);
    // Not by `toEqual`, which compares byte by byte.
    if (!decoder.rest?.().equals(expected)) expect(decoder.rest?.()).toEqual(expected);
  };
  try {
    for (const chunk of chunks) {
      decoder.push(Buffer.from(chunk));
      received = Buffer.concat([received, chunk]);
      check();
      while (decoder.pull() !== undefined) check();
      check();
    }
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    check();
  }
}

export function memoryOf(length: number, borrowed: boolean): FrameMemory {
  const buffer = Buffer.alloc(2 * length);
  let used = 0;
  return {
    borrowed,
    buffer,
    memory: buffer.buffer,
    copyIn(from, start, count) {
      const at = used;
      buffer.set(from.view(start, count), at);
      used += count;
      return at;
    },
    takeScratch: () => undefined,
    returnScratch: () => {},
  };
}
