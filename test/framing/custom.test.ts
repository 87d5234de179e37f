/** `customFraming`: holds to what every framing does, and says what is wrong with the two functions. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReusedBuffer } from "../../src/framing/buffer-view.js";
import { customFraming } from "../../src/framing/custom/custom.js";
import type { BorrowingDecoder } from "../../src/framing/framing.js";
import { FramingError } from "../../src/index.js";
import { framingChecks } from "../../src/testing/framing-checks.js";
import { conforms } from "./conformance/conformance.js";
import { memoryOf } from "./conformance/rest.js";
import { byteByByte, feed, thrownBy, wire } from "./feed.js";

/** A byte with the length, the bytes, and their sum. */
function summed({ asks = false, maxLength = 300 } = {}) {
  return customFraming<Buffer, Uint8Array>({
    name: "summed",
    maxLength,
    decode(bytes) {
      const length = (bytes[0] as number) + 2;
      if (bytes.length < length) return asks ? length : undefined;
      const frame = bytes.subarray(1, length - 1);
      if (sum(frame) !== bytes[length - 1]) throw new FramingError("frame_invalid", "crc");
      return { frame, length };
    },
    encode(frame) {
      if (!(frame instanceof Uint8Array)) throw new FramingError("send_invalid", "summed sends a Buffer");
      if (frame.length > 200)
        throw new FramingError(
          "send_too_long",
          `the frame has ${frame.length} bytes and the limit is 200; split it`,
        );
      return Buffer.from([frame.length, ...frame, sum(frame)]);
    },
  });
}

const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 255, 0);

const subject = {
  samples: [
    Buffer.from("hello"),
    Buffer.of(0, 9, 255),
    Buffer.of(),
    Buffer.of(1),
    Buffer.alloc(190, "ab"),
    Buffer.of(),
  ],
  arbitrary: fc.uint8Array({ maxLength: 190 }).map((some) => Buffer.from(some)),
  value: (frame: Uint8Array) => Buffer.from(frame).toString("hex"),
  bounded: true,
};

conforms("customFraming", { ...subject, framing: summed() });
conforms("customFraming that asks for a number of bytes, with a limit", {
  ...subject,
  framing: summed({ asks: true, maxLength: 202 }),
  limit: {
    longest: Buffer.alloc(200, "x"),
    tooLong: Buffer.from([201, 1]),
    refusedAfter: 1,
    unsendable: Buffer.alloc(201),
  },
});

describe("the exported checks", () => {
  for (const { name, run } of framingChecks({
    framing: summed(),
    samples: subject.samples,
    invalid: [Buffer.of(0, 7)],
  }))
    it(name, run);

  const broken = (change: object) => {
    const framing = summed();
    const decoder = () => Object.assign(framing.decoder(), change);
    return framingChecks({
      framing: {
        ...framing,
        name: "broken",
        decoder,
        encodedLength: (f) => framing.encodedLength(f),
        encodeInto: (...a) => framing.encodeInto(...a),
      },
      samples: subject.samples,
    });
  };
  const failing = (checks: ReturnType<typeof broken>) =>
    checks.filter(({ run }) => {
      try {
        run();
        return false;
      } catch {
        return true;
      }
    });

  it("find a decoder that is wrong", () => {
    expect(failing(broken({}))).toEqual([]);
    expect(failing(broken({ pull: () => undefined })).length).toBeGreaterThan(5);
    expect(failing(broken({ rest: () => Buffer.of(1) })).map(({ name }) => name)).toEqual([
      expect.stringContaining("`rest`"),
    ]);
  });
});

it("works on borrowed memory where frames are borrowed, and on copies where they are kept", () => {
  const bytes = wire(summed(), subject.samples);
  for (const borrowed of [true, false]) {
    const decoder = summed().decoder() as BorrowingDecoder<Buffer>;
    const frames: string[] = [];
    const kept: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 7) {
      const shared = new ReusedBuffer(Buffer.from(bytes.subarray(at, at + 7)));
      const memory = memoryOf(64, borrowed);
      decoder.pushBorrowed(shared, shared.buffer.length, memory);
      for (let frame = decoder.pull(); frame !== undefined; frame = decoder.pull()) {
        frames.push(frame.toString("hex"));
        kept.push(frame);
      }
      decoder.copyRest(memory);
      shared.buffer.fill(0xaa);
    }
    expect(frames).toEqual(subject.samples.map((one) => one.toString("hex")));
    if (!borrowed) expect(kept.map((one) => one.toString("hex"))).toEqual(frames);
  }
});

it("takes a frame that drips byte by byte without copying it each time", () => {
  const framing = customFraming<number>({
    decode: (bytes) => (bytes.length === 60_000 ? { frame: bytes.length, length: 60_000 } : undefined),
    encode: () => Buffer.alloc(60_000),
  });
  expect(feed(framing.decoder(), byteByByte(Buffer.alloc(60_000)))).toEqual([60_000]);
});

const wrong: [made: object, says: string][] = [
  [{ encode: () => {} }, "customFraming: decode is a function (bytes) => ({ frame, length })"],
  [{ decode: () => {} }, "customFraming: encode is a function (frame) => bytes"],
  [{ decode: () => {}, encode: () => {}, max: 5 }, 'customFraming: unknown option "max"'],
  [{ decode: () => {}, encode: () => {}, name: 5 }, 'customFraming: name is a word such as "gt06"'],
  [{ decode: () => {}, encode: () => {}, maxLength: 0 }, "maxLength is a whole number of bytes from 1"],
];

it.for(wrong)("refuses %j", ([made, says]) => {
  expect(() => customFraming(made as never)).toThrow(says);
});

it("says what decode and encode have done wrong", () => {
  const framing = (result: unknown, encoded?: unknown) =>
    customFraming<string>({ name: "gt06", decode: () => result as never, encode: () => encoded as never });
  for (const length of [0, 9, 1.5, Number.NaN, undefined]) {
    const decoder = framing({ frame: "x", length }).decoder();
    decoder.push(Buffer.alloc(3));
    for (let again = 0; again < 2; again++)
      expect(thrownBy(() => decoder.pull()).message).toContain(
        "gt06: decode must return { frame, length }, with the length that it has used: 1 to 3, got",
      );
  }
  expect(thrownBy(() => framing(undefined, "text").encodedLength("x"))).toMatchObject({
    code: "send_invalid",
    message: "gt06: encode must return a Buffer, got string",
  });
});
