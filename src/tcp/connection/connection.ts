/**
 * Connection: one client, one process, running the state machine of its protocol on the frames of its socket. How it
 * starts is in `connection-start.ts`, its deadlines in `lifecycle.ts`, its end in
 * `connection-end.ts`, how it takes frames in `frame-loop.ts`.
 */
import { isUint8Array } from "node:util/types";
import type { Outcome } from "../../otp/gen-statem/gen-statem.js";
import { POSTPONE } from "../../otp/gen-statem/step.js";
import type { ExitReason } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { cleanContext } from "../../transport/async-context.js";
import type { SocketOwner } from "../../transport/transport.js";
import { wholeMs } from "../loop/timer-wheel.js";
import { handleEvent, type ProtocolCells } from "../protocol/compiled/compile.js";
import { SharedMessage } from "../protocol/compiled/shared-messages.js";
import type { Active } from "../protocol/protocol.js";
import { checkActive } from "../protocol/validate/validate.js";
import { ConnectionStart } from "./connection-start.js";
import { CLOSING, FLUSHING, GONE, OPENING, RUNNING } from "./connection-view.js";
import { PASSIVE_TOLD, PUMPING, RELIEVED, SHUTDOWN_ASKED, STARTING_TLS } from "./flags.js";
import { CellMessage } from "./group-member.js";
import { PostponedFrames } from "./input/postponed-frames.js";
import { recheckRate } from "./input/rate-throttle.js";
import { NONE, type ReaderWriter } from "./input/reader.js";

const NO_FIRST_FRAME: ExitReason = Object.freeze({ shutdown: "first_frame_timeout" });
const LIFETIME: ExitReason = Object.freeze({ shutdown: "lifetime" });

export class Connection extends ConnectionStart implements SocketOwner {
  // -- what a protocol calls ------------------------------------------------------------------------

  send(frame: any): boolean {
    const { io } = this;
    // A handler that outlives its connection may still send: the frame is dropped.
    if (io === undefined || this.phase > CLOSING) return false;
    const { counters, traces } = this.endpoint;
    const { limits, framing } = this.protocol;
    if (traces !== undefined) traces.sent(this, frame);
    if (io.full && io.pending > limits.maxOutbound) {
      this.giveUp({ shutdown: "slow_consumer" });
      return false;
    }
    io.send(framing, frame);
    this.framesSent++;
    counters.framesSent++;
    return !io.full;
  }

  setActive(active: Active): void {
    checkActive(active, (what) => {
      throw new TypeError(what);
    });
    const { io } = this;
    io?.ask(active);
    this.setFlag(PASSIVE_TOLD, false);
    if (this.hasFlag(PUMPING) || this.busy) return;
    if (io === undefined || this.holds("frame") || !this.standBy(io)) this.deferTurn();
  }

  /** Handles messages: in a context of its own, because the scheduler runs many processes in one. */
  override run(budget: number): number {
    return cleanContext().runInAsyncScope(super.run, this, budget);
  }

  // -- the state machine --------------------------------------------------------------------------------

  protected cellsOf(state: string): ProtocolCells {
    const cells = this.protocol.cellsOf(state);
    const { traces } = this.endpoint;
    return traces === undefined ? cells : traces.cells(this, cells);
  }

  protected handle(kind: string, content: unknown): Outcome {
    if (kind === "frame") this.postponed?.recall();
    if (kind === "message") {
      if (content instanceof SharedMessage) return this.handleShared(content);
      if (content instanceof CellMessage) return this.handleCell(content);
    }
    // `applyOutcome` knows what a boolean means.
    return handleEvent(this.cells, this, kind, content) as Outcome;
  }

  protected override applyOutcome(outcome: Outcome, kind: string, content: unknown): boolean {
    // What `conn.send` returns may be returned by a handler.
    if (typeof outcome === "boolean") return this.applyOutcome(undefined, kind, content);
    if (outcome === POSTPONE && kind === "message" && this.postponedEvents >= this.maxMessages) {
      this.messageRefused();
      return super.applyOutcome(undefined, kind, content);
    }
    if (kind !== "frame") return this.carryOut(outcome, kind, content);
    if (outcome === POSTPONE) this.postponeFrame(this.io as ReaderWriter);
    else if (this.postponed !== undefined && !(outcome instanceof Promise)) this.handledFrame(this.postponed);
    // An async handler may still postpone it, and borrowed memory is overwritten by then.
    const outlives = outcome === POSTPONE || outcome instanceof Promise;
    return this.carryOut(
      outcome,
      kind,
      outlives && this.protocol.readMemory.borrowed ? ownCopy(content) : content,
    );
  }

  private postponeFrame({ consumed, ended }: ReaderWriter): void {
    // With the client gone, the first of them begins the time that they may wait.
    if (ended && this.postponed === undefined) this.limitHandler(this.protocol.limits.handler);
    this.postponed ??= new PostponedFrames(consumed);
    this.postponed.add(consumed);
  }

  protected override stateChanged(): void {
    if (this.phase === RUNNING)
      this.endpoint.loop.timerWheel.schedule(this, this.peerDeadline(this.io as ReaderWriter));
  }

