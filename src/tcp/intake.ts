/**
 * The read side of one connection: what was received and not yet handled, and how many frames are asked for.
 *
 *   chunk ─┬─ the decoder is hungry ─▶ decoder ──frame──▶ handler
 *          └─ it is not ─▶ held, and reading stops: TCP pushes back on the client
 *
 * Nothing is decided here about when a frame is handled; that is the connection's rule.
 */
import type { Decoder } from "../framing/framing.js";
import type { Socket } from "../transport/transport.js";
import type { Counters } from "./counters.js";
import type { Active } from "./protocol.js";

/** No frame has begun. */
export const NONE = -1;
/** No number of frames was asked for. */
export const UNLIMITED = -1;

export class Intake {
  bytesReceived = 0;
  /** The decoder has given out all its frames and needs bytes. */
  hungry = true;
  /** The peer has finished sending. */
  ended = false;
  /** Frames that may be handled before `passive`; `UNLIMITED` unless a number was asked for. */
  credit = UNLIMITED;
  /** `active: true`: frames are handled whether or not the output has room. */
  heedless = false;
  /** When the last whole frame was handled, in clock milliseconds. */
  lastFrameAt: number;
  /** Until then its silence does not count. */
  excusedAt = 0;
  /** When the frame that is not yet whole began; `NONE` when there is none. */
  partialSince = NONE;
  readonly #decoder: Decoder<any>;
  readonly #socket: Socket;
  readonly #counters: Counters;
  /** A chunk that came while the decoder was not hungry; reading is paused. */
  #held: Buffer | undefined = undefined;

  constructor(decoder: Decoder<any>, socket: Socket, counters: Counters, now: number) {
    this.#decoder = decoder;
    this.#socket = socket;
    this.#counters = counters;
    this.lastFrameAt = now;
  }

  /** Since when the peer can be called silent. */
  get heardAt(): number {
    return Math.max(this.lastFrameAt, this.excusedAt);
  }

  /** Bytes that were received and not handled. */
  get waiting(): number {
    return this.#decoder.buffered + (this.#held?.length ?? 0);
  }

  /** Of these, what the decoder has. */
  get buffered(): number {
    return this.#decoder.buffered;
  }

  /** Bytes whose frames were given out. */
  get consumed(): number {
    return this.bytesReceived - this.waiting;
  }

  /** @returns whether there may be frames now */
  take(chunk: Buffer): boolean {
    this.bytesReceived += chunk.length;
    this.#counters.bytesReceived += chunk.length;
    if (!this.hungry) {
      this.#held = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
      this.#counters.readsPaused++;
      this.#socket.pause();
      return false;
    }
    this.hungry = false;
    this.#decoder.push(chunk);
    return true;
  }

  /**
   * The next frame; `undefined` when there is none.
   * @throws FramingError when the bytes are no frame
   */
  pull(): any {
    return this.#decoder.pull();
  }

  /**
   * The decoder has no frame left: gives it what was held back, and reads on.
   * @returns how many bytes that were
   */
  refill(): number {
    this.hungry = true;
    const held = this.#held;
    if (!held) return 0;
    this.#held = undefined;
    this.hungry = false;
    this.#decoder.push(held);
    this.#socket.resume();
    return held.length;
  }

  /** Nothing of it is wanted any more. Reads on all the same: a client that cannot send may never get to reading. */
  discard(): void {
    if (!this.#held) return;
    this.#held = undefined;
    this.#socket.resume();
  }

  /** Asks for frames in another way; a number is added to those that are still to come. */
  ask(active: Active): void {
    this.heedless = active === true;
    if (typeof active !== "number") this.credit = UNLIMITED;
    else this.credit = (this.credit === UNLIMITED ? 0 : this.credit) + active;
  }
}
