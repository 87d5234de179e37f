/**
 * One client, one process: the state machine of its protocol, fed with frames by its socket. How it begins
 * and ends is in `lifetime.ts`.
 *
 * Flow control both ways is one rule: the next frame is asked for only when the last one is handled and what
 * it wrote has room. Frames that are already here wait in the decoder. While they wait for a turn or for room no
 * more is read, and TCP pushes back on the client; while they wait for anything else, one more chunk.
 *
 * No promise, closure or timer per frame; all fields are set in the constructor. Methods are private by the word, not
 * by `#`, here and in whatever a connection is made of: a class with such methods costs each of its objects a field.
 */
import { isUint8Array } from "node:util/types";
import { FramingError } from "../../framing/framing.js";
import type { Outcome } from "../../otp/gen-statem/gen-statem.js";
import { POSTPONE } from "../../otp/gen-statem/step.js";
import { type ExitReason, reasonOf } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import type { Socket, SocketOwner } from "../../transport/transport.js";
import { lends } from "../loop/borrowed-memory.js";
import type { Deferred } from "../loop/run-queue.js";
import { wholeMs } from "../loop/timer-wheel.js";
import { dataFor, handleEvent, type ProtocolCells } from "../protocol/compile.js";
import type { Active } from "../protocol/protocol.js";
import { checkActive } from "../protocol/validate.js";
import { CLOSING, FLUSHING, GONE, Lifecycle, OWN_MARK, RUNNING, WAITING } from "./lifecycle.js";
import { type Channel, NONE } from "./reader.js";

/** Frames are being handled. */
const PUMPING = OWN_MARK;
/** Waiting for another turn. */
const DEFERRED = OWN_MARK << 1;
/** The output has gone down from its high-water mark, and the protocol has not been told. */
const RELIEVED = OWN_MARK << 2;
const ENDED_TOLD = OWN_MARK << 3;
const PASSIVE_TOLD = OWN_MARK << 4;
const SHUTDOWN_ASKED = OWN_MARK << 5;

export class Connection extends Lifecycle implements SocketOwner, Deferred {
  /** Frames that were put off since the last change of state, and what was consumed before the first. */
  #postponed = 0;
  #postponedFrom = 0;

  /** The listener hands the socket over: from here on it is this process's, and only now is it read. */
  socketReady(socket: Socket): void {
    if (!this.alive || this.phase !== WAITING) return socket.destroy();
    const { protocol } = this.service;
    try {
      this.adopt(socket);
      this.channel?.ask(protocol.active ?? "once");
      this.data = dataFor(protocol, this);
    } catch (thrown) {
      // No state has been entered, so there is none to leave.
      return this.abort(reasonOf(thrown));
    }
    socket.start(this);
    this.begin();
  }

  // -- what its protocol may ask ------------------------------------------------------------------------

  send(frame: any): void {
    const { channel } = this;
    // A handler that outlives its connection may still send: nobody is there to take it.
    if (channel === undefined || this.phase > CLOSING) return;
    const { counters, limits, protocol, taps } = this.service;
    if (taps !== undefined) taps.sent(this, frame);
    if (channel.full && channel.pending > limits.maxOutbound)
      return this.giveUp({ shutdown: "slow_consumer" });
    channel.send(protocol.framing, frame);
    this.framesSent++;
    counters.framesSent++;
  }

  setActive(active: Active): void {
    checkActive(active, (what) => {
      throw new TypeError(what);
    });
    const { channel } = this;
    channel?.ask(active);
    this.mark(PASSIVE_TOLD, false);
    if (this.is(PUMPING) || this.busy) return;
    if (channel === undefined || !this.standBy(channel)) this.deferTurn();
  }

  // -- frames in ----------------------------------------------------------------------------------------

