/**
 * Lifecycle of a connection, independent of its protocol: how it gets its socket, its deadlines, and how it ends. The
 * phase only goes up.
 *
 *   waiting ──begin──▶ running ──stop──▶ closing ──▶ flushing ──▶ lingering ──▶ gone
 *      └──▶ opening ──▶┘  │                │            │            └ FIN is sent, waiting for the peer's
 *           PROXY, TLS    │                │            └ what was sent goes out
 *           (then gone,   │                └ leave, terminate
 *            or running)  └ kill: gone at once; crash, reset: gone after leave and terminate
 *
 * `FrameLoop`, `GroupMember`, `ProtocolChange` and `Connection` extend it: one object in six files, because a second object would cost memory per connection.
 */

import type { Framing } from "../../framing/framing.js";
import type { SettledOutcome } from "../../otp/gen-statem/cells.js";
import { type ExitReason, isNormal, reasonOf } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { type Duration, toMs } from "../../otp/time/duration.js";
import { cleanContext } from "../../transport/async-context.js";
import type { Socket } from "../../transport/transport.js";
import { wholeMs } from "../loop/timer-wheel.js";
import { detailOf } from "../observe/close-detail.js";
import { closeReason, ownReason } from "../observe/counters.js";
import { connectionClosed, connectionOpened, handlerTimeouts } from "../observe/events.js";
import { type Logger, loggerOf } from "../observe/protocol-log.js";
import type { Active, Conn } from "../protocol/protocol.js";
import { abortAll, roomAgain, roomOf, signalOf } from "./abort-signal.js";
import { CLOSING, ConnectionView, FLUSHING, GONE, LINGERING, OPENING, RUNNING } from "./connection-view.js";
import { HOPELESS, OBSERVED, SHED, SHUTDOWN_ASKED, STARTING_TLS } from "./flags.js";
import { NONE, ReaderWriter } from "./reader.js";

const SHED_FOR_ANOTHER: ExitReason = Object.freeze({ shutdown: "shed" });
/** Milliseconds for goodbyes of a connection that is ended for another one, which waits for its place. */
const SHED_WITHIN = 1_000;
const RESET: ExitReason = Object.freeze({ shutdown: "reset" });
const TLS_ERROR: ExitReason = Object.freeze({ shutdown: "tls_error" });
const HANDSHAKE_TIMEOUT: ExitReason = Object.freeze({ shutdown: "handshake_timeout" });
const HANDLER_TIMEOUT: ExitReason = Object.freeze({ shutdown: "handler_timeout" });

export abstract class Lifecycle extends ConnectionView implements Conn<any, any> {
  abstract endUnfinished(): void;
  abstract onOutputGivenUp(bytes: number): void;
  abstract send(frame: any): boolean;
  abstract setActive(active: Active): void;
  abstract throttleBy(other: Pid | { readonly pid: Pid }): void;
  abstract setFraming(framing: Framing<any, any>): void;
  abstract get missed(): number;

  /** Log of this connection. */
  get log(): Logger {
    return loggerOf(this);
  }

  /** Aborted when the connection ends, for whatever reason. */
  get signal(): AbortSignal {
    this.setFlag(OBSERVED);
    return signalOf(this, this.ending);
  }

  room(): Promise<void> {
    if (this.ending === undefined && this.io?.full !== true) return Promise.resolve();
    this.setFlag(OBSERVED);
    return roomOf(this, this.ending);
  }

