// Frames in flight of one connection: a ring buffer that holds them one after another exactly as sent. The echo
// must be the same ring again, so a whole chunk of replies is verified by one comparison, however many frames it holds.
import { FRAMINGS, type Framing } from "../../both-sides/framing.js";

const STAMP_DIGITS = 5;
const SEQUENCE_MASK = 2 ** (6 * STAMP_DIGITS) - 1;
const NEWLINE = 10;

// Prime, so that no frame size makes neighbouring slots begin at the same offset.
const NOISE_LENGTH = 65_521;
const noise = { binary: makeNoise(), printable: makeNoise() };
// A line must not contain a line end: only the 64 characters from ";" to "z" are used.
for (let i = 0; i < NOISE_LENGTH; i++) noise.printable[i] = 0x3b + (noise.printable[i]! & 63);

/** Pseudo-random bytes from a fixed seed: the same command always sends the same bytes, so a failure can be repeated. */
function makeNoise(): Buffer {
  const bytes = Buffer.alloc(NOISE_LENGTH);
  let state = 0x9e3779b9;
  for (let i = 0; i < NOISE_LENGTH; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export class FrameRing {
  readonly bytes: Buffer;
  readonly frameLength: number;
  readonly #header: number;
  readonly #stampDigits: number;
  readonly #firstSequence: number;

  constructor(framing: Framing, size: number, slots: number, connectionId: number) {
    const { header, trailer } = FRAMINGS[framing];
    this.frameLength = header + size + trailer;
    this.bytes = Buffer.allocUnsafeSlow(this.frameLength * slots);
    this.#header = header;
    this.#stampDigits = Math.min(STAMP_DIGITS, size);
    // Far apart, so that a frame of another connection is detected even where only the stamp fits in.
    this.#firstSequence = Math.imul(connectionId, 40_503);
    const source = framing === "line" ? noise.printable : noise.binary;
    for (let slot = 0; slot < slots; slot++) {
      const start = slot * this.frameLength;
      if (header > 0) this.bytes.writeUIntBE(size, start, header);
      fill(this.bytes, start + header, size, source, connectionId * 7_919 + slot * 1_031);
      if (trailer > 0) this.bytes[start + header + size] = NEWLINE;
    }
  }

  /** Writes sequence number `index` into the slot's frame, so that a lost, repeated or swapped frame is detected. */
  stamp(slot: number, index: number): void {
    let rest = (this.#firstSequence + index) & SEQUENCE_MASK;
    let at = slot * this.frameLength + this.#header;
    // Low digit first: payloads too small for all five digits keep the low ones.
    for (let digit = 0; digit < this.#stampDigits; digit++) {
      this.bytes[at++] = 0x3b + (rest & 63);
      rest >>>= 6;
    }
  }
}

function fill(target: Buffer, start: number, size: number, source: Buffer, seed: number): void {
  let from = seed % NOISE_LENGTH;
  for (let done = 0; done < size; from = 0) {
    done += source.copy(target, start + done, from, Math.min(NOISE_LENGTH, from + size - done));
  }
}
