/**
 * Lifecycle of a connection, independent of its protocol: how it gets its socket, its deadlines, and how it ends. The
 * phase only goes up.
 *
 *   waiting ──begin──▶ running ──stop──▶ closing ──▶ flushing ──▶ lingering ──▶ gone
 *                         │                │            │            └ FIN is sent, waiting for the peer's
 *                         │                │            └ what was sent goes out
 *                         │                └ leave, terminate
 *                         └ kill: gone at once; crash, reset: gone after leave and terminate
 *
 * `Connection` is its only subclass: one object in three files, because a second object would cost memory per connection.
 */

import { type ExitReason, isNormal, reasonOf } from "../../otp/process/exit-reason.js";
import { type Duration, toMs } from "../../otp/time/duration.js";
import type { Socket } from "../../transport/transport.js";
import { wholeMs } from "../loop/timer-wheel.js";
import { closeReason } from "../observe/counters.js";
import { connectionClosed, connectionOpened } from "../observe/events.js";
import type { Active, Conn } from "../protocol/protocol.js";
import { CLOSING, ConnectionView, FLUSHING, GONE, LINGERING, RUNNING, WAITING } from "./connection-view.js";
import { HOPELESS } from "./flags.js";
import { NONE, ReaderWriter } from "./reader.js";

const RESET: ExitReason = Object.freeze({ shutdown: "reset" });

export abstract class Lifecycle extends ConnectionView implements Conn<any, any> {
  /** Deadline of the present phase, or of the running handler, in clock milliseconds. */
  #endBy = NONE;
  #exitReason: ExitReason = "normal";

  abstract send(frame: any): void;
  abstract setActive(active: Active): void;

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
    this.phase = RUNNING;
    counters.accepted++;
    counters.active++;
    loop.runQueue.accepted++;
    if (connectionOpened.hasSubscribers || connectionClosed.hasSubscribers) {
      const { pid, peer, label: protocol } = this;
      connectionOpened.publish({ pid, protocol, peer });
    }
  }

  // -- deadlines ----------------------------------------------------------------------------------------

  /** While running: ends the connection if a deadline of the peer (idle, frame) has passed. */
  protected abstract heedPeer(io: ReaderWriter, now: number): void;
  /** While running: when to check that again. */
  protected abstract peerDeadline(io: ReaderWriter): number;

  onDeadline(now: number): number {
    const io = this.io as ReaderWriter;
    if (io.stalled(now)) this.giveUp({ shutdown: "send_timeout" });
    else if (this.phase === RUNNING) this.heedPeer(io, now);
    else if (this.#endBy !== NONE && now >= this.#endBy) this.overdue();
    if (this.phase === GONE) return Infinity;
    if (this.phase === RUNNING) return Math.min(this.peerDeadline(io), io.stalledAt);
    return this.#endBy === NONE ? io.stalledAt : Math.min(this.#endBy, io.stalledAt);
  }

  /** The end takes too long: the peer does not close its side, or `terminate` does not settle. */
  private overdue(): void {
    if (this.phase === CLOSING) this.killed();
    else this.abort(this.#exitReason);
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
    if (this.phase === WAITING) return this.exitWith(reason);
    this.phase = CLOSING;
    this.stopping = true;
    this.#exitReason = reason;
    this.cancelTimers();
    try {
      this.cells.leave?.(this);
    } catch (thrown) {
      this.#exitReason = reasonOf(thrown);
    }
    this.runTerminate();
  }

  private runTerminate(): void {
    const { source, limits } = this.protocol;
    try {
      const waiting = source.terminate?.(this, this.#exitReason);
      if (!(waiting instanceof Promise)) return this.closeWith();
      this.#endBy = wholeMs() + limits.terminate;
      if (this.phase === CLOSING) this.endpoint.loop.timerWheel.schedule(this, this.#endBy);
      waiting.then(
        () => this.closeWith(),
        (thrown) => this.closeWith(reasonOf(thrown)),
      );
    } catch (thrown) {
      this.closeWith(reasonOf(thrown));
    }
  }

  private closeWith(reason: ExitReason = this.#exitReason): void {
    if (this.phase !== CLOSING) return;
    this.endpoint.loop.output.flush();
    if (this.hasFlag(HOPELESS) || !isNormal(reason)) return this.abort(reason);
    this.#exitReason = reason;
    this.phase = FLUSHING;
    this.#endBy = NONE;
    (this.io as ReaderWriter).discard();
    this.finish();
  }

  /** Sends FIN once the output is flushed, then waits for the peer's: closing at once could reset bytes still in flight. */
  protected finish(): void {
    const { pending, socket } = this.io as ReaderWriter;
    if (pending > 0) return;
    this.phase = LINGERING;
    this.#endBy = wholeMs() + this.protocol.limits.linger;
    this.endpoint.loop.timerWheel.schedule(this, this.#endBy);
    socket.end();
  }

  /** Ends at once. */
  protected abort(reason: ExitReason): void {
    this.phase = GONE;
    this.exitWith(reason);
  }

  onClosed(code: string | undefined): void {
    this.setFlag(HOPELESS);
    if (this.phase === RUNNING) this.stop(code === undefined ? "normal" : RESET);
    // While `terminate` runs, its promise is awaited all the same.
    else if (this.phase > CLOSING) this.abort(this.#exitReason);
  }

  protected override ended(reason: ExitReason): void {
    this.phase = GONE;
    this.cancelTimers();
    const { endpoint } = this;
    const { counters } = endpoint;
    endpoint.loop.timerWheel.remove(this);
    if (!this.io) return;
    this.io.drop();
    this.io.socket.destroy();
    const counted = closeReason(reason);
    counters.active--;
    counters.closed[counted]++;
    if (counted === "crash") counters.crashes++;
    if (connectionClosed.hasSubscribers) {
      const { pid, peer, state, framesReceived, framesSent, label: protocol } = this;
      connectionClosed.publish({ pid, protocol, peer, reason, counted, state, framesReceived, framesSent });
    }
    endpoint.onReleased?.();
  }
}
