// Frames in flight of one connection, without its socket: which were sent and when, and whether the echo equals
// them. The cost per frame is arithmetic on fields.

import type { Framing } from "../../both-sides/framing.js";
import type { Histogram } from "../../both-sides/histogram.js";
import { FrameRing } from "./frame-ring.js";

/** How the received bytes differ from the frames sent. */
export interface Mismatch {
  wrongBytes: number;
  detail: string;
}

export class InFlightFrames {
  readonly window: number;
  sent = 0;
  echoed = 0;
  /** Bytes received of the frame that is being echoed. */
  partial = 0;
  readonly #ring: FrameRing;
  readonly #sentAt: Float64Array;
  /** Offset in the ring of the next byte to be echoed. */
  #position = 0;

  constructor(framing: Framing, size: number, window: number, connectionId: number) {
    this.window = window;
    this.#ring = new FrameRing(framing, size, window, connectionId);
    this.#sentAt = new Float64Array(window);
  }

  get inFlight(): number {
    return this.sent - this.echoed;
  }

  get frameLength(): number {
    return this.#ring.frameLength;
  }

  get oldestSentAt(): number {
    return this.#sentAt[this.echoed % this.window]!;
  }

  /**
   * The next frames as one buffer, as many as the window has room for and `limit` allows. The buffer is valid until
   * they are echoed. The latency of the first counts from `at`, of each further one from `step` ms later.
   */
  next(limit: number, at: number, step = 0): Buffer | undefined {
    const { window } = this;
    const count = Math.min(window - this.inFlight, limit);
    if (count <= 0) return undefined;
    const { bytes, frameLength } = this.#ring;
    const first = this.sent % window;
    for (let i = 0; i < count; i++) {
      const slot = (first + i) % window;
      this.#ring.stamp(slot, this.sent++);
      this.#sentAt[slot] = at + i * step;
    }
    const untilEnd = Math.min(count, window - first);
    const head = bytes.subarray(first * frameLength, (first + untilEnd) * frameLength);
    if (untilEnd === count) return head;
    return Buffer.concat([head, bytes.subarray(0, (count - untilEnd) * frameLength)]);
  }

  /** Forgets the last frame, which was not sent completely: no echo is expected. */
  withdraw(): void {
    this.sent--;
  }

  /** Verifies the first `length` bytes of a chunk and records the latency of each completed frame. */
  receive(chunk: Buffer, length: number, now: number, latency: Histogram): Mismatch | undefined {
    const { bytes, frameLength } = this.#ring;
    for (let offset = 0; offset < length; ) {
      const owed = this.inFlight * frameLength - this.partial;
      const span = Math.min(length - offset, owed, bytes.length - this.#position);
      if (span === 0) return this.#surplus(length - offset);
      const end = this.#position + span;
      const equal = chunk.compare(bytes, this.#position, end, offset, offset + span) === 0;
      if (!equal) return this.#wrong(chunk.subarray(offset, offset + span), now, latency);
      this.#accept(span, now, latency);
      offset += span;
    }
    return undefined;
  }

  #accept(length: number, now: number, latency: Histogram): void {
    const { bytes, frameLength } = this.#ring;
    const have = this.partial + length;
    const frames = Math.floor(have / frameLength);
    this.partial = have - frames * frameLength;
    this.#position = (this.#position + length) % bytes.length;
    for (let i = 0; i < frames; i++) latency.record(now - this.#sentAt[this.echoed++ % this.window]!);
  }

  #wrong(chunk: Buffer, now: number, latency: Histogram): Mismatch {
    const expected = this.#ring.bytes.subarray(this.#position, this.#position + chunk.length);
    const first = chunk.findIndex((byte, i) => byte !== expected[i]);
    const wrongBytes = chunk.reduce((sum, byte, i) => sum + (byte === expected[i] ? 0 : 1), 0);
    this.#accept(first, now, latency);
    const place = `byte ${this.partial} of ${this.frameLength} of frame ${this.echoed}`;
    return { wrongBytes, detail: `${place} is ${hex(chunk[first]!)}, sent was ${hex(expected[first]!)}` };
  }

  #surplus(length: number): Mismatch {
    return { wrongBytes: length, detail: `${length} bytes more than were sent, after ${this.echoed} frames` };
  }
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