  spawn(work: (signal: AbortSignal) => unknown): void {
    if (this.phase !== RUNNING) return;
    const failed = (thrown: unknown): void => {
      // What fails because the connection ends is no news.
      if (this.phase === RUNNING) this.crash(reasonOf(thrown));
    };
    try {
      Promise.resolve(work(this.signal)).catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  /** The reason for which it is ending or has ended; `undefined` while it runs. */
  private get ending(): ExitReason | undefined {
    return this.phase >= CLOSING ? this.exitReason : undefined;
  }

  /** The output has room again. */
  onRoom(): void {
    if (this.hasFlag(OBSERVED)) roomAgain(this);
  }

  setTimer(name: string, after: Duration): void {
    this.protocol.checkTimer(name);
    const ms = after === Infinity ? Infinity : toMs(after);
    // After the end it is ignored, like a frame sent too late: all timers are cancelled by then.
    if (this.phase === RUNNING) this.setNamedTimer(name, ms);
  }

  cancelTimer(name: string): void {
    this.setTimer(name, Infinity);
  }

  /** Takes ownership of the socket. From here on the connection is counted. */
  protected adopt(socket: Socket): void {
    const { counters, loop } = this.endpoint;
    this.io = new ReaderWriter(this, socket);
    counters.accepted++;
    counters.active++;
    loop.runQueue.accepted++;
    loop.recent.add(this);
  }

  /** The protocol begins. */
  protected running(): void {
    this.phase = RUNNING;
    if (connectionOpened.hasSubscribers || connectionClosed.hasSubscribers) {
      const { pid, peer, via, label: protocol } = this;
      connectionOpened.publish({ pid, protocol, peer, via });
    }
  }

  // -- a handler that takes long --------------------------------------------------------------------

  protected override waitFor(
    outcome: Promise<SettledOutcome>,
    then: (step: SettledOutcome) => boolean,
  ): boolean {
    // Asked to shut down, the machine must come to rest in the time that the first handler has got.
    if (this.phase === RUNNING && !this.hasFlag(SHUTDOWN_ASKED))
      this.limitHandler(this.protocol.limits.handler);
    return super.waitFor(outcome, then);
  }

  /** The server owes the client an answer: it has so many milliseconds from now on. */
  protected limitHandler(ms: number): void {
    this.endBy = wholeMs() + ms;
    this.endpoint.loop.timerWheel.schedule(this, this.endBy);
  }

  /** At shutdown a running handler may finish; 300 ms, or half of a shorter time, are left for `leave` and `terminate`. */
  protected limitHandlerAtShutdown(): void {
    const { shutdownMs } = this.endpoint;
    const ms = Math.max(shutdownMs / 2, shutdownMs - 300);
    // `limits.handler` holds on: the shutdown time may be longer, or without end.
    if (this.endBy === NONE || wholeMs() + ms < this.endBy) this.limitHandler(ms);
  }

  protected abstract sayShutdown(): void;
  abstract onRelieved(): void;
  abstract tlsFailed(reason: ExitReason): void;
  abstract onReleased(): void;

  /** While running: whether the server still owes the client an answer. */
  protected abstract get owing(): boolean;

  private heedHandler(now: number): void {
    if (this.endBy === NONE || now < this.endBy) return;
    if (this.hasFlag(STARTING_TLS) && !this.hasFlag(SHUTDOWN_ASKED)) return this.tlsFailed(HANDSHAKE_TIMEOUT);
    // A suspended connection cannot settle anything: it has its time again.
    if (this.sys?.suspended) return this.limitHandler(this.protocol.limits.handler);
    this.endBy = NONE;
    if (this.hasFlag(SHED)) return this.stop(SHED_FOR_ANOTHER);
    if (!this.owing) return;
    if (this.hasFlag(SHUTDOWN_ASKED)) return this.stop("shutdown");
    if (handlerTimeouts.hasSubscribers) {
      const { pid, peer, via, state, label: protocol } = this;
      handlerTimeouts.publish({ pid, protocol, peer, via, state, limit: this.protocol.limits.handler });
    }
    this.stop(HANDLER_TIMEOUT);
  }

  // -- deadlines ----------------------------------------------------------------------------------------

  /** While running: ends the connection if a deadline of the peer (idle, frame) has passed. */
  protected abstract heedPeer(io: ReaderWriter, now: number): void;
  /** While running: when to check that again. */
  protected abstract peerDeadline(io: ReaderWriter): number;

  onDeadline(now: number): number {
    const io = this.io as ReaderWriter;
    if (io.stalled(now)) this.giveUp({ shutdown: "send_timeout" });
    else if (this.phase === RUNNING) this.heedRunning(io, now);
    else if (this.endBy !== NONE && now >= this.endBy) this.overdue();
    if (this.phase === GONE) return Infinity;
    const endBy = this.endBy === NONE ? Infinity : this.endBy;
    return Math.min(endBy, io.stalledAt, this.phase === RUNNING ? this.peerDeadline(io) : Infinity);
  }

  private heedRunning(io: ReaderWriter, now: number): void {
    this.heedHandler(now);
    if (this.phase === RUNNING) this.heedPeer(io, now);
  }

  /** It takes too long: the opening, or the end, where the peer does not close its side or `terminate` does not settle. */
  private overdue(): void {
    if (this.phase === OPENING) this.abort(HANDSHAKE_TIMEOUT);
    else if (this.phase === CLOSING) this.killed();
    else this.abort(this.exitReason);
  }

  // -- the end ------------------------------------------------------------------------------------------

  protected override crash(reason: ExitReason): void {
    this.stop(reason);
  }

  /** The peer does not read: output that waits is given up. */
  protected giveUp(reason: ExitReason): void {
    this.setFlag(HOPELESS);
    if (this.phase < CLOSING) this.stop(reason);
    else this.abort(reason);
  }

  /** Leaves the present state, runs `terminate`, and closes: waiting output is flushed first, except after a crash. */
  protected stop(reason: ExitReason): void {
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

  /** Ends at once. */
  protected abort(reason: ExitReason): void {
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
