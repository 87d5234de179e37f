/** The part of the conformance suite that is about frames not yet whole, and frames that are too long. */

import { expect, it } from "vitest";
import { byteByByte, cutAt, feed, pullAll, thrownBy, wire } from "../feed.js";
import { allocationsOf } from "./allocations.js";
import { type Limit, plain, type Subject } from "./subject.js";

export function knowsWhatIsBegun<In, Out>(subject: Subject<In, Out>): void {
  const { framing, samples } = subject;

  it("shows in `buffered` that the peer has ended inside a frame", () => {
    const bytes = wire(framing, [samples[1]!]);
    for (let end = 0; end < bytes.length; end++) {
      const decoder = framing.decoder();
      expect(feed(decoder, [Buffer.from(bytes.subarray(0, end))])).toEqual([]);
      expect(decoder.buffered).toBe(end);
    }
  });

  it("counts in `buffered` every byte that has not been given out", () => {
    const decoder = framing.decoder();
    let left = 0;
    for (const byte of byteByByte(wire(framing, samples))) {
      decoder.push(byte);
      left += 1;
      expect(decoder.buffered).toBe(left);
      if (pullAll(decoder).length > 0) left = 0;
    }
    decoder.push(wire(framing, samples));
    for (const [i] of samples.entries()) {
      expect(decoder.buffered).toBe(wire(framing, samples.slice(i)).length);
      decoder.pull();
    }
    expect(decoder.buffered).toBe(0);
  });
}

export function keepsLittle<In, Out>(subject: Subject<In, Out>): void {
  const { framing, samples } = subject;

  it("copies the rest out of a chunk and keeps none of it", () => {
    const frames = [samples[1]!, samples[2]!];
    const bytes = wire(framing, frames);
    const start = wire(framing, [frames[0]!]).length;
    for (let cut = start; cut < bytes.length; cut++) {
      const [chunk, rest] = cutAt(bytes, [cut]) as [Buffer, Buffer];
      const decoder = framing.decoder();
      feed(decoder, [chunk]);
      expect(Object.values(decoder)).not.toContain(chunk);
      chunk.fill(0xaa);
      expect(plain(subject, feed(decoder, [rest]))).toEqual(plain(subject, [frames[1]!]));
    }
  });

  it("never allocates more than twice what has come", () => {
    const decoder = framing.decoder();
    const bytes = byteByByte(wire(framing, samples));
    let begun = 0;
    allocationsOf((sizes) => {
      for (const byte of bytes) {
        begun += 1;
        feed(decoder, [byte]);
        for (const size of sizes.splice(0)) expect(size).toBeLessThanOrEqual(Math.max(512, begun * 2));
        if (decoder.buffered === 0) begun = 0;
      }
    });
  });
}

export function keepsItsLimit<In, Out>(subject: Subject<In, Out>, limit: Limit<Out>): void {
  const { framing } = subject;

  it("takes a frame of exactly the greatest length", () => {
    const bytes = wire(framing, [limit.longest]);
    for (const chunks of [[bytes], cutAt(bytes, [1]), cutAt(bytes, [bytes.length - 1]), byteByByte(bytes)]) {
      expect(plain(subject, feed(framing.decoder(), chunks))).toEqual(plain(subject, [limit.longest]));
    }
  });

  it("refuses a longer frame as soon as that is certain, and not before", () => {
    const decoder = framing.decoder();
    const before = byteByByte(limit.tooLong.subarray(0, limit.refusedAfter - 1));
    expect(feed(decoder, before)).toEqual([]);
    decoder.push(Buffer.from(limit.tooLong.subarray(limit.refusedAfter - 1, limit.refusedAfter)));
    expect(thrownBy(() => decoder.pull())).toMatchObject({ code: "frame_too_long", name: "FramingError" });
  });

  it("gives out what came before a frame that is too long, then refuses for good", () => {
    const decoder = framing.decoder();
    decoder.push(Buffer.concat([wire(framing, [limit.longest]), limit.tooLong]));
    expect(plain(subject, [decoder.pull()!])).toEqual(plain(subject, [limit.longest]));
    for (let again = 0; again < 3; again++) {
      expect(thrownBy(() => decoder.pull()).code).toBe("frame_too_long");
    }
  });
}

export function refusesCheaply<In, Out>({ framing }: Subject<In, Out>, limit: Limit<Out>): void {
  it("allocates nothing for a frame that it refuses", () => {
    const decoder = framing.decoder();
    decoder.push(Buffer.from(limit.tooLong));
    expect(allocationsOf(() => thrownBy(() => decoder.pull()))).toEqual([]);
  });

  it("refuses to send a frame that is too long, with what to do about it", () => {
    const error = thrownBy(() => framing.encodedLength(limit.unsendable));
    expect(error.code).toBe("send_too_long");
    expect(error.message).toMatch(/\d+ bytes and the limit is \d+; split it/);
  });
}
