/** A short run of the fuzzer, and proof that it notices a faulty decoder. */
import { expect, it } from "vitest";
import { fuzz } from "../../scripts/check/fuzz/run.js";
import { TARGETS } from "../../scripts/check/fuzz/targets.js";
import type { BorrowingDecoder } from "../../src/framing/framing.js";
import { packet } from "../../src/framing/packet.js";

it("no decoder depends on cuts or on memory used again, or throws another error, in 20,000 cases", () => {
  expect(fuzz(TARGETS, 13, 20_000)).toBeUndefined();
});

function faulty(change: (decoder: BorrowingDecoder<Buffer>) => void) {
  const framing = packet(1);
  const decoder = () => {
    const made = packet(1).decoder() as BorrowingDecoder<Buffer>;
    change(made);
    return made;
  };
  const pieces = [Buffer.from("\x05hello"), Buffer.from("\x01")];
  const wrapped = {
    name: "faulty",
    decoder,
    encodedLength: framing.encodedLength.bind(framing),
    encodeInto: framing.encodeInto.bind(framing),
  };
  return { title: "faulty", framing: wrapped, pieces, bounded: true };
}

it("a decoder that keeps borrowed memory is noticed", () => {
  const found = fuzz([faulty((decoder) => Object.assign(decoder, { copyRest: () => {} }))], 1, 5000);
  // With nothing copied, a rest stays in memory that is overwritten, or is pushed over.
  expect(found?.target ?? "none").toBe("faulty");
});

it("a decoder that throws another error is noticed", () => {
  const pull = () => {
    throw new RangeError("boom");
  };
  expect(fuzz([faulty((decoder) => Object.assign(decoder, { pull }))], 1, 100)?.what).toContain(
    "RangeError: boom",
  );
});