  onChunk(chunk: Buffer): void {
    if (this.phase !== RUNNING) return;
    try {
      if ((this.channel as Channel).take(chunk)) this.pump();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  onBytes(shared: Buffer, length: number): void {
    if (this.phase !== RUNNING) return;
    const channel = this.channel as Channel;
    try {
      if (channel.lend(lends(shared), length)) this.pump();
      channel.keep();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  onEnd(): void {
    if (this.phase !== RUNNING) return;
    const channel = this.channel as Channel;
    channel.end();
    this.goOn(channel);
  }

  resumeTurn(): void {
    this.mark(DEFERRED, false);
    if (this.phase === RUNNING) this.goOn(this.channel as Channel);
  }

  private goOn(channel: Channel): void {
    try {
      if (this.busy) channel.listen();
      else this.pump();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  private deferTurn(): void {
    if (this.is(DEFERRED)) return;
    this.mark(DEFERRED);
    this.service.runQueue.add(this);
  }

  /**
   * Makes it ready for what comes, if nothing is here that has to be handled before.
   * @returns whether that is so; otherwise it has to wait for a turn
   */
  private standBy(channel: Channel): boolean {
    if (this.phase !== RUNNING || channel.unhandled > 0 || channel.ended) return false;
    if (!channel.hungry) channel.refill();
    return true;
  }

  /** Whether a frame may be handled now. */
  private ready(channel: Channel): boolean {
    if (this.phase !== RUNNING || this.busy || this.is(DEFERRED) || channel.credit === 0) return false;
    return !channel.blocked && (this.#postponed === 0 || this.mayPostpone(channel));
  }

  /** A frame that was put off is not handled: only so much is taken in on top of it. */
  private mayPostpone(channel: Channel): boolean {
    const { framesPerTurn, highWater } = this.service.limits;
    return this.#postponed < framesPerTurn && channel.consumed - this.#postponedFrom < highWater;
  }

  /** Handles frames until there is none, or something has to be waited for. */
  private pump(): void {
    if (this.is(PUMPING) || this.phase !== RUNNING) return;
    const { turn } = this.service;
    const channel = this.channel as Channel;
    const before = this.framesReceived;
    this.mark(PUMPING);
    turn.handling = channel;
    try {
      this.handleFrames(channel);
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
    turn.handling = undefined;
    turn.flush();
    this.mark(PUMPING, false);
    if (this.framesReceived !== before) channel.lastFrameAt = wholeMs();
    if (this.phase !== RUNNING) return;
    if (this.busy) channel.listen();
    else this.afterFrames(channel);
  }

  private handleFrames(channel: Channel): void {
    const { counters, limits } = this.service;
    let frames = limits.framesPerTurn;
    let floor = channel.buffered - limits.bytesPerTurn;
    while (this.ready(channel)) {
      const frame = this.pull(channel);
      if (frame === undefined) {
        const more = this.phase === RUNNING ? channel.refill() : 0;
        if (more === 0) return;
        floor += more;
        continue;
      }
      this.framesReceived++;
      counters.framesReceived++;
      channel.partialSince = NONE;
      if (channel.credit > 0) channel.credit--;
      const outcome = this.cells.frame(this, frame);
      if (outcome !== undefined) this.settle(outcome, "frame", frame);
      if (--frames === 0 || channel.buffered <= floor) return this.deferTurn();
    }
  }

  /** The next frame; `undefined` when there is none, or when the bytes are no frame and the connection is over. */
  private pull(channel: Channel): any {
    try {
      return channel.pull();
    } catch (thrown) {
      if (!(thrown instanceof FramingError)) throw thrown;
      this.stop({ shutdown: thrown.code });
      return undefined;
    }
  }

  /** What is due when no frame can be handled: the deadline of one that has begun, and the events after the last. */
  private afterFrames(channel: Channel): void {
    if (!channel.hungry) {
      if (this.is(DEFERRED) || channel.blocked) channel.pause();
      else channel.listen();
    }
    if (!channel.hungry || channel.buffered === 0) channel.partialSince = NONE;
    else if (channel.ended) return this.stop({ shutdown: "truncated" });
    else if (channel.partialSince === NONE) {
      channel.partialSince = wholeMs();
      this.service.wheel.schedule(this, this.peerDeadline(channel));
    }
    if (this.is(SHUTDOWN_ASKED)) return this.sayShutdown();
    if (channel.credit === 0 && !this.is(PASSIVE_TOLD)) {
      this.mark(PASSIVE_TOLD);
      if (this.cells.passive) return this.event("passive", undefined);
    }
    if (channel.hungry && channel.ended && !this.is(ENDED_TOLD)) {
      this.mark(ENDED_TOLD);
      this.event("ended", undefined);
    }
  }

  // -- the state machine --------------------------------------------------------------------------------

  protected cellsOf(state: string): ProtocolCells {
    const { service } = this;
    const cells = service.cellsOf(state);
    return service.taps === undefined ? cells : service.taps.cells(this, cells);
  }

  protected handle(kind: string, content: unknown): Outcome {
    return handleEvent(this.cells, this, kind, content);
  }

  protected override after(outcome: Outcome, kind: string, content: unknown): boolean {
    if (kind !== "frame") return super.after(outcome, kind, content);
    if (outcome === POSTPONE && this.#postponed++ === 0)
      this.#postponedFrom = (this.channel as Channel).consumed;
    // One that waits may still put it off, and what is borrowed is not there any more by then.
    const outlives = outcome === POSTPONE || outcome instanceof Promise;
    return super.after(outcome, kind, outlives && this.service.slab.borrowed ? ownCopy(content) : content);
  }

  protected override changed(): void {
    this.#postponed = 0;
    if (this.phase === RUNNING) this.service.wheel.schedule(this, this.peerDeadline(this.channel as Channel));
  }

  /** Nothing is being handled: what comes next, in this order. */
  protected idle(): void {
    if (this.phase !== RUNNING || this.is(PUMPING)) return;
    if (this.is(SHUTDOWN_ASKED)) return this.sayShutdown();
    if (this.is(RELIEVED)) return this.sayDrained();
    const channel = this.channel as Channel;
    // Messages go first, or a handler that waits for something with every frame would never get to them.
    if (!channel.hungry && this.messageQueueLength > 0 && !this.standBy(channel)) return this.deferTurn();
    if (!channel.hungry || channel.ended || channel.credit === 0) this.pump();
  }

  private sayShutdown(): void {
    this.mark(SHUTDOWN_ASKED, false);
    this.event("shutdown", undefined);
  }

  private sayDrained(): void {
    this.mark(RELIEVED, false);
    if (this.cells.drained) this.event("drained", undefined);
    else this.pump();
  }

  onWritten(): void {
    if (this.phase === GONE) return;
    const relieved = (this.channel as Channel).written();
    if (this.phase === FLUSHING) return this.finish();
    if (!relieved) return;
    this.mark(RELIEVED);
    if (!this.busy) this.idle();
  }

  /** Signals never wait behind frames or messages. */
  override receiveExit(from: Pid, reason: ExitReason, byLink = false): void {
    if (!this.alive) return;
    if (reason === "kill" && !byLink) return this.killed();
    if (reason === "normal") return;
    if (this.phase === WAITING) return this.die(reason);
    if (reason !== "shutdown" || from !== this.parent?.pid) return this.stop(reason);
    this.mark(SHUTDOWN_ASKED);
    if (!this.busy) this.idle();
  }

  // -- deadlines ----------------------------------------------------------------------------------------

  /** Where it is we who have not looked at what came, the peer gets its time again. */
  protected heedPeer(channel: Channel, now: number): void {
    if (channel.partialSince !== NONE && now >= channel.partialSince + this.service.limits.frame) {
      if (channel.hungry) return this.stop({ shutdown: "frame_timeout" });
      channel.partialSince = wholeMs();
    }
    if (now < channel.heardAt + this.cells.idleMs) return;
    channel.excusedAt = wholeMs();
    if (channel.hungry && !this.busy) this.event("idle", undefined);
  }

  protected peerDeadline(channel: Channel): number {
    const idleAt = channel.heardAt + this.cells.idleMs;
    const { partialSince } = channel;
    return partialSince === NONE ? idleAt : Math.min(idleAt, partialSince + this.service.limits.frame);
  }
}

/** Of what is borrowed; whatever a framing has made of the bytes is the protocol's own. */
function ownCopy(frame: unknown): unknown {
  return isUint8Array(frame) ? Buffer.from(frame) : frame;
}