  /** No handler is running: what comes next, in this order. */
  protected idle(): void {
    if (this.phase !== RUNNING || this.hasFlag(PUMPING)) return;
    if (this.hasFlag(SHUTDOWN_ASKED)) return this.sayShutdown();
    if (this.hasFlag(RELIEVED)) return this.sayDrained();
    const io = this.io as ReaderWriter;
    // Messages first: a protocol whose every frame has an async handler would otherwise never receive one.
    if (!io.hungry && this.messageQueueLength > 0 && !this.standBy(io)) return this.deferTurn();
    if (!io.hungry || io.ended || io.credit === 0) this.pump();
  }

  protected sayShutdown(): void {
    this.setFlag(SHUTDOWN_ASKED, false);
    this.event("shutdown", undefined);
  }

  private sayDrained(): void {
    this.setFlag(RELIEVED, false);
    if (this.cells.drained) this.event("drained", undefined);
    else this.pump();
  }

  onWritten(): void {
    if (this.phase === GONE) return;
    const relieved = (this.io as ReaderWriter).written();
    if (this.hasFlag(STARTING_TLS)) this.goOnWithTls();
    if (this.phase === FLUSHING) return this.finish();
    if (!relieved) return;
    this.onRoom();
    this.setFlag(RELIEVED);
    if (!this.busy) this.idle();
  }

  /** A full output buffer is a turn used up, also where the kernel takes it at once. */
  onRelieved(): void {
    this.onRoom();
    if (this.phase !== RUNNING) return;
    this.setFlag(RELIEVED);
    // Outside of its own turn, another connection's frames have made it flush.
    if (!this.busy) this.deferTurn(this.hasFlag(PUMPING) ? undefined : cleanContext());
  }

  protected get owing(): boolean {
    if (this.busy && this.sys?.suspended !== true) return true;
    return this.postponed !== undefined && (this.io as ReaderWriter).ended;
  }

  /** A `timeout` that is a plain `stop(...)` does not wait for a running handler. */
  protected override timedOut(): boolean {
    const { timeoutStop } = this.cells;
    if (!this.owing || timeoutStop === undefined) return false;
    this.stop(timeoutStop.reason);
    return true;
  }

  /** Exit signals never wait behind frames or messages. One may come from a handler of another connection. */
  override receiveExit(from: Pid, reason: ExitReason, byLink = false): void {
    if (this.alive) cleanContext().runInAsyncScope(this.exitSignal, this, from, reason, byLink);
  }

  private exitSignal(from: Pid, reason: ExitReason, byLink: boolean): void {
    if (reason === "kill" && !byLink) return this.killed();
    if (reason === "normal") return;
    if (this.phase <= OPENING) return this.die(reason);
    const byParent = from === this.parent?.pid;
    if (reason !== "shutdown" || !byParent || this.sys?.suspended) return this.stop(reason);
    // It is ending: its own deadlines (terminate, send, linger) stand.
    if (this.phase !== RUNNING) return;
    this.setFlag(SHUTDOWN_ASKED);
    if (this.busy) this.limitHandlerAtShutdown();
    else this.idle();
  }

  // -- deadlines ----------------------------------------------------------------------------------------

  /** Ends a connection whose peer is silent. While received bytes wait for the server, the peer is not silent: its time starts again. */
  protected heedPeer(io: ReaderWriter, now: number): void {
    if (io.partialSince !== NONE && now >= io.partialSince + this.protocol.limits.frame) {
      if (io.hungry) return this.stop(this.invalid(io, "frame_timeout", "a frame did not end in time"));
      io.partialSince = wholeMs();
    }
    if (now >= this.ageLimit(io)) return this.stop(this.overAge);
    if (now < io.heardAt + this.cells.idleMs) return;
    io.excusedAt = wholeMs();
    if (io.hungry && !this.busy && this.postponed === undefined) this.event("idle", undefined);
  }

  protected peerDeadline(io: ReaderWriter): number {
    const at = Math.min(io.heardAt + this.cells.idleMs, this.ageLimit(io));
    const { partialSince } = io;
    return partialSince === NONE ? at : Math.min(at, partialSince + this.protocol.limits.frame);
  }

  /** An operator has changed the limits of its protocol. */
  limitsChanged(): void {
    if (this.phase !== RUNNING) return;
    const io = this.io as ReaderWriter;
    this.endpoint.loop.timerWheel.schedule(this, this.peerDeadline(io));
    recheckRate(io);
    const { loop } = this.endpoint;
    loop.waitingOutput.keepTo(this.protocol.limits.workerOutbound);
    loop.unfinished.keepTo(this.protocol.limits.workerInbound);
  }

  private get overAge(): ExitReason {
    const { firstFrame, lifetime } = this.protocol.limits;
    return this.framesReceived === 0 && firstFrame < lifetime ? NO_FIRST_FRAME : LIFETIME;
  }

  /** When it ends for want of a first frame, or because it is too old. */
  private ageLimit(io: ReaderWriter): number {
    const { firstFrame, lifetime } = this.protocol.limits;
    return io.openedAt + (this.framesReceived === 0 ? Math.min(firstFrame, lifetime) : lifetime);
  }
}

/** Of what is borrowed; whatever a framing has made of the bytes is the protocol's own. */
function ownCopy(frame: unknown): unknown {
  return isUint8Array(frame) ? Buffer.from(frame) : frame;
}
