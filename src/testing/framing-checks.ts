/**
 * Conformance checks of a framing: what every framing has to hold to, as a list of named functions for any test runner.
 * `for (const { name, run } of framingChecks({ framing, samples })) test(name, run)`.
 */
import assert from "node:assert/strict";
import { ReusedBuffer } from "../framing/buffer-view.js";
import {
  type BorrowingDecoder,
  type Decoder,
  encode,
  type FrameMemory,
  type Framing,
  FramingError,
} from "../framing/framing.js";

export interface FramingChecksOptions<In, Out> {
  readonly framing: Framing<In, Out>;
  /** At least three frames to send: short and long ones, an empty one among them if there is such a frame. */
  readonly samples: readonly Out[];
  /**
   * A frame as a plain value, the same for what is sent and for what is then received. Default: bytes as hexadecimal
   * digits, text as that of its UTF-8, anything else as JSON.
   */
  readonly value?: (frame: In | Out) => unknown;
  /** Bytes that are no frame: `pull` must throw a `FramingError`, at every call. Default: none. */
  readonly invalid?: readonly Uint8Array[];
  /** Random pieces and random bytes, for each check that uses them. Default 200. */
  readonly runs?: number;
}

export interface FramingCheck {
  readonly name: string;
  /** @throws AssertionError */
  run(): void;
}

/** @throws TypeError with fewer than three samples */
export function framingChecks<In, Out>(options: FramingChecksOptions<In, Out>): FramingCheck[] {
  if (!(options.samples?.length >= 3))
    throw new TypeError("framingChecks: give at least three frames as samples");
  const checks = new Checks(options);
  const list: [name: string, run: () => void][] = [
    ["reads frames that come whole", () => checks.reads((frames) => frames)],
    ["reads many frames out of one chunk, in order", () => checks.reads((frames) => [Buffer.concat(frames)])],
    ["reads frames that come byte by byte", () => checks.reads((frames) => bytesOf(Buffer.concat(frames)))],
    ["reads frames cut in two at any byte", () => checks.cutAnywhere()],
    ["reads the same frames out of any pieces", () => checks.anyPieces()],
    ["comes to the same verdict on any bytes, however they are cut", () => checks.anyBytes()],
    ["gives out frames that later chunks leave as they are", () => checks.leavesFrames()],
    ["takes an empty chunk for nothing", () => checks.emptyChunk()],
    ["refuses a chunk while frames of the last one wait", () => checks.pushedTooEarly()],
    ["gives each connection a decoder of its own", () => checks.separate()],
    ["counts in `buffered` what was not given out", () => checks.buffered()],
    ["writes exactly encodedLength bytes, at the given offset", () => checks.encodes()],
    ["throws a FramingError for what is no frame, at every call", () => checks.invalid()],
    ["has in `rest` what was not given out, if it has one", () => checks.rest()],
    ["reads borrowed memory, if it can, and keeps nothing of it", () => checks.borrowed()],
  ];
  return list.map(([name, run]) => ({ name, run }));
}

class Checks<In, Out> {
  readonly #framing: Framing<In, Out>;
  readonly #samples: readonly Out[];
  readonly #wires: readonly Buffer[];
  readonly #all: Buffer;
  readonly #expected: readonly unknown[];
  readonly #value: (frame: In | Out) => unknown;
  readonly #invalid: readonly Uint8Array[];
  readonly #runs: number;

  constructor({ framing, samples, value = plain, invalid = [], runs = 200 }: FramingChecksOptions<In, Out>) {
    this.#framing = framing;
    this.#samples = samples;
    this.#wires = samples.map((frame) => encode(framing, frame));
    this.#all = Buffer.concat(this.#wires);
    this.#expected = samples.map(value);
    this.#value = value;
    this.#invalid = invalid;
    this.#runs = runs;
  }

  #values(frames: readonly (In | Out)[]): unknown[] {
    return frames.map((frame) => this.#value(frame));
  }

