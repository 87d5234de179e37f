/**
 * Frame loop of a connection: takes received bytes, and handles frames as long as flow control allows.
 *
 * Flow control in both directions is one rule (`ready`): the next frame is decoded only when the last one is handled
 * and the output has room. Frames already received wait in the decoder. While they wait for a turn or for room the
 * socket is not read, and TCP pushes back on the client; while they wait for anything else, one more chunk is read.
 *
 * No promise, closure or timer per frame; all fields are set in the constructor. Methods are `private`, not `#`: a
 * class with `#` methods costs each of its objects a field.
 */
import type { AsyncResource } from "node:async_hooks";
import { FramingError } from "../../../framing/framing.js";
import { type ExitReason, reasonOf } from "../../../otp/process/exit-reason.js";
import { runInMicrotask } from "../../../otp/process/microtask.js";
import { cleanContext } from "../../../transport/async-context.js";
import { READ_SIZE } from "../../../transport/transport.js";
import { borrowedBuffer } from "../../loop/borrowed-memory.js";
import type { Deferred } from "../../loop/run-queue.js";
import { wholeMs } from "../../loop/timer-wheel.js";
import { badFrameOf } from "../../observe/bad-frame.js";
import { detailed, detailOf } from "../../observe/close-detail.js";
import { type CloseReason, memoryBounds, openingFailures } from "../../observe/events.js";
import { firstBytesOf } from "../../observe/first-bytes.js";
import { ConnectionEnd } from "../connection-end.js";
import { GONE, RUNNING } from "../connection-view.js";
import {
  DEFERRED,
  ENDED_TOLD,
  HOPELESS,
  PASSIVE_TOLD,
  PUMPING,
  RELIEVED,
  SHUTDOWN_ASKED,
  STARTING_TLS,
} from "../flags.js";
import type { PostponedFrames } from "./postponed-frames.js";
import { framesAllowed, heedRate } from "./rate-throttle.js";
import { NONE, type ReaderWriter } from "./reader.js";

export abstract class FrameLoop extends ConnectionEnd implements Deferred {
  protected abstract override sayShutdown(): void;

