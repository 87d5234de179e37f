/** Decoders that look at memory which is overwritten behind them. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ReusedBuffer } from "../../../src/framing/buffer-view.js";
import type { BorrowingDecoder, Framing } from "../../../src/framing/framing.js";
import { lines } from "../../../src/framing/lines.js";
import { packet } from "../../../src/framing/packet.js";
import { raw } from "../../../src/framing/raw.js";
import { giveToSocket } from "../../../src/tcp/loop/borrowed-memory.js";
import { ReadMemory } from "../../../src/tcp/loop/read-memory.js";
import { cutAt, wire } from "../../framing/feed.js";

const SIZE = 64 * 1024;

/**
 * Reads as a socket does: each chunk into the same memory, which is spoilt afterwards.
 * @param held how many frames are pulled of each chunk before what is left of it has to be kept
 * @returns the frames as text: as they were when they came, and as they are in the end
 */
function read(framing: Framing<any, any>, slab: ReadMemory, chunks: readonly Buffer[], held: number) {
  const shared = Buffer.alloc(SIZE);
  const source = new ReusedBuffer(shared);
  const decoder = framing.decoder() as BorrowingDecoder<any>;
  const frames: unknown[] = [];
  const atOnce: string[] = [];
  const pull = (most: number): boolean => {
    for (let n = 0; n < most; n++) {
      const frame = decoder.pull();
      if (frame === undefined) return true;
      frames.push(frame);
      atOnce.push(String(frame));
    }
    return false;
  };
  for (const chunk of chunks) {
    chunk.copy(shared);
    decoder.pushBorrowed(source, chunk.length, slab);
    const empty = pull(held);
    if (!empty) decoder.copyRest(slab);
    shared.fill(0xee);
    if (!empty) pull(Infinity);
  }
  return { atOnce, inTheEnd: frames.map(String) };
}

test("the rest of a chunk is copied once, however often copyRest is called", () => {
  for (const framing of [packet(2), lines(), raw()] as Framing<any, any>[]) {
    for (const borrowed of [false, true]) {
      const slab = new ReadMemory(borrowed);
      let copied = 0;
      const copyIn = slab.copyIn.bind(slab);
      slab.copyIn = (from, start, length) => {
        copied += length;
        return copyIn(from, start, length);
      };
      const bytes = wire(framing, ["one", "two", "three"]);
      const decoder = framing.decoder() as BorrowingDecoder<unknown>;
      decoder.pushBorrowed(new ReusedBuffer(Buffer.from(bytes)), bytes.length, slab);
      if (framing.name !== "raw") decoder.pull();
      for (let n = 0; n < 3; n++) decoder.copyRest(slab);
      expect(copied, framing.name).toBeGreaterThan(0);
      expect(copied, framing.name).toBeLessThanOrEqual(bytes.length);
    }
  }
});

test("a pushed chunk is not confused with a borrowed one before it", () => {
  for (const framing of [packet(2), lines(), raw()] as Framing<any, any>[]) {
    for (const borrowed of [false, true]) {
      const shared = Buffer.alloc(SIZE, 0xee);
      const decoder = framing.decoder() as BorrowingDecoder<unknown>;
      const borrowedChunk = wire(framing, ["old-1", "old-2"]);
      borrowedChunk.copy(shared);
      const slab = new ReadMemory(borrowed);
      decoder.pushBorrowed(new ReusedBuffer(shared), borrowedChunk.length, slab);
      while (decoder.pull() !== undefined);
      decoder.push(Buffer.from(wire(framing, ["new-1", "new-2"])));
      decoder.copyRest(slab);
      let text = "";
      for (let frame = decoder.pull(); frame !== undefined; frame = decoder.pull()) text += frame;
      expect(text.replaceAll("\n", ""), framing.name).toBe("new-1new-2");
    }
  }
});

const texts = fc.array(
  fc.string({ minLength: 1, maxLength: 60 }).filter((text) => !/[\n\r]/.test(text)),
  {
    minLength: 1,
    maxLength: 30,
  },
);
const cuts = fc.array(fc.nat(2000), { maxLength: 8 });

