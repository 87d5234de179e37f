/**
 * The write side of one connection. At most one write is outstanding; what is sent meanwhile is encoded into
 * a buffer of the connection's own and leaves in one write when that one is done. So a peer that does not
 * read costs what is stated in the limits and no more.
 */
import type { Framing } from "../framing/framing.js";
import { clock } from "../otp/clock.js";
import type { Socket } from "../transport/transport.js";
import type { Service } from "./service.js";
import { LARGE, type TurnOwner } from "./turn.js";

const FIRST = 4 * 1024;

export class Outlet implements TurnOwner {
  /** Bytes of the outstanding write. */
  inFlight = 0;
  /** When a write was last begun or done, in clock milliseconds. */
  progressAt = 0;
  bytesSent = 0;
  readonly #service: Service;
  readonly #socket: Socket;
  #queue: Buffer | undefined = undefined;
  #queued = 0;

  constructor(service: Service, socket: Socket) {
    this.#service = service;
    this.#socket = socket;
  }

  /** Bytes that were sent and not yet taken by the kernel. */
  get pending(): number {
    return this.inFlight + this.#queued;
  }

  /** Bytes that wait to leave, those of the present turn included. */
  get outbound(): number {
    return this.pending + this.#service.turn.gathered(this);
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
    }
    const at = this.#queued;
    framing.encodeInto(frame, this.#reserve(length), at);
    this.#enqueued(length);
    if (this.inFlight === 0) this.#next();
  }

  writeTurn(bytes: Buffer): boolean {
    if (this.inFlight === 0) return this.#write(bytes);
    this.#reserve(bytes.length).set(bytes, this.#queued);
    this.#enqueued(bytes.length);
    return true;
  }

  /** The outstanding write is done: the next one leaves. */
  written(): void {
    this.#service.counters.outbound -= this.inFlight;
    this.inFlight = 0;
    this.progressAt = clock.now();
    if (this.#queued > 0) this.#next();
  }

  /** The connection is over: what waits is no longer counted, and its memory is let go. */
  drop(): void {
    this.#service.counters.outbound -= this.pending;
    this.inFlight = this.#queued = 0;
    this.#queue = undefined;
  }

  #next(): void {
    const bytes = (this.#queue as Buffer).subarray(0, this.#queued);
    this.#service.counters.outbound -= this.#queued;
    this.#queue = undefined;
    this.#queued = 0;
    this.#write(bytes);
  }

  #write(bytes: Buffer): boolean {
    this.bytesSent += bytes.length;
    this.#service.counters.bytesSent += bytes.length;
    if (this.#socket.write(bytes)) return true;
    this.inFlight = bytes.length;
    this.#service.counters.outbound += bytes.length;
    this.progressAt = clock.now();
    return false;
  }

  #enqueued(length: number): void {
    this.#queued += length;
    this.#service.counters.outbound += length;
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
