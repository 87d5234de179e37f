/**
 * What every framing has to hold to, run against each of them. A framing of your own can be put through it:
 * `conforms("mine", { framing: mine(), … })`.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FramingError } from "../../../src/framing/framing.js";
import { byteByByte, cutAt, cutBytes, feed, pullAll, thrownBy, wire } from "../feed.js";
import { keepsItsLimit, keepsLittle, knowsWhatIsBegun, refusesCheaply } from "./bounds.js";
import { handsOverTheRest } from "./rest.js";
import { plain, type Subject } from "./subject.js";

export function conforms<In, Out>(title: string, subject: Subject<In, Out>): void {
  describe(title, () => {
    reads(subject);
    keepsFramesApart(subject);
    sends(subject);
    holdsUnderChance(subject);
    handsOverTheRest(subject);
    if (subject.bounded) {
      knowsWhatIsBegun(subject);
      keepsLittle(subject);
    }
    if (subject.limit) {
      keepsItsLimit(subject, subject.limit);
      refusesCheaply(subject, subject.limit);
    }
  });
}

function reads<In, Out>(subject: Subject<In, Out>): void {
  const { framing, samples } = subject;
  const all = wire(framing, samples);
  const sent = plain(subject, samples);

  it("reads a frame that comes whole", () => {
    const chunks = samples.map((frame) => wire(framing, [frame]));
    expect(plain(subject, feed(framing.decoder(), chunks))).toEqual(sent);
  });

  it("reads many frames out of one chunk, in order", () => {
    expect(plain(subject, feed(framing.decoder(), [Buffer.from(all)]))).toEqual(sent);
  });

  it("reads a frame cut in two at any byte", () => {
    for (const frame of samples) {
      const bytes = wire(framing, [frame]);
      for (let at = 0; at <= bytes.length; at++) {
        expect(plain(subject, feed(framing.decoder(), cutAt(bytes, [at])))).toEqual(plain(subject, [frame]));
      }
    }
  });

  it("reads frames that come byte by byte", () => {
    expect(plain(subject, feed(framing.decoder(), byteByByte(all)))).toEqual(sent);
  });

  it("reads on where a chunk ends one frame and begins the next", () => {
    const [first, second, third] = [samples[0]!, samples[1]!, samples[2]!];
    const ends = [first, second].map((frame) => wire(framing, [frame]).length);
    const bytes = wire(framing, [first, second, third]);
    const cuts = [ends[0]! - 1, ends[0]! + 1, ends[0]! + ends[1]!];
    expect(plain(subject, feed(framing.decoder(), cutAt(bytes, cuts)))).toEqual(
      plain(subject, [first, second, third]),
    );
  });
}

function keepsFramesApart<In, Out>(subject: Subject<In, Out>): void {
  const { framing, samples } = subject;
  const all = wire(framing, samples);

  it("gives out frames that later chunks leave as they are", () => {
    const decoder = framing.decoder();
    const kept = feed(decoder, cutAt(all, [3, Math.floor(all.length / 2)]));
    const before = plain(subject, kept);
    feed(decoder, [...byteByByte(all), ...cutAt(all, [7])]);
    expect(plain(subject, kept)).toEqual(before);
  });

  it("takes an empty chunk for nothing", () => {
    const decoder = framing.decoder();
    expect(feed(decoder, [Buffer.alloc(0), Buffer.alloc(0)])).toEqual([]);
    expect(decoder.buffered).toBe(0);
  });

  it("refuses a chunk while frames of the last one are waiting", () => {
    const decoder = framing.decoder();
    decoder.push(Buffer.from(all));
    expect(() => decoder.push(Buffer.from(all))).toThrow("pull");
    expect(plain(subject, pullAll(decoder))).toEqual(plain(subject, samples));
  });

  it("gives each connection a decoder of its own", () => {
    const [one, other] = [framing.decoder(), framing.decoder()];
    one.push(Buffer.from(all));
    expect(other.pull()).toBeUndefined();
    expect([one.buffered, other.buffered]).toEqual([all.length, 0]);
  });
}

function sends<In, Out>(subject: Subject<In, Out>): void {
  const { framing, samples, unframable = [undefined, null, 7, { a: 1 }, [1]] } = subject;

  it("writes exactly encodedLength bytes, at the given offset", () => {
    for (const frame of samples) {
      const length = framing.encodedLength(frame);
      const target = Buffer.alloc(length + 8, 0xee);
      expect(framing.encodeInto(frame, target, 5)).toBe(5 + length);
      expect(target.subarray(0, 5)).toEqual(Buffer.alloc(5, 0xee));
      expect(target.subarray(5 + length)).toEqual(Buffer.alloc(3, 0xee));
      expect(target.subarray(5, 5 + length)).toEqual(wire(framing, [frame]));
    }
  });

  it("refuses to send what is no frame at all", () => {
    for (const wrong of unframable) {
      const error = thrownBy(() => framing.encodedLength(wrong as Out));
      expect([error instanceof FramingError, error.code]).toEqual([true, "send_invalid"]);
    }
  });
}

function holdsUnderChance<In, Out>(subject: Subject<In, Out>): void {
  const { framing, arbitrary } = subject;

  it("gives back any frames, however their bytes are cut", () => {
    const frames = fc.array(arbitrary, { maxLength: 12 });
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
    fc.assert(
      fc.property(frames, cuts, (some, places) => {
        const bytes = wire(framing, some);
        const at = places.map((place) => Math.floor(place * bytes.length));
        const decoder = framing.decoder();
        expect(plain(subject, feed(decoder, cutAt(bytes, at)))).toEqual(plain(subject, some));
        expect(decoder.buffered).toBe(0);
      }),
    );
  });

  it("reads the same frames out of any bytes, and comes to the same verdict, however they are cut", () => {
    const bytes = fc.uint8Array({ maxLength: 600 }).map((some) => Buffer.from(some));
    fc.assert(
      fc.property(cutBytes(bytes), ({ bytes, cuts }) => {
        const whole = verdict(subject, [Buffer.from(bytes)]);
        expect(verdict(subject, cutAt(bytes, cuts))).toEqual(whole);
        expect(verdict(subject, byteByByte(bytes))).toEqual(whole);
      }),
    );
  });
}

/** What came out: the frames, and why it ended if it did. Only a FramingError may end it. */
function verdict<In, Out>(subject: Subject<In, Out>, chunks: readonly Buffer[]): unknown {
  const decoder = subject.framing.decoder();
  const frames: In[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      pullAll(decoder, frames);
    }
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return [plain(subject, frames), error.code];
  }
  return [plain(subject, frames), decoder.buffered];
}
