/**
 * The end of a connection: leaves its state, runs `terminate`, flushes what was sent, sends FIN, waits for the peer's,
 * and counts. The phases are drawn in `lifecycle.ts`.
 */
import { type ExitReason, isNormal, reasonOf } from "../../otp/process/exit-reason.js";
import { cleanContext } from "../../transport/async-context.js";
import { wholeMs } from "../loop/timer-wheel.js";
import { detailOf } from "../observe/close-detail.js";
import { closeReason, ownReason } from "../observe/counters.js";
import { connectionClosed } from "../observe/events.js";
import { abortAll } from "./abort-signal.js";
import { CLOSING, FLUSHING, GONE, LINGERING, OPENING, RUNNING } from "./connection-view.js";
import { HOPELESS, OBSERVED, SHED, STARTING_TLS } from "./flags.js";
import { NONE, type ReaderWriter } from "./input/reader.js";
import { Lifecycle, SHED_FOR_ANOTHER } from "./lifecycle.js";

/** Milliseconds for goodbyes of a connection that is ended for another one, which waits for its place. */
const SHED_WITHIN = 1_000;
const RESET: ExitReason = Object.freeze({ shutdown: "reset" });
const TLS_ERROR: ExitReason = Object.freeze({ shutdown: "tls_error" });

/** Without fields, so that its constructor is none: see `connection-view.ts`. */
export abstract class ConnectionEnd extends Lifecycle {
  protected abstract sayShutdown(): void;

  protected override crash(reason: ExitReason): void {
    this.stop(reason);
  }

  protected override giveUp(reason: ExitReason): void {
    this.setFlag(HOPELESS);
    if (this.phase < CLOSING) this.stop(reason);
    else this.abort(reason);
  }

  /** Leaves the present state, runs `terminate`, and closes: waiting output is flushed first, except after a crash. */
  protected override stop(reason: ExitReason): void {
    if (!this.alive || this.phase >= CLOSING) return;
    if (this.phase <= OPENING) return this.exitWith(reason);
    this.endpoint.loop.recent.ending(this, this.asyncId);
    this.phase = CLOSING;
    this.stopping = true;
    // Nothing can be sent between two lives of the socket.
    if (this.hasFlag(STARTING_TLS)) this.setFlag(HOPELESS);
    this.exitReason = this.hasFlag(SHED) && isNormal(reason) ? SHED_FOR_ANOTHER : reason;
    this.endBy = NONE;
    this.cancelTimers();
    if (this.hasFlag(OBSERVED)) abortAll(this, this.exitReason);
    try {
      this.leaveState();
    } catch (thrown) {
      this.exitReason = reasonOf(thrown);
    }
    this.runTerminate();
  }

  private runTerminate(): void {
    const { source, limits } = this.protocol;
    try {
      const waiting = source.terminate?.(this, this.exitReason);
      if (!(waiting instanceof Promise)) return this.closeWith();
      this.endBy =
        wholeMs() + (this.hasFlag(SHED) ? Math.min(limits.terminate, SHED_WITHIN) : limits.terminate);
      if (this.phase === CLOSING) this.endpoint.loop.timerWheel.schedule(this, this.endBy);
      waiting.then(
        () => this.closeWith(),
        (thrown) => this.closeWith(reasonOf(thrown)),
      );
    } catch (thrown) {
      this.closeWith(reasonOf(thrown));
    }
  }

  private closeWith(reason: ExitReason = this.exitReason): void {
    if (this.phase !== CLOSING) return;
    this.endpoint.loop.output.flush();
    if (this.hasFlag(HOPELESS) || !isNormal(reason)) return this.abort(reason);
    this.exitReason = reason;
    this.phase = FLUSHING;
    this.endBy = NONE;
    (this.io as ReaderWriter).discard();
    this.finish();
  }

  /** Sends FIN once the output is flushed, then waits for the peer's: closing at once could reset bytes still in flight. */
  protected finish(): void {
    const { pending, socket } = this.io as ReaderWriter;
    const shed = this.hasFlag(SHED);
    if (pending > 0) {
      if (shed) this.limitHandler(SHED_WITHIN);
      return;
    }
    this.phase = LINGERING;
    this.endBy = wholeMs() + this.protocol.limits.linger;
    this.endpoint.loop.timerWheel.schedule(this, this.endBy);
    socket.end();
    // Its place is needed, and it was idle: nothing of its client's is in flight.
    if (shed) this.abort(this.exitReason);
  }

  /** Since when no whole frame has come, if nothing is owed to its client; `Infinity`: it is not idle, or is ending. */
  get idleSince(): number {
    const { io, phase } = this;
    if (io === undefined || phase < OPENING || phase > RUNNING || this.hasFlag(SHED)) return Infinity;
    if (phase === OPENING) return io.openedAt;
    return this.owing || io.outbound > 0 ? Infinity : io.lastFrameAt;
  }

  /**
   * Ends it to make room for another connection. Its protocol is told as at a shutdown, and has at most 1 s for its
   * goodbye; without a goodbye its place is free when this returns.
   */
  shed(): void {
    if (this.phase === OPENING) return this.abort(SHED_FOR_ANOTHER);
    if (this.phase !== RUNNING) return;
    this.setFlag(SHED);
    cleanContext().runInAsyncScope(this.sayShutdown, this);
    if (this.phase !== RUNNING) return;
    if (this.busy) this.limitHandler(SHED_WITHIN);
    else this.stop(SHED_FOR_ANOTHER);
  }

  protected override abort(reason: ExitReason): void {
    this.phase = GONE;
    this.exitWith(reason);
  }

  onClosed(code: string | undefined): void {
    this.setFlag(HOPELESS);
    if (this.phase === RUNNING) this.stop(code === undefined || this.unused ? "normal" : lossOf(code));
    // While `terminate` runs, its promise is awaited all the same.
    else if (this.phase > CLOSING) this.abort(this.exitReason);
  }

  /** Nothing came behind the PROXY header: HAProxy's health check of version 1 ends so, by RST. */
  private get unused(): boolean {
    return this.bytesReceived === 0 && this.proxy !== undefined;
  }

  protected override ended(reason: ExitReason): void {
    this.phase = GONE;
    this.exitReason = reason;
    this.cancelTimers();
    const { endpoint } = this;
    const { counters } = endpoint;
    endpoint.loop.timerWheel.remove(this);
    if (!this.io) return;
    if (this.data !== undefined) endpoint.loop.recent.replace(this, () => this.traits);
    if (this.hasFlag(OBSERVED)) abortAll(this, reason);
    this.io.close();
    const counted = closeReason(reason);
    counters.active--;
    counters.closed[counted]++;
    if (counted === "crash") counters.crashes++;
    const own = counted === "stopped" ? ownReason(this.protocol.source, reason) : undefined;
    if (own !== undefined) counters.own[own] = (counters.own[own] ?? 0) + 1;
    if (connectionClosed.hasSubscribers) {
      const { pid, peer, via, state, framesReceived, framesSent, label: protocol } = this;
      const ended = {
        pid,
        protocol,
        peer,
        via,
        reason,
        counted: own ?? counted,
        state,
        framesReceived,
        framesSent,
      };
      connectionClosed.publish({ ...ended, detail: detailOf(reason) });
    }
    endpoint.gate?.left(this);
    endpoint.onReleased?.();
  }
}

/** @param code of the socket: `EPROTO` for bytes that are not TLS, or an alert */
function lossOf(code: string): ExitReason {
  return code === "EPROTO" ? TLS_ERROR : RESET;
}
