/**
 * Read side of a connection: the bytes received and not yet handled, and the number of frames asked for. It extends the
 * write side (`writer.ts`): one object in two files, because a second object would cost memory per connection.
 *
 *   chunk ─┬─ the decoder is hungry ─▶ decoder ──frame──▶ handler
 *          │                             └ frames wait for a turn, or for room: reading stops
 *          └─ it is not ─▶ held, and reading stops: TCP pushes back on the client
 *
 * When a frame is handled is decided by the connection (`ready`), not here.
 */

import type { ReusedBuffer } from "../../../framing/buffer-view.js";
import type { BorrowingDecoder, Decoder } from "../../../framing/framing.js";
import { copyOut, EMPTY } from "../../../framing/partial-frame.js";
import type { Pid } from "../../../otp/process/pid.js";
import type { Socket } from "../../../transport/transport.js";
import { wholeMs } from "../../loop/timer-wheel.js";
import { COUNTED_FROM, type Unfinished } from "../../loop/unfinished-frames.js";
import type { Active } from "../../protocol/protocol.js";
import {
  COUNTED,
  ENDED,
  FULL,
  HEEDLESS,
  HELD,
  HUNGRY,
  PAUSED,
  PUSHED_BACK,
  SEALED,
  THROTTLED,
} from "../flags.js";
import { Writer, type WriterOwner } from "../output/writer.js";
import { addThrottle, isThrottled, type Throttling } from "./throttle.js";

/** No frame has begun. */
export const NONE = -1;
/** Frames are not limited by a number. */
const UNLIMITED = -1;

export class ReaderWriter extends Writer {
  declare protected readonly owner: WriterOwner & Unfinished;
  bytesReceived = 0;
  /** Frames that may be handled before `passive`; `UNLIMITED` unless a number was asked for. */
  credit = UNLIMITED;
  /** When the connection was accepted, in clock milliseconds. */
  readonly openedAt: number;
  /** When the last whole frame was handled, in clock milliseconds. */
  lastFrameAt: number;
  /** Silence of the peer before this time does not count as idle. */
  excusedAt = 0;
  /** When the first byte of an incomplete frame arrived; `NONE` when there is none. */
  partialSince = NONE;
  /** Released while nothing is buffered, where the framing allows it: most connections are idle. */
  #decoder: Decoder<any> | undefined = undefined;
  /** A chunk that arrived while the decoder still had frames; reading is paused. */
  #held: Buffer | undefined = undefined;

