/**
 * Lifecycle of a connection, independent of its protocol: how it gets its socket, and its deadlines. How it ends is in
 * `connection-end.ts`. The phase only goes up.
 *
 *   waiting ──begin──▶ running ──stop──▶ closing ──▶ flushing ──▶ lingering ──▶ gone
 *      └──▶ opening ──▶┘  │                │            │            └ FIN is sent, waiting for the peer's
 *           PROXY, TLS    │                │            └ what was sent goes out
 *           (then gone,   │                └ leave, terminate
 *            or running)  └ kill: gone at once; crash, reset: gone after leave and terminate
 *
 * `ConnectionEnd`, `FrameLoop`, `GroupMember`, `ProtocolChange` and `Connection` extend it: one object in seven files,
 * because a second object would cost memory per connection.
 */

import type { Framing } from "../../framing/framing.js";
import type { SettledOutcome } from "../../otp/gen-statem/cells.js";
import { type ExitReason, reasonOf } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { type Duration, toMs } from "../../otp/time/duration.js";
import type { Socket } from "../../transport/transport.js";
import { wholeMs } from "../loop/timer-wheel.js";
import { connectionClosed, connectionOpened, handlerTimeouts } from "../observe/events.js";
import { type Logger, loggerOf } from "../observe/protocol-log.js";
import type { Active, Conn } from "../protocol/protocol.js";
import { roomAgain, roomOf, signalOf } from "./abort-signal.js";
import { CLOSING, ConnectionView, GONE, OPENING, RUNNING } from "./connection-view.js";
import { OBSERVED, SHED, SHUTDOWN_ASKED, STARTING_TLS } from "./flags.js";
import { NONE, ReaderWriter } from "./input/reader.js";

export const SHED_FOR_ANOTHER: ExitReason = Object.freeze({ shutdown: "shed" });
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

  /** The peer does not read: output that waits is given up. */
  protected abstract giveUp(reason: ExitReason): void;
  /** Ends at once. */
  protected abstract abort(reason: ExitReason): void;

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
}