for (const framing of [packet(1), packet(2), packet(4), lines()] as Framing<any, any>[]) {
  describe(framing.name, () => {
    for (const borrowed of [false, true]) {
      it(`gives ${borrowed ? "borrowed" : "kept"} frames out of borrowed memory as they were sent`, () => {
        fc.assert(
          fc.property(texts, cuts, fc.integer({ min: 0, max: 5 }), (sent, places, held) => {
            const bytes = wire(framing, sent);
            const chunks = cutAt(
              bytes,
              places.map((place) => place % bytes.length),
            ).filter((chunk) => chunk.length > 0);
            const got = read(framing, new ReadMemory(borrowed), chunks, held || Infinity);
            expect(got.atOnce).toEqual(sent);
            if (!borrowed) expect(got.inTheEnd).toEqual(sent);
          }),
        );
      });
    }
  });
}

test.each([false, true])("raw returns a borrowed chunk, frames borrowed: %s", (borrowed) => {
  const chunks = [Buffer.from("one"), Buffer.from("two and more"), Buffer.from("3")];
  const got = read(raw(), new ReadMemory(borrowed), chunks, Infinity);
  expect(got.atOnce).toEqual(chunks.map(String));
  expect(read(raw(), new ReadMemory(borrowed), chunks, 0).atOnce).toEqual(chunks.map(String));
  if (!borrowed) expect(got.inTheEnd).toEqual(chunks.map(String));
});

describe("a bench", () => {
  const big = (byte: number) => Buffer.alloc(60_000, byte);
  const framing = packet(2);

  it("serves one large borrowed frame after the other", () => {
    const slab = new ReadMemory(true);
    const first = slab.takeScratch(40_000, 60_000) as Buffer;
    slab.returnScratch(first);
    expect(slab.takeScratch(40_000, 60_000)).toBe(first);
  });

  it("is not used again while a socket still writes from it", () => {
    const slab = new ReadMemory(true);
    const first = slab.takeScratch(40_000, 60_000) as Buffer;
    giveToSocket(first.buffer);
    slab.returnScratch(first);
    expect(slab.takeScratch(40_000, 60_000)).not.toBe(first);
  });

  it("is not given for a few received bytes of a long frame", () => {
    const slab = new ReadMemory(true);
    expect(slab.takeScratch(100, 60_000)).toBeUndefined();
    // A new one is allocated once half of it was received.
    expect(slab.takeScratch(20_000, 60_000)).toBeUndefined();
    expect(slab.takeScratch(40_000, 60_000)).toBeDefined();
  });

  it("is too small for a frame that is larger", () => {
    expect(new ReadMemory(true).takeScratch(60_000, 1_000_000)).toBeUndefined();
  });

  it("is for borrowed frames only: what may be kept has memory of its own", () => {
    const slab = new ReadMemory(false);
    const sent = [big(1), big(2), big(3)];
    const bytes = wire(framing, sent);
    const chunks = cutAt(bytes, [SIZE, 2 * SIZE]);
    expect(read(framing, slab, chunks, Infinity).inTheEnd).toEqual(sent.map(String));
  });

  it("holds frames of connections that send at the same time apart", () => {
    const slab = new ReadMemory(true);
    const shared = Buffer.alloc(SIZE);
    const source = new ReusedBuffer(shared);
    const decoders = [framing.decoder(), framing.decoder(), framing.decoder()] as BorrowingDecoder<Buffer>[];
    const lend = (decoder: BorrowingDecoder<Buffer>, part: Buffer) => {
      part.copy(shared);
      decoder.pushBorrowed(source, part.length, slab);
      const frame = decoder.pull();
      const text = frame && Buffer.from(frame);
      if (frame) expect(decoder.pull()).toBeUndefined();
      shared.fill(0xee);
      return text;
    };
    for (let round = 0; round < 3; round++) {
      const sent = decoders.map((_, at) => wire(framing, [big(10 * round + at)]));
      for (const [at, decoder] of decoders.entries())
        expect(lend(decoder, (sent[at] as Buffer).subarray(0, 40_000))).toBeUndefined();
      for (const [at, decoder] of decoders.entries())
        expect(lend(decoder, (sent[at] as Buffer).subarray(40_000))?.equals(big(10 * round + at))).toBe(true);
    }
  });
});