  onChunk(chunk: Buffer): void {
    if (this.phase !== RUNNING) return;
    try {
      if ((this.io as ReaderWriter).take(chunk)) this.pump();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  onBytes(shared: Buffer, length: number): void {
    if (this.phase !== RUNNING) return;
    const io = this.io as ReaderWriter;
    try {
      if (io.lend(borrowedBuffer(shared), length)) this.pump();
      io.keep();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  onEnd(): void {
    if (this.phase !== RUNNING) return;
    const io = this.io as ReaderWriter;
    io.end();
    // It has not begun the handshake; the deadline of that stands.
    if (this.hasFlag(STARTING_TLS)) return this.tlsFailed("normal");
    // A client that has gone is not kept for a handler, or another state, for longer than this.
    if (this.owing) this.limitHandler(this.protocol.limits.handler);
    this.goOn(io);
  }

  resumeTurn(): void {
    this.setFlag(DEFERRED, false);
    if (this.phase !== RUNNING) return;
    const io = this.io as ReaderWriter;
    // What it reads next is a part of what may be read in this round.
    if (io.awaitsRest) this.endpoint.loop.runQueue.reads(READ_SIZE);
    this.goOn(io);
  }

  private goOn(io: ReaderWriter): void {
    try {
      if (this.busy) io.listen();
      else if (this.hasFlag(RELIEVED)) this.idle();
      else this.pump();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  protected deferTurn(context?: AsyncResource): void {
    if (this.hasFlag(DEFERRED)) return;
    this.setFlag(DEFERRED);
    this.endpoint.loop.runQueue.add(this, context);
  }

  /**
   * Reads on, if no received byte is waiting to be handled.
   * @returns whether that is so; otherwise a turn is needed first
   */
  protected standBy(io: ReaderWriter): boolean {
    if (this.phase !== RUNNING || io.unhandled > 0 || io.ended) return false;
    if (!io.hungry) io.refill();
    return true;
  }

  /** The one rule of flow control: whether a frame may be handled now. */
  private ready(io: ReaderWriter): boolean {
    if (this.phase !== RUNNING || this.busy || this.hasFlag(DEFERRED) || io.credit === 0) return false;
    return !io.blocked && (this.postponed === undefined || this.mayPostpone(this.postponed));
  }

  /** Postponed frames wait for the server: bounds the frames and bytes taken in behind them, and keeps the order. */
  private mayPostpone(postponed: PostponedFrames): boolean {
    const { framesPerTurn, highWater } = this.protocol.limits;
    return postponed.count < framesPerTurn && postponed.bytes < highWater && !this.holds("frame");
  }

  protected handledFrame(postponed: PostponedFrames): void {
    postponed.handled((this.io as ReaderWriter).consumed);
    if (postponed.count === 0) this.postponed = undefined;
  }

  /** Frames that come again pass the gate of new ones; messages that come again do not wait for them. */
  protected override get heldBack(): string | undefined {
    const { io } = this;
    const open = this.phase === RUNNING && !this.hasFlag(DEFERRED) && io?.blocked === false;
    return open ? undefined : "frame";
  }

  /** Handles frames until none is left or `ready` says no. */
  protected pump(): void {
    if (this.hasFlag(PUMPING) || this.phase !== RUNNING) return;
    if (this.postponed !== undefined && this.heldBack === undefined && this.holds("frame"))
      return this.step(() => true);
    const { output, recent } = this.endpoint.loop;
    const io = this.io as ReaderWriter;
    const before = this.framesReceived;
    this.setFlag(PUMPING);
    output.handling = io;
    recent.add(this);
    try {
      this.handleFrames(io);
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
    output.handling = undefined;
    output.flush();
    this.setFlag(PUMPING, false);
    if (this.framesReceived !== before) this.handledFrames(io, this.framesReceived - before);
    if (this.phase !== RUNNING) return;
    if (!this.busy) return this.afterFrames(io);
    io.uncountUnfinished();
    io.listen();
  }

  private handledFrames(io: ReaderWriter, frames: number): void {
    io.lastFrameAt = wholeMs();
    const { rated, limits } = this.protocol;
    if (rated) heedRate(io, limits, frames);
  }

  private handleFrames(io: ReaderWriter): void {
    const { counters, loop } = this.endpoint;
    const { runQueue } = loop;
    if (runQueue.full) return this.deferTurn();
    const { rated, limits } = this.protocol;
    let frames = rated ? framesAllowed(io, limits) : limits.framesPerTurn;
    let floor = io.buffered - limits.bytesPerTurn;
    while (this.ready(io)) {
      const frame = this.pull(io);
      if (frame === undefined) {
        // Busy: `bad` has an answer to give, and the decoder cannot be used any more.
        const more = this.phase === RUNNING && !this.busy ? io.refill() : 0;
        if (more === 0) return;
        floor += more;
        continue;
      }
      this.framesReceived++;
      counters.framesReceived++;
      io.partialSince = NONE;
      if (io.credit > 0) io.credit--;
      const outcome = this.cells.frame(this, frame);
      if (outcome !== undefined && outcome !== true && outcome !== false)
        this.finishEvent(outcome, "frame", frame);
      else if (this.postponed !== undefined) this.handledFrame(this.postponed);
      if (--frames === 0 || io.buffered <= floor || runQueue.full) return this.deferTurn();
    }
  }

  /** The next frame; `undefined` when there is none, or when the bytes are invalid and the connection has been stopped. */
  private pull(io: ReaderWriter): any {
    try {
      return io.pull();
    } catch (thrown) {
      if (!(thrown instanceof FramingError)) throw thrown;
      const reason = this.invalid(io, thrown.code as CloseReason, thrown.message);
      this.endpoint.badFrame = badFrameOf(this, thrown.code, detailOf(reason) as string);
      if (this.cells.bad === undefined) this.stop(reason);
      else this.event("bad", { error: thrown, reason });
      return undefined;
    }
  }

  /**
   * The reason for ending a connection whose bytes are no frame. A framing may throw an encoder's code by mistake: that
   * is counted as `stopped`.
   */
  protected invalid(io: ReaderWriter, reason: CloseReason, message: string): ExitReason {
    const first =
      this.framesReceived === 0 ? firstBytesOf(io.restOrNothing(), this.endpoint.opening) : undefined;
    const detail = message + (first?.hint ?? "");
    if (first?.misconfigured && openingFailures.hasSubscribers) {
      const { pid, peer, via, label: protocol } = this;
      const { name: listener } = this.endpoint;
      openingFailures.publish({ pid, protocol, peer, via, listener, counted: reason, message: detail });
    }
    return detailed(reason, detail);
  }

  /** A frame has begun: arms its deadline, and counts it. @returns whether the connection goes on */
  private awaitRest(io: ReaderWriter, bytes: number): boolean {
    const { loop } = this.endpoint;
    if (io.partialSince === NONE) {
      io.partialSince = wholeMs();
      loop.timerWheel.schedule(this, this.peerDeadline(io));
    }
    const grown = io.countUnfinished(bytes);
    if (grown === 0) return true;
    loop.unfinished.keepTo(this.protocol.limits.workerInbound);
    if (this.phase !== RUNNING) return false;
    loop.runQueue.reads(grown);
    if (loop.runQueue.inputFull) this.readLater(io);
    return true;
  }

  /** Clients that send large frames at full speed take turns: each read of them may be 2 MiB, and others wait for it. */
  private readLater(io: ReaderWriter): void {
    this.deferTurn();
    io.pause();
  }

  endUnfinished(): void {
    const io = this.io as ReaderWriter;
    const detail = `a frame of ${io.buffered} bytes had not ended when all of the worker took limits.workerInbound`;
    io.restart(undefined);
    this.endForWorker("inbound_full", detail);
  }

  /** Its socket is closed. It may stand anywhere in a write of its own, or of another connection: it ends after that. */
  onOutputGivenUp(bytes: number): void {
    const detail = `the client had not taken ${bytes} bytes when all of the worker took limits.workerOutbound`;
    this.setFlag(HOPELESS);
    runInMicrotask(() => this.endForWorker("outbound_full", detail));
  }

  /** @param why in one line */
  endForOverload(why: string): void {
    this.endForWorker("overload", why);
  }

  /** The worker has too little memory for it. Not in the context of the connection that has used it up. */
  private endForWorker(counted: CloseReason, message: string): void {
    if (this.phase === GONE) return;
    if (memoryBounds.hasSubscribers) {
      const { pid, peer, via, label: protocol } = this;
      const { name: listener } = this.endpoint;
      memoryBounds.publish({ pid, protocol, peer, via, listener, counted, message });
    }
    cleanContext().runInAsyncScope(this.giveUp, this, detailed(counted, message));
  }

  /** No frame can be handled now: arms the deadline of an incomplete frame, and emits the events that follow the last. */
  private afterFrames(io: ReaderWriter): void {
    if (!io.hungry && (this.hasFlag(DEFERRED) || io.blocked)) io.pause();
    else if (!this.hasFlag(DEFERRED)) io.listen();
    const begun = io.hungry ? io.buffered : 0;
    if (begun === 0) {
      io.partialSince = NONE;
      io.uncountUnfinished();
    } else if (io.ended) return this.stop(this.invalid(io, "truncated", "the client ended within a frame"));
    else if (!this.awaitRest(io, begun)) return;
    if (this.hasFlag(SHUTDOWN_ASKED)) return this.sayShutdown();
    if (io.credit === 0 && !this.hasFlag(PASSIVE_TOLD)) {
      this.setFlag(PASSIVE_TOLD);
      if (this.cells.passive) return this.event("passive", undefined);
    }
    if (io.hungry && io.ended && this.postponed === undefined && !this.hasFlag(ENDED_TOLD)) {
      this.setFlag(ENDED_TOLD);
      this.event("ended", undefined);
    }
  }
}
