/**
 * Write side of a connection. At most one write is outstanding; what is sent meanwhile is encoded into a queue of the
 * connection's own and leaves in one write when the outstanding one completes. A peer that does not read costs at most
 * what the limits state.
 *
 *   send ─┬─ nothing outstanding ─▶ output buffer ──flush──▶ socket.write ─┬ all taken: done
 *         └─ a write outstanding ─▶ write queue ◀─────────────────────────┴ not all: outstanding
 */
import { isUint8Array } from "node:util/types";
import type { Framing } from "../../../framing/framing.js";
import type { Pid } from "../../../otp/process/pid.js";
import type { Socket } from "../../../transport/transport.js";
import type { Endpoint } from "../../endpoint.js";
import { giveToSocket, isBorrowed } from "../../loop/borrowed-memory.js";
import { LARGE, type OutputBuffer, type OutputOwner } from "../../loop/output-buffer.js";
import type { SharedWrites, SharingWriter } from "../../loop/shared-writes.js";
import { type TimerWheelEntry, wholeMs } from "../../loop/timer-wheel.js";
import type { CompiledProtocol } from "../../protocol/compiled/compiled-protocol.js";
import { FULL } from "../flags.js";
import { type QueueOwner, WriteQueue } from "./write-queue.js";

/** The connection, as far as its reader and writer need it. Its protocol may be replaced while it lives. */
export interface WriterOwner extends TimerWheelEntry {
  readonly pid: Pid;
  readonly endpoint: Endpoint;
  readonly protocol: CompiledProtocol;
  /** The output was full, and the kernel took it at once. */
  onRelieved(): void;
  /** It is held no longer, so that frames can be handled. */
  onReleased(): void;
  /** All output of the worker was too much, and this one's the most: it is freed. @param bytes that were */
  onOutputGivenUp(bytes: number): void;
}

export class Writer implements OutputOwner, QueueOwner, SharingWriter {
  bytesSent = 0;
  /** Replaced when TLS begins. */
  socket: Socket;
  /** See `flags.ts`. */
  protected flags = 0;
  protected readonly owner: WriterOwner;
  /** Exists only while a write is outstanding. */
  #queue: WriteQueue | undefined = undefined;

  /** @param owner is looked at when an outstanding write may have made no progress for too long */
  constructor(owner: WriterOwner, socket: Socket) {
    this.owner = owner;
    this.socket = socket;
  }

  protected has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  protected put(flag: number, on: boolean): void {
    if (on) this.flags |= flag;
    else this.flags &= ~flag;
  }

  /** The output has reached its high-water mark, and not yet gone down to the low one. */
  get full(): boolean {
    return this.has(FULL);
  }

  /** Bytes that were written and not yet taken by the kernel. */
  get pending(): number {
    return this.#queue?.pending ?? 0;
  }

  /** Bytes that wait to leave, including those in the output buffer of this turn. */
  get outbound(): number {
    return this.pending + this.owner.endpoint.loop.output.gathered(this);
  }

  /** Deadline of the outstanding write, in clock milliseconds; `Infinity` when there is none. */
  get stalledAt(): number {
    return this.#queue ? this.#queue.progressAt + this.owner.protocol.limits.send : Infinity;
  }

  /** @throws FramingError when the framing cannot carry the frame */
  send<Out>(framing: Framing<any, Out>, frame: Out): void {
    const length = framing.encodedLength(frame);
    const { output } = this.owner.endpoint.loop;
    if (this.#queue === undefined) {
      if (length <= LARGE && output.fits(this, length)) return this.append(output, framing, frame);
      // Frames of this connection, which must leave first, or of another one.
      output.flush();
    }
    if (this.#queue) return this.enqueue(this.#queue, framing, frame, length);
    if (length > LARGE && this.sendsInPlace(framing, frame)) return this.sendLarge(framing, frame, length);
    if (output.makeRoom(length)) return this.append(output, framing, frame);
    const bytes = Buffer.allocUnsafeSlow(length);
    framing.encodeInto(frame, bytes, 0);
    this.writeOutput(bytes);
  }

  private append<Out>(output: OutputBuffer, framing: Framing<any, Out>, frame: Out): void {
    if (output.append(this, framing, frame) >= this.owner.protocol.limits.highWater) this.put(FULL, true);
  }

  private enqueue<Out>(queue: WriteQueue, framing: Framing<any, Out>, frame: Out, length: number): void {
    framing.encodeInto(frame, queue.reserve(length), queue.queued);
    queue.queued += length;
    this.countOutbound(length);
    this.heedMark();
  }

  /**
   * Takes framed bytes that many sockets share. Their memory is never written to again.
   * @param writes gets what can be written at once, and is flushed before anything else is sent
   */
  share(bytes: Buffer, writes: SharedWrites): void {
    const { output } = this.owner.endpoint.loop;
    // Frames of this connection, which must leave first.
    if (output.gathered(this) > 0) output.flush();
    const queue = this.#queue;
    if (queue === undefined) {
      this.countSent(bytes.length);
      return writes.add(this, this.socket, bytes);
    }
    queue.reserve(bytes.length).set(bytes, queue.queued);
    queue.queued += bytes.length;
    this.countOutbound(bytes.length);
    this.heedMark();
  }

  writeOutput(bytes: Buffer): boolean {
    return this.noteWrite(bytes.length, this.socket.write(bytes));
  }

  /** Whether a large frame can leave from its own memory: not if that is borrowed. */
  private sendsInPlace<Out>(framing: Framing<any, Out>, frame: Out): frame is Out & Uint8Array {
    return framing.encodeHead !== undefined && isUint8Array(frame) && !isBorrowed(frame.buffer);
  }

  private sendLarge(framing: Framing<any, any>, frame: Uint8Array, length: number): void {
    const { loop } = this.owner.endpoint;
    const bytes = length - frame.byteLength;
    if (bytes > loop.heads.length) loop.renewHeads(bytes);
    const { heads } = loop;
    const head = heads.subarray(0, framing.encodeHead?.(frame, heads, 0));
    if (this.noteWrite(length, this.socket.writeTwo(head, frame))) return;
    // Head and frame belong to the socket until the write completes.
    loop.renewHeads();
    giveToSocket(frame.buffer);
  }

  /**
   * The outstanding write has completed: writes the queue.
   * @returns whether the output has gone down from its high-water mark to the low one
   */
  written(): boolean {
    const queue = this.#queue;
    // The connection was dropped meanwhile.
    if (!queue) return false;
    this.countOutbound(-queue.inFlight);
    queue.inFlight = 0;
    this.writeQueue(queue);
    if (!this.full || this.pending > this.owner.protocol.limits.lowWater) return false;
    this.put(FULL, false);
    return true;
  }

  /** TLS begins: what is sent from now on waits until `unseal`. The output buffer is flushed. */
  seal(): void {
    const queue = this.#queue ?? this.newQueue();
    queue.clear = queue.queued;
    if (queue.inFlight === 0) queue.progressAt = Infinity;
  }

  /** Whether all that was sent before `seal` has left. */
  get cleared(): boolean {
    return this.#queue !== undefined && this.#queue.inFlight === 0 && this.#queue.clear === 0;
  }

  /** TLS is up: writes what waits for it. */
  unseal(): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    queue.clear = Infinity;
    this.writeQueue(queue);
    if (this.full && this.pending <= this.owner.protocol.limits.lowWater) this.relieved();
  }