  reads(cut: (frames: readonly Buffer[]) => readonly Buffer[]): void {
    const decoder = this.#framing.decoder();
    assert.deepEqual(this.#values(feed(decoder, cut(this.#wires))), this.#expected);
    assert.equal(decoder.buffered, 0, "buffered is not 0 after the last frame");
  }

  cutAnywhere(): void {
    for (const [at, bytes] of this.#wires.entries())
      for (let cut = 0; cut <= bytes.length; cut++) {
        const frames = feed(this.#framing.decoder(), cutAt(bytes, [cut]));
        assert.deepEqual(this.#values(frames), [this.#expected[at]], `sample ${at}, cut at byte ${cut}`);
      }
  }

  anyPieces(): void {
    const random = randomOf(1);
    for (let run = 0; run < this.#runs; run++) {
      const cuts = placesOf(random, this.#all.length);
      const frames = feed(this.#framing.decoder(), cutAt(this.#all, cuts));
      assert.deepEqual(this.#values(frames), this.#expected, `cut at ${cuts.join(", ")}`);
    }
  }

  anyBytes(): void {
    const random = randomOf(2);
    for (let run = 0; run < this.#runs; run++) {
      const bytes = Buffer.from(Array.from({ length: random(300) }, () => random(256)));
      // Half of them begin as frames do.
      if (run % 2 === 0) this.#all.copy(bytes, 0, 0, random(this.#all.length + 1));
      const cuts = placesOf(random, bytes.length);
      const hex = bytes.toString("hex");
      const whole = this.#verdict([Buffer.from(bytes)]);
      assert.deepEqual(this.#verdict(cutAt(bytes, cuts)), whole, `${hex}, cut at ${cuts.join(", ")}`);
      assert.deepEqual(this.#verdict(bytesOf(bytes)), whole, `${hex}, byte by byte`);
    }
  }

  /** The frames, then how many bytes wait, or the code of the error. Any other error is passed on. */
  #verdict(chunks: readonly Buffer[]): unknown[] {
    const decoder = this.#framing.decoder();
    const frames: In[] = [];
    try {
      for (const chunk of chunks) feed(decoder, [chunk], frames);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      return [...this.#values(frames), error.code];
    }
    return [...this.#values(frames), decoder.buffered];
  }

  leavesFrames(): void {
    const decoder = this.#framing.decoder();
    const frames = feed(decoder, cutAt(this.#all, [3, this.#all.length >> 1]));
    const before = this.#values(frames);
    feed(decoder, [...bytesOf(this.#all), Buffer.from(this.#all)]);
    assert.deepEqual(this.#values(frames), before);
  }

  emptyChunk(): void {
    const decoder = this.#framing.decoder();
    assert.deepEqual(feed(decoder, [Buffer.alloc(0), Buffer.alloc(0)]), []);
    assert.equal(decoder.buffered, 0);
  }

  pushedTooEarly(): void {
    const decoder = this.#framing.decoder();
    decoder.push(Buffer.from(this.#all));
    assert.throws(
      () => decoder.push(Buffer.from(this.#all)),
      "push() must throw before pull() has returned undefined",
    );
    assert.deepEqual(this.#values(feed(decoder, [])), this.#expected);
  }

  separate(): void {
    const [one, other] = [this.#framing.decoder(), this.#framing.decoder()];
    one.push(Buffer.from(this.#all));
    assert.equal(other.pull(), undefined);
    assert.deepEqual([one.buffered, other.buffered], [this.#all.length, 0]);
  }

  buffered(): void {
    const decoder = this.#framing.decoder();
    decoder.push(Buffer.from(this.#all));
    for (const [at] of this.#wires.entries()) {
      assert.equal(decoder.buffered, Buffer.concat(this.#wires.slice(at)).length, `before frame ${at}`);
      decoder.pull();
    }
    assert.equal(decoder.buffered, 0);
  }

  encodes(): void {
    for (const [at, frame] of this.#samples.entries()) {
      const length = this.#framing.encodedLength(frame);
      const target = Buffer.alloc(length + 8, 0xee);
      assert.equal(
        this.#framing.encodeInto(frame, target, 5),
        5 + length,
        `sample ${at}: the offset after it`,
      );
      const around = Buffer.concat([target.subarray(0, 5), target.subarray(5 + length)]);
      assert.deepEqual(around, Buffer.alloc(8, 0xee), `sample ${at}: bytes around it were written`);
      assert.deepEqual(target.subarray(5, 5 + length), this.#wires[at]);
    }
  }

  invalid(): void {
    for (const bytes of this.#invalid) {
      const decoder = this.#framing.decoder();
      decoder.push(Buffer.from(bytes));
      for (let again = 0; again < 3; again++) assert.throws(() => decoder.pull(), FramingError);
    }
  }

  rest(): void {
    for (let cut = 0; cut <= this.#all.length; cut++) {
      const decoder = this.#framing.decoder();
      if (decoder.rest === undefined) return;
      decoder.push(Buffer.from(this.#all.subarray(0, cut)));
      do {
        const expected = this.#all.subarray(cut - decoder.buffered, cut);
        assert.deepEqual(Buffer.from(decoder.rest()), Buffer.from(expected), `of ${cut} bytes`);
      } while (decoder.pull() !== undefined);
    }
  }

  borrowed(): void {
    const random = randomOf(3);
    for (let run = 0; run < this.#runs; run++) {
      const decoder = this.#framing.decoder() as BorrowingDecoder<In>;
      if (decoder.pushBorrowed === undefined) return;
      const borrowed = run % 2 === 0;
      const seen: unknown[] = [];
      const kept: In[] = [];
      for (const chunk of cutAt(this.#all, placesOf(random, this.#all.length))) {
        const source = new ReusedBuffer(chunk);
        const memory = memoryOf(2 * this.#all.length, borrowed);
        decoder.pushBorrowed(source, chunk.length, memory);
        for (let frame = decoder.pull(); frame !== undefined; frame = decoder.pull()) {
          seen.push(this.#value(frame));
          kept.push(frame);
        }
        decoder.copyRest(memory);
        chunk.fill(0xaa);
      }
      assert.deepEqual(seen, this.#expected);
      if (!borrowed) assert.deepEqual(this.#values(kept), this.#expected, "kept frames were overwritten");
    }
  }
}

function plain(frame: unknown): unknown {
  if (typeof frame === "string") return Buffer.from(frame).toString("hex");
  return frame instanceof Uint8Array ? Buffer.from(frame).toString("hex") : JSON.stringify(frame);
}

function feed<In>(decoder: Decoder<In>, chunks: readonly Buffer[], frames: In[] = []): In[] {
  const pull = () => {
    for (let frame = decoder.pull(); frame !== undefined; frame = decoder.pull()) frames.push(frame);
  };
  pull();
  for (const chunk of chunks) {
    decoder.push(chunk);
    pull();
  }
  return frames;
}

/** Each piece in memory of its own, as chunks from a socket are. */
function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
  return edges.slice(1).map((edge, at) => Buffer.from(bytes.subarray(edges[at], edge)));
}

function bytesOf(bytes: Buffer): Buffer[] {
  return [...bytes].map((byte) => Buffer.of(byte));
}

/** The same numbers in each run: a failure can be repeated. (mulberry32) */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  };
}

function placesOf(random: (below: number) => number, length: number): number[] {
  return Array.from({ length: random(12) }, () => random(length + 1));
}

function memoryOf(length: number, borrowed: boolean): FrameMemory {
  const buffer = Buffer.alloc(length);
  let used = 0;
  return {
    ...{ borrowed, buffer, memory: buffer.buffer },
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
