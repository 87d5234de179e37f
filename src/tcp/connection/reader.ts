/**
 * Both directions of one connection. Its write side is `outlet.ts`, the same object in two files, so that nothing
 * is paid for the seam. Here is its read side: what was received and not yet handled, and how many frames are
 * asked for.
 *
 *   chunk ─┬─ the decoder is hungry ─▶ decoder ──frame──▶ handler
 *          │                             └ frames wait for a turn, or for room: reading stops
 *          └─ it is not ─▶ held, and reading stops: TCP pushes back on the client
 *
 * Nothing is decided here about when a frame is handled; that is the connection's rule.
 */

import type { ReusedBuffer } from "../../framing/buffer-view.js";
import type { BorrowingDecoder, Decoder } from "../../framing/framing.js";
import { copyOut } from "../../framing/partial-frame.js";
import type { Socket } from "../../transport/transport.js";
import { wholeMs } from "../loop/timer-wheel.js";
import type { Active } from "../protocol/protocol.js";
import { ENDED, HEEDLESS, HUNGRY, PAUSED, PUSHED_BACK } from "./flags.js";
import { Writer, type WriterOwner } from "./writer.js";

/** No frame has begun. */
export const NONE = -1;
/** No number of frames was asked for. */
const UNLIMITED = -1;

export class ReaderWriter extends Writer {
  bytesReceived = 0;
  /** Frames that may be handled before `passive`; `UNLIMITED` unless a number was asked for. */
  credit = UNLIMITED;
  /** When the connection was accepted, in clock milliseconds. */
  readonly openedAt: number;
  /** When the last whole frame was handled. */
  lastFrameAt: number;
  /** Until then its silence does not count. */
  excusedAt = 0;
  /** When the frame that is not yet whole began; `NONE` when there is none. */
  partialSince = NONE;
  /** While nothing is buffered none is kept, where the framing allows it: most connections are idle. */
  #decoder: Decoder<any> | undefined = undefined;
  /** A chunk that came while the decoder was not hungry; reading is paused. */
  #held: Buffer | undefined = undefined;

  /** @param owner is looked at when an outstanding write may have made no progress for too long */
  constructor(owner: WriterOwner, socket: Socket) {
    super(owner, socket);
    const now = wholeMs();
    this.flags = HUNGRY;
    this.openedAt = now;
    this.lastFrameAt = now;
  }

  /** The decoder has given out all its frames and needs bytes. */
  get hungry(): boolean {
    return this.has(HUNGRY);
  }

  /** The peer has finished sending. */
  get ended(): boolean {
    return this.has(ENDED);
  }

  /** `active: true`: frames are handled whether or not the output has room. */
  private get heedless(): boolean {
    return this.has(HEEDLESS);
  }

  /** The output has no room, and that is heeded: no frame is handled. */
  get blocked(): boolean {
    return this.full && !this.heedless;
  }

  /** Since when the peer can be called silent. */
  get heardAt(): number {
    return Math.max(this.lastFrameAt, this.excusedAt);
  }

  /** The peer has finished sending: nothing comes any more. */
  end(): void {
    this.put(ENDED, true);
  }

  /** Bytes that were received and not handled. */
  get unhandled(): number {
    return this.buffered + (this.#held?.length ?? 0);
  }

  /** Of these, what the decoder has. */
  get buffered(): number {
    return this.#decoder?.buffered ?? 0;
  }

  /** Bytes whose frames were given out. */
  get consumed(): number {
    return this.bytesReceived - this.unhandled;
  }

  /** @returns whether there may be frames now */
  take(chunk: Buffer): boolean {
    this.count(chunk.length);
    if (!this.hungry) return this.hold(chunk);
    this.feed().push(chunk);
    return true;
  }

  /**
   * As `take`, for memory that is used again when `keep` has been called.
   * @returns whether there may be frames now
   */
  lend(source: ReusedBuffer, length: number): boolean {
    this.count(length);
    if (!this.hungry) return this.hold(Buffer.from(source.view(0, length)));
    const decoder = this.feed();
    const frameMemory = this.owner.protocol.readMemory;
    if (canBorrow(decoder)) decoder.pushBorrowed(source, length, frameMemory);
    else decoder.push(copyOut(source, 0, length, frameMemory));
    return true;
  }

  /** Copies what has not been pulled out of the memory that was lent. */
  keep(): void {
    const decoder = this.#decoder;
    if (!this.hungry && decoder && canBorrow(decoder)) decoder.copyRest(this.owner.protocol.readMemory);
  }

  private feed(): Decoder<any> {
    this.put(HUNGRY, false);
    return (this.#decoder ??= this.owner.protocol.takeDecoder());
  }

  private count(bytes: number): void {
    this.bytesReceived += bytes;
    this.owner.endpoint.counters.bytesReceived += bytes;
  }

  private hold(chunk: Buffer): false {
    this.#held = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    this.pushBack();
    return false;
  }

  /** Frames wait, for a turn or for room in the output: no more is read until they are handled. */
  pause(): void {
    if (this.buffered === 0) return;
    if (this.blocked) this.pushBack();
    else this.stopReading();
  }

  /** What the frames wait for may never come: reads on, or nobody would notice that the peer has gone. */
  listen(): void {
    if (this.#held === undefined) this.readOn();
  }

  private pushBack(): void {
    if (!this.has(PUSHED_BACK)) this.owner.endpoint.counters.readsPaused++;
    this.put(PUSHED_BACK, true);
    this.stopReading();
  }

  private stopReading(): void {
    if (this.has(PAUSED)) return;
    this.put(PAUSED, true);
    this.socket.pause();
  }

  private readOn(): void {
    if (!this.has(PAUSED)) return;
    this.put(PAUSED | PUSHED_BACK, false);
    this.socket.resume();
  }

  /**
   * The next frame; `undefined` when there is none.
   * @throws FramingError when the bytes are no frame
   */
  pull(): any {
    return this.#decoder?.pull();
  }

  /**
   * The decoder has no frame left: gives it what was held back, and reads on.
   * @returns how many bytes that were
   */
  refill(): number {
    this.put(HUNGRY, true);
    this.readOn();
    const held = this.#held;
    if (!held) {
      if (this.#decoder && this.owner.protocol.returnDecoder(this.#decoder)) this.#decoder = undefined;
      return 0;
    }
    this.#held = undefined;
    this.feed().push(held);
    return held.length;
  }

  /** Nothing of it is wanted any more. Reads on all the same: a client that cannot send may never get to reading. */
  discard(): void {
    this.#held = undefined;
    this.readOn();
  }

  /** Asks for frames in another way; a number is added to those that are still to come. */
  ask(active: Active): void {
    this.put(HEEDLESS, active === true);
    if (typeof active !== "number") this.credit = UNLIMITED;
    else this.credit = (this.credit === UNLIMITED ? 0 : this.credit) + active;
  }
}

/** Whether it can look at memory that is only lent. */
function canBorrow(decoder: Decoder<any>): decoder is BorrowingDecoder<any> {
  return (decoder as BorrowingDecoder<any>).pushBorrowed !== undefined;
}