  /** @param owner is looked at when an outstanding write may have made no progress for too long */
  constructor(owner: WriterOwner & Unfinished, socket: Socket) {
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

  /** The output is full, and the protocol heeds that, or the connection is held or throttled: no frame is handled. */
  get blocked(): boolean {
    if (!this.has(FULL | HELD | THROTTLED)) return false;
    if (this.has(HELD) || (this.has(FULL) && !this.has(HEEDLESS))) return true;
    return this.has(THROTTLED) && isThrottled(this.owner);
  }

  /** Of the connection. */
  get pid(): Pid {
    return this.owner.pid;
  }

  /** Handles no frame while the output of `other` is full. */
  throttleBy(other: Throttling): void {
    this.put(THROTTLED, true);
    addThrottle(this.owner, other);
  }

  /** Handles no further frame until `letGo`. @returns false when it is held already */
  holdFrames(): boolean {
    if (this.has(HELD)) return false;
    this.put(HELD, true);
    return true;
  }

  letGo(): void {
    this.put(HELD, false);
    this.owner.onReleased();
  }

  /** Since when the peer counts as idle. */
  get heardAt(): number {
    return Math.max(this.lastFrameAt, this.excusedAt);
  }

  /**
   * Counts the frame that has begun, with so many bytes, where it is a large one.
   * @returns by how much it has grown; 0 where it is not counted
   */
  countUnfinished(bytes: number): number {
    if (bytes < COUNTED_FROM && !this.has(COUNTED)) return 0;
    this.put(COUNTED, true);
    return this.owner.endpoint.loop.unfinished.set(this.owner, bytes);
  }

  /** Its large frame has begun and not ended. */
  get awaitsRest(): boolean {
    return this.has(COUNTED);
  }

  /** No frame has begun, or it is not the client that is waited for. */
  uncountUnfinished(): void {
    if (!this.has(COUNTED)) return;
    this.put(COUNTED, false);
    this.owner.endpoint.loop.unfinished.delete(this.owner);
  }

  override close(): void {
    this.uncountUnfinished();
    super.close();
  }

  /** The peer has finished sending. */
  end(): void {
    this.put(ENDED, true);
  }

  /** Bytes received and not yet handled. */
  get unhandled(): number {
    return this.buffered + (this.#held?.length ?? 0);
  }

  /** The part of them that is in the decoder. */
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
   * As `take`, for borrowed memory: it is overwritten after `keep` was called.
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

  /** Copies what was not pulled out of the borrowed memory. */
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

  /** Frames wait for a turn or for room in the output: stops reading until they are handled. */
  pause(): void {
    if (this.buffered === 0) return;
    if (this.blocked) this.pushBack();
    else this.stopReading();
  }

  /** Frames wait for something that may never happen: reads on, or the end of the peer would go unnoticed. */
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
    if (!this.has(PAUSED) || this.has(SEALED)) return;
    this.put(PAUSED | PUSHED_BACK, false);
    this.socket.resume();
  }

  /**
   * The next frame; `undefined` when there is none.
   * @throws FramingError when the bytes are invalid
   */
  pull(): any {
    return this.#decoder?.pull();
  }

  /**
   * The decoder has no frame left: feeds it the held chunk, and reads on.
   * @returns the length of that chunk in bytes
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

  /**
   * Bytes received and not given out as frames, without those that are held.
   * @throws TypeError when the decoder cannot tell them
   */
  rest(): Buffer | undefined {
    const decoder = this.#decoder;
    if (decoder === undefined || decoder.buffered === 0) return undefined;
    const { readMemory, framing } = this.owner.protocol;
    if (canBorrow(decoder)) decoder.copyRest(readMemory);
    const rest = decoder.rest?.();
    if (rest !== undefined) return rest;
    throw new TypeError(
      `framing ${framing.name}: its decoder has no rest(), so it cannot be replaced while bytes wait in it; add it`,
    );
  }

  /** As `rest`, also after an error of the decoder; `undefined` where it cannot tell. */
  restOrNothing(): Buffer | undefined {
    try {
      return this.#decoder?.rest?.();
    } catch {
      return undefined;
    }
  }

  /** Reads these bytes again, in the present framing of the protocol. */
  restart(rest: Buffer | undefined): void {
    this.#decoder = undefined;
    this.partialSince = NONE;
    this.uncountUnfinished();
    if (rest !== undefined) this.feed().push(rest);
  }

  /** TLS begins: nothing is read in clear any more. What comes all the same is held. */
  override seal(): void {
    super.seal();
    this.stopReading();
    this.put(SEALED, true);
    this.put(HUNGRY, false);
    this.#decoder = undefined;
  }

  /** What was received since `seal`: it belongs to the handshake. */
  takeSealed(): Buffer {
    const held = this.#held ?? EMPTY;
    this.#held = undefined;
    return held;
  }

  /** TLS is up, and `socket` reads: nothing of what came before is left. */
  override unseal(): void {
    this.put(SEALED | PAUSED | PUSHED_BACK, false);
    this.put(HUNGRY, true);
    super.unseal();
  }

  /** Changes the flow control mode to that of another protocol. */
  askAnew(active: Active): void {
    this.credit = UNLIMITED;
    this.ask(active);
  }

  /** Drops what is held. Reads on all the same: a client that is blocked in sending may never get to reading. */
  discard(): void {
    this.#held = undefined;
    this.readOn();
  }

  /** Changes the flow control mode; a number is added to the frames still asked for. */
  ask(active: Active): void {
    this.put(HEEDLESS, active === true);
    if (typeof active !== "number") this.credit = UNLIMITED;
    else this.credit = (this.credit === UNLIMITED ? 0 : this.credit) + active;
  }
}

/** Whether the decoder can work on borrowed memory. */
function canBorrow(decoder: Decoder<any>): decoder is BorrowingDecoder<any> {
  return (decoder as BorrowingDecoder<any>).pushBorrowed !== undefined;
}
