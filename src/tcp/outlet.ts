/**
 * The write side of one connection. At most one write is outstanding; what is sent meanwhile is encoded into
 * a buffer of the connection's own and leaves in one write when that one is done. So a peer that does not
 * read costs what is stated in the limits and no more.
 *
 *   send ─┬─ nothing outstanding ─▶ the turn's buffer ──flush──▶ socket.write ─┬ all taken: done
 *         └─ a write outstanding ─▶ queue ◀── behind it ──────────────────────┴ not all: outstanding
 */
import { isUint8Array } from "node:util/types";
import type { Framing } from "../framing/framing.js";
import type { Socket } from "../transport/transport.js";
import type { Service } from "./service.js";
import { LARGE, type TurnOwner } from "./turn.js";
import { type Wheeled, wholeMs } from "./wheel.js";

/** The first size of a queue. */
const FIRST = 4 * 1024;

export class Outlet implements TurnOwner {
  /** Bytes of the outstanding write. */
  inFlight = 0;
  bytesSent = 0;
  /** At its high-water mark, and since then not down to the low one. */
  full = false;
  readonly #service: Service;
  readonly #socket: Socket;
  readonly #owner: Wheeled;
  #queue: Buffer | undefined = undefined;
  #queued = 0;
  /** When the kernel was last seen to take something, in clock milliseconds. */
  #progressAt = 0;
  /** What of the outstanding write it had not taken by then. */
  #unsent = 0;

  /** @param owner is looked at when an outstanding write may have made no progress for too long */
  constructor(service: Service, socket: Socket, owner: Wheeled) {
    this.#service = service;
    this.#socket = socket;
    this.#owner = owner;
  }

  /** Bytes that were sent and not yet taken by the kernel. */
  get pending(): number {
    return this.inFlight + this.#queued;
  }

  /** Bytes that wait to leave, those of the present turn included. */
  get outbound(): number {
    return this.pending + this.#service.turn.gathered(this);
  }

  /** When the outstanding write will have stood still for too long; `Infinity` when there is none. */
  get stalledAt(): number {
    return this.inFlight > 0 ? this.#progressAt + this.#service.limits.send : Infinity;
  }

  /** @throws FramingError when the framing cannot carry the frame */
  send<Out>(framing: Framing<any, Out>, frame: Out): void {
    const length = framing.encodedLength(frame);
    const { turn } = this.#service;
    if (this.inFlight === 0) {
      if (length <= LARGE && turn.fits(this, length)) return turn.append(this, framing, frame);
      // Ours, which must leave before this frame, or another's, which is in the way.
      turn.flush();
      if (this.inFlight === 0 && length <= LARGE) return turn.append(this, framing, frame);
      if (this.inFlight === 0 && this.#sendsInPlace(framing, frame))
        return this.#sendLarge(framing, frame, length);
    }
    const at = this.#queued;
    framing.encodeInto(frame, this.#reserve(length), at);
    this.#queued += length;
    this.#service.counters.outbound += length;
    if (this.inFlight === 0) this.#next();
    else this.#heedMark();
  }

  writeTurn(bytes: Buffer): boolean {
    return this.#wrote(bytes.length, this.#socket.write(bytes));
  }

  /** Whether a large frame can leave from its own memory, which is not about to be used again. */
  #sendsInPlace<Out>(framing: Framing<any, Out>, frame: Out): frame is Out & Uint8Array {
    return framing.encodeHead !== undefined && isUint8Array(frame) && frame.buffer !== this.#service.lent;
  }

  #sendLarge(framing: Framing<any, any>, frame: Uint8Array, length: number): void {
    const { heads } = this.#service;
    const head = heads.subarray(0, framing.encodeHead?.(frame, heads, 0));
    // The head belongs to the socket as well, until the write is done.
    if (!this.#wrote(length, this.#socket.writeTwo(head, frame))) this.#service.newHeads();
  }

  /**
   * The outstanding write is done: the next one leaves.
   * @returns whether that has brought the output from its high-water mark down to the low one
   */
  written(): boolean {
    this.#service.counters.outbound -= this.inFlight;
    this.inFlight = 0;
    if (this.#queued > 0) this.#next();
    if (!this.full || this.pending > this.#service.limits.lowWater) return false;
    this.full = false;
    return true;
  }

  /** Whether the kernel has taken nothing of the outstanding write for too long. */
  stalled(now: number): boolean {
    if (now < this.stalledAt) return false;
    const { unsent } = this.#socket;
    if (unsent >= this.#unsent) return true;
    this.#unsent = unsent;
    this.#progressAt = wholeMs();
    return false;
  }

  /** The connection is over: what waits is no longer counted, and its memory is let go. */
  drop(): void {
    this.#service.counters.outbound -= this.pending;
    this.#service.turn.forget(this);
    this.inFlight = this.#queued = 0;
    this.#queue = undefined;
  }

  #next(): void {
    const bytes = (this.#queue as Buffer).subarray(0, this.#queued);
    this.#service.counters.outbound -= this.#queued;
    this.#queue = undefined;
    this.#queued = 0;
    this.writeTurn(bytes);
  }

  /** Takes note of a write. @returns whether it was done at once */
  #wrote(length: number, done: boolean): boolean {
    this.bytesSent += length;
    this.#service.counters.bytesSent += length;
    if (done) return true;
    this.inFlight = length;
    this.#unsent = this.#socket.unsent;
    this.#service.counters.outbound += length;
    this.#progressAt = wholeMs();
    this.#service.wheel.schedule(this.#owner, this.stalledAt);
    this.#heedMark();
    return false;
  }

  #heedMark(): void {
    if (this.pending >= this.#service.limits.highWater) this.full = true;
  }

  #reserve(more: number): Buffer {
    const needed = this.#queued + more;
    if (this.#queue && this.#queue.length >= needed) return this.#queue;
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST, needed, this.#queue ? 2 * this.#queue.length : 0));
    if (this.#queue) grown.set(this.#queue.subarray(0, this.#queued));
    this.#queue = grown;
    return grown;
  }
}
