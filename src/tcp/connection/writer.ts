/**
 * The write side of one connection. At most one write is outstanding; what is sent meanwhile is encoded into
 * a buffer of the connection's own and leaves in one write when that one is done. So a peer that does not
 * read costs what is stated in the limits and no more.
 *
 *   send ─┬─ nothing outstanding ─▶ the turn's buffer ──flush──▶ socket.write ─┬ all taken: done
 *         └─ a write outstanding ─▶ queue ◀── behind it ──────────────────────┴ not all: outstanding
 */
import { isUint8Array } from "node:util/types";
import type { Framing } from "../../framing/framing.js";
import type { Socket } from "../../transport/transport.js";
import { giveToSocket, isLent } from "../loop/borrowed-memory.js";
import { LARGE, type OutputOwner } from "../loop/output-buffer.js";
import { type TimerWheelEntry, wholeMs } from "../loop/timer-wheel.js";
import type { Service } from "../service.js";
import { WriteQueue } from "./write-queue.js";

const FULL = 1;
/** Above it are the flags of its subclass. */
export const WRITER_FLAGS = FULL;

export class Writer implements OutputOwner {
  bytesSent = 0;
  protected readonly service: Service;
  readonly socket: Socket;
  /** What is true or false of it, in one number: eight bytes of every connection for each that is not. */
  protected flags = 0;
  readonly #owner: TimerWheelEntry;
  /** While a write is outstanding. */
  #backlog: WriteQueue | undefined = undefined;

  /** @param owner is looked at when an outstanding write may have made no progress for too long */
  constructor(service: Service, socket: Socket, owner: TimerWheelEntry) {
    this.service = service;
    this.socket = socket;
    this.#owner = owner;
  }

  protected has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  protected put(flag: number, on: boolean): void {
    if (on) this.flags |= flag;
    else this.flags &= ~flag;
  }

  /** At its high-water mark, and since then not down to the low one. */
  get full(): boolean {
    return this.has(FULL);
  }

  /** Bytes that were sent and not yet taken by the kernel. */
  get pending(): number {
    return this.#backlog?.pending ?? 0;
  }

  /** Bytes that wait to leave, those of the present turn included. */
  get outbound(): number {
    return this.pending + this.service.turn.gathered(this);
  }

  /** When the outstanding write will have stood still for too long; `Infinity` when there is none. */
  get stalledAt(): number {
    return this.#backlog ? this.#backlog.progressAt + this.service.limits.send : Infinity;
  }

  /** @throws FramingError when the framing cannot carry the frame */
  send<Out>(framing: Framing<any, Out>, frame: Out): void {
    const length = framing.encodedLength(frame);
    const { turn } = this.service;
    if (this.#backlog === undefined) {
      if (length <= LARGE && turn.fits(this, length)) return turn.append(this, framing, frame);
      // Ours, which must leave before this frame, or another's, which is in the way.
      turn.flush();
    }
    if (this.#backlog) return this.enqueue(this.#backlog, framing, frame, length);
    if (length > LARGE && this.sendsInPlace(framing, frame)) return this.sendLarge(framing, frame, length);
    if (turn.makeRoom(length)) return turn.append(this, framing, frame);
    const bytes = Buffer.allocUnsafeSlow(length);
    framing.encodeInto(frame, bytes, 0);
    this.writeOutput(bytes);
  }

  private enqueue<Out>(backlog: WriteQueue, framing: Framing<any, Out>, frame: Out, length: number): void {
    framing.encodeInto(frame, backlog.reserve(length), backlog.queued);
    backlog.queued += length;
    this.service.counters.outbound += length;
    this.heedMark();
  }

  writeOutput(bytes: Buffer): boolean {
    return this.noteWrite(bytes.length, this.socket.write(bytes));
  }

  /** Whether a large frame can leave from its own memory, which is not about to be used again. */
  private sendsInPlace<Out>(framing: Framing<any, Out>, frame: Out): frame is Out & Uint8Array {
    return framing.encodeHead !== undefined && isUint8Array(frame) && !isLent(frame.buffer);
  }

  private sendLarge(framing: Framing<any, any>, frame: Uint8Array, length: number): void {
    const { heads } = this.service;
    const head = heads.subarray(0, framing.encodeHead?.(frame, heads, 0));
    if (this.noteWrite(length, this.socket.writeTwo(head, frame))) return;
    // Both belong to the socket until the write is done.
    this.service.newHeads();
    giveToSocket(frame.buffer);
  }

  /**
   * The outstanding write is done: the next one leaves.
   * @returns whether that has brought the output from its high-water mark down to the low one
   */
  written(): boolean {
    const backlog = this.#backlog;
    // Dropped meanwhile.
    if (!backlog) return false;
    this.service.counters.outbound -= backlog.inFlight;
    backlog.inFlight = 0;
    this.writeQueue(backlog);
    if (!this.full || this.pending > this.service.limits.lowWater) return false;
    this.put(FULL, false);
    return true;
  }

  /** Whether the kernel has taken nothing of the outstanding write for too long. */
  stalled(now: number): boolean {
    const backlog = this.#backlog;
    if (!backlog || now < this.stalledAt) return false;
    const { unsent } = this.socket;
    if (unsent >= backlog.unsent) return true;
    backlog.unsent = unsent;
    backlog.progressAt = wholeMs();
    return false;
  }

  /** The connection is over: what waits is no longer counted, and its memory is let go. */
  drop(): void {
    this.service.counters.outbound -= this.pending;
    this.service.turn.forget(this);
    this.#backlog = undefined;
  }

  /** Writes what waits; nothing is outstanding. */
  private writeQueue(backlog: WriteQueue): void {
    this.#backlog = undefined;
    if (backlog.queued === 0) return;
    this.service.counters.outbound -= backlog.queued;
    this.writeOutput(backlog.takeQueue());
  }

  /** Takes note of a write. @returns whether it was done at once */
  private noteWrite(length: number, done: boolean): boolean {
    this.bytesSent += length;
    this.service.counters.bytesSent += length;
    if (done) return true;
    const backlog = new WriteQueue();
    this.#backlog = backlog;
    backlog.inFlight = length;
    backlog.unsent = this.socket.unsent;
    backlog.progressAt = wholeMs();
    this.service.counters.outbound += length;
    this.service.wheel.schedule(this.#owner, this.stalledAt);
    this.heedMark();
    return false;
  }

  private heedMark(): void {
    const { counters, limits } = this.service;
    if (this.pending >= limits.highWater || counters.outbound >= limits.workerOutbound) this.put(FULL, true);
  }
}
