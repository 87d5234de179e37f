/**
 * The life of a connection, whatever its protocol says in between: how it gets its socket, and how it ends.
 *
 *   waiting ──begin──▶ running ──stop──▶ closing ──▶ flushing ──▶ lingering ──▶ gone
 *                         │                │            │            └ FIN is sent, waiting for the peer's
 *                         │                │            └ what was sent goes out
 *                         │                └ leave, terminate
 *                         └ kill: gone at once; crash, reset: gone after leave and terminate
 *
 * `Connection` is its only subclass: two files of one class, so that nothing is paid for the seam.
 */

import { StateMachine } from "../../otp/gen-statem/gen-statem.js";
import { type ExitReason, isNormal, reasonOf } from "../../otp/process/exit-reason.js";
import { ALIVE, BUSY } from "../../otp/process/flags.js";
import type { Pid } from "../../otp/process/pid.js";
import type { Process } from "../../otp/process/process.js";
import { clock } from "../../otp/time/clock.js";
import { type Duration, toMs } from "../../otp/time/duration.js";
import type { Peer, Socket } from "../../transport/transport.js";
import type { Endpoint } from "../endpoint.js";
import { NO_SLOT, type TimerWheelEntry, wholeMs } from "../loop/timer-wheel.js";
import { closeReason } from "../observe/counters.js";
import { connectionClosed, connectionOpened } from "../observe/events.js";
import { inspectConnection } from "../observe/inspect.js";
import type { TraceListener } from "../observe/trace.js";
import type { ProtocolCells } from "../protocol/compile.js";
import type { CompiledProtocol } from "../protocol/compiled-protocol.js";
import type { Active, Conn } from "../protocol/protocol.js";
import { HOPELESS } from "./flags.js";
import { NONE, ReaderWriter } from "./reader.js";

/** Where a connection is in its life; only ever goes up. */
export const WAITING = 0;
export const RUNNING = 1;
export const CLOSING = 2;
export const FLUSHING = 3;
const LINGERING = 4;
export const GONE = 5;

const RESET: ExitReason = Object.freeze({ shutdown: "reset" });
const NOWHERE: Peer = Object.freeze({ address: "", port: 0 });

export abstract class Lifecycle
  extends StateMachine<ProtocolCells>
  implements Conn<any, any>, TimerWheelEntry
{
  data: any = undefined;
  framesReceived = 0;
  framesSent = 0;
  wheelSlot = NO_SLOT;
  wheelNext: TimerWheelEntry | undefined = undefined;
  wheelPrev: TimerWheelEntry | undefined = undefined;
  readonly endpoint: Endpoint;
  /** Replaceable: what its connection does with the next frame, and within which limits. */
  protocol: CompiledProtocol;
  protected phase = WAITING;
  protected io: ReaderWriter | undefined = undefined;
  /** When the present phase is over at the latest. */
  #endBy = NONE;
  #exitReason: ExitReason = "normal";

  abstract send(frame: any): void;
  abstract setActive(active: Active): void;

  constructor(endpoint: Endpoint, protocol: CompiledProtocol, parent: Process | undefined, pid?: Pid) {
    super(protocol.initial, parent, pid);
    this.endpoint = endpoint;
    this.protocol = protocol;
  }

  // The same as of every process, once more. There they are read of processes of five kinds and more, and V8 then
  // looks each of them up in a table: a fiftieth of what a small frame costs. Here they are of one kind.

  protected override hasFlag(flags: number): boolean {
    return (this.flagBits & flags) !== 0;
  }

  protected override setFlag(flags: number, on = true): void {
    if (on) this.flagBits |= flags;
    else this.flagBits &= ~flags;
  }

  override get alive(): boolean {
    return this.hasFlag(ALIVE);
  }

  protected override set alive(alive: boolean) {
    this.setFlag(ALIVE, alive);
  }

  override get busy(): boolean {
    return this.hasFlag(BUSY);
  }

  override set busy(busy: boolean) {
    this.setFlag(BUSY, busy);
  }

  setTimer(name: string, after: Duration): void {
    this.protocol.checkTimer(name);
    const ms = after === Infinity ? Infinity : toMs(after);
    // As what is sent too late: its end has cancelled all of them.
    if (this.phase === RUNNING) this.setNamedTimer(name, ms);
  }

  cancelTimer(name: string): void {
    this.setTimer(name, Infinity);
  }

  /** Makes the socket its own. From here on it is counted. */
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

  /** While it runs: whether the peer keeps it waiting. */
  protected abstract heedPeer(io: ReaderWriter, now: number): void;
  /** While it runs: when to ask that again. */
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

  /** Its end takes too long: the peer does not close its side, or `terminate` does not come back. */
  private overdue(): void {
    if (this.phase === CLOSING) this.killed();
    else this.abort(this.#exitReason);
  }

  // -- the end ------------------------------------------------------------------------------------------

  protected override crash(reason: ExitReason): void {
    this.stop(reason);
  }

  /** The peer does not take what is sent to it: it will not take what is still to come either. */
  protected giveUp(reason: ExitReason): void {
    this.setFlag(HOPELESS);
    if (this.phase < CLOSING) this.stop(reason);
    else this.abort(reason);
  }

  /** Leaves the present state, ends the protocol, and closes: what was sent goes out, unless it crashed. */
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

  /** Sends FIN once all output is out, then waits a little for the peer's: a reset would destroy what is under way. */
  protected finish(): void {
    const { pending, socket } = this.io as ReaderWriter;
    if (pending > 0) return;
    this.phase = LINGERING;
    this.#endBy = wholeMs() + this.protocol.limits.linger;
    this.endpoint.loop.timerWheel.schedule(this, this.#endBy);
    socket.end();
  }

  /** Ends without waiting for anything. */
  protected abort(reason: ExitReason): void {
    this.phase = GONE;
    this.exitWith(reason);
  }

  onClosed(code: string | undefined): void {
    this.setFlag(HOPELESS);
    if (this.phase === RUNNING) this.stop(code === undefined ? "normal" : RESET);
    // What `terminate` waits for is waited for all the same.
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

  // -- being looked at ----------------------------------------------------------------------------------

  get label(): string {
    return this.protocol.name;
  }

  /** Started, and not given its socket yet. */
  get waiting(): boolean {
    return this.phase === WAITING;
  }

  /** Asked of the system when somebody wants to know: most protocols never do. */
  get peer(): Peer {
    return this.io?.socket.peer ?? NOWHERE;
  }

  get outbound(): number {
    return this.io?.outbound ?? 0;
  }

  get bytesReceived(): number {
    return this.io?.bytesReceived ?? 0;
  }

  get bytesSent(): number {
    return this.io?.bytesSent ?? 0;
  }

  /** Bytes that were received and not handled. */
  get buffered(): number {
    return this.io?.unhandled ?? 0;
  }

  /** Milliseconds since the last whole frame from the peer. */
  get idleFor(): number {
    return this.io ? Math.max(0, Math.round(clock.now() - this.io.lastFrameAt)) : 0;
  }

  /** Milliseconds since it was accepted. */
  get age(): number {
    return this.io ? Math.max(0, Math.round(clock.now() - this.io.openedAt)) : 0;
  }

  inspect(): Record<string, unknown> {
    return inspectConnection(this);
  }

  /** Reports all that it does to `listener`. @returns what ends the trace */
  trace(listener: TraceListener): () => void {
    return this.endpoint.trace(this, listener);
  }
}