  private relieved(): void {
    this.put(FULL, false);
    this.owner.onRelieved();
  }

  /** Whether the kernel has taken no byte of the outstanding write for `limits.send`. */
  stalled(now: number): boolean {
    const queue = this.#queue;
    if (!queue || now < this.stalledAt) return false;
    const { unsent } = this.socket;
    if (unsent >= queue.unsent) return true;
    queue.unsent = unsent;
    queue.progressAt = wholeMs();
    return false;
  }

  /** Closes the socket at once: with RST where output is lost, because FIN would make what was sent look complete. */
  close(): void {
    const lost = this.outbound > 0;
    this.drop();
    if (lost) this.socket.reset();
    else this.socket.destroy();
  }

  /** The connection is over: uncounts what waits and frees its memory. */
  drop(): void {
    this.countOutbound(-this.pending);
    this.owner.endpoint.loop.output.forget(this);
    this.use(undefined);
  }

  /** In the middle of a write of any connection: the memory is freed now, and handlers run later. */
  giveUpOutput(): void {
    const bytes = this.outbound;
    this.close();
    this.owner.onOutputGivenUp(bytes);
  }

  private newQueue(): WriteQueue {
    const queue = new WriteQueue(this);
    this.use(queue);
    return queue;
  }

  private use(queue: WriteQueue | undefined): void {
    const { waitingOutput } = this.owner.endpoint.loop;
    if (this.#queue !== undefined) waitingOutput.remove(this.#queue);
    this.#queue = queue;
    if (queue !== undefined) waitingOutput.add(queue);
  }

  /** Writes the queue; no write is outstanding. */
  private writeQueue(queue: WriteQueue): void {
    if (queue.clear !== Infinity) return this.writeClear(queue);
    this.use(undefined);
    if (queue.queued === 0) return;
    this.countOutbound(-queue.queued);
    this.writeOutput(queue.takeQueue());
  }

  /** Writes what was sent before `seal`; the rest stays. */
  private writeClear(queue: WriteQueue): void {
    const bytes = queue.takeClear();
    if (bytes.length > 0) {
      this.use(undefined);
      this.countOutbound(-bytes.length);
      this.writeOutput(bytes);
    }
    const outstanding = this.#queue as WriteQueue | undefined;
    if (outstanding !== undefined && outstanding !== queue) return outstanding.takeOver(queue);
    this.use(queue);
    queue.progressAt = Infinity;
  }

  /** Counts a write. @returns whether it completed at once */
  private noteWrite(length: number, done: boolean): boolean {
    this.countSent(length);
    if (!done) this.writeOutstanding(length);
    else if (this.full && this.pending === 0) this.relieved();
    return done;
  }

  private countSent(length: number): void {
    const { counters, loop } = this.owner.endpoint;
    this.bytesSent += length;
    counters.bytesSent += length;
    if (length >= LARGE) loop.runQueue.wrote(length);
  }

  /** The kernel has not taken all of a write. */
  writeOutstanding(length: number): void {
    const queue = this.newQueue();
    queue.inFlight = length;
    queue.unsent = this.socket.unsent;
    queue.progressAt = wholeMs();
    this.countOutbound(length);
    this.owner.endpoint.loop.timerWheel.schedule(this.owner, this.stalledAt);
    this.heedMark();
  }

  /** Bytes that began, or ceased, to wait for the kernel: counted for the listener and for the OS process. */
  private countOutbound(bytes: number): void {
    const { counters, loop } = this.owner.endpoint;
    counters.outbound += bytes;
    loop.waitingOutput.bytes += bytes;
  }

  private heedMark(): void {
    const { endpoint, protocol } = this.owner;
    const { highWater, workerOutbound } = protocol.limits;
    const { waitingOutput } = endpoint.loop;
    if (this.pending >= highWater || waitingOutput.near(workerOutbound)) this.put(FULL, true);
    waitingOutput.keepTo(workerOutbound);
  }
}
