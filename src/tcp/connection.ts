/**
 * One client, one process: the state machine of its protocol, fed with frames by its socket.
 *
 *   waiting ──socketReady──▶ running ──stop──▶ closing ──▶ lingering ──▶ the end
 *                               │                │             └ FIN is sent, waiting for the peer's
 *                               │                └ leave, terminate, what was sent goes out
 *                               └ kill, crash, reset: the end at once
 *
 * Flow control both ways is one rule: the next frame is asked for only when the last one is handled and what
 * it wrote has room. Frames that are already here wait in the decoder; a chunk that comes on top of them
 * stops the reading, and TCP pushes back on the client.
 *
 * No promise, closure or timer per frame; all fields are set in the constructor.
 */
import type { Decoder, Framing } from "../framing/framing.js";
import { FramingError } from "../framing/framing.js";
import { clock } from "../otp/clock.js";
import { type ExitReason, isNormal, reasonOf } from "../otp/exit.js";
import { type Outcome, StateMachine } from "../otp/gen-statem.js";
import type { Pid } from "../otp/pid.js";
import type { Process } from "../otp/process.js";
import { stop } from "../otp/step.js";
import type { Peer, Socket, SocketOwner } from "../transport/transport.js";
import { closeReason } from "./counters.js";
import { connectionClosed, connectionOpened } from "./events.js";
import { Outlet } from "./outlet.js";
import { type Active, type Conn, checkActive, type ProtocolCells } from "./protocol.js";
import type { Deferred, Service } from "./service.js";
import { NO_SLOT, RESOLUTION, type Wheeled } from "./wheel.js";

const NOWHERE: Peer = Object.freeze({ address: "", port: 0 });

/** Where a connection is in its life; only ever goes up. */
const WAITING = 0;
const RUNNING = 1;
const CLOSING = 2;
const LINGERING = 3;

export class Connection
  extends StateMachine<ProtocolCells>
  implements Conn<any, any>, SocketOwner, Wheeled, Deferred
{
  data: any = undefined;
  peer: Peer = NOWHERE;
  framesReceived = 0;
  framesSent = 0;
  bytesReceived = 0;
  wheelSlot = NO_SLOT;
  wheelNext: Wheeled | undefined = undefined;
  wheelPrev: Wheeled | undefined = undefined;
  readonly #service: Service;
  readonly #framing: Framing<any, any>;
  readonly #decoder: Decoder<any>;
  #socket: Socket | undefined = undefined;
  #outlet: Outlet | undefined = undefined;
  #phase = WAITING;
  /** Frames that may be handled before `passive`; `Infinity` unless a number was asked for. */
  #credit: number;
  /** `active: true`: frames are handled whether or not the output has room. */
  #heedless: boolean;
  /** The decoder has given out all its frames and needs bytes. */
  #hungry = true;
  /** A chunk that came while it was not; reading is paused. */
  #held: Buffer | undefined = undefined;
  #pumping = false;
  /** Waiting for another turn. */
  #deferred = false;
  /** The output is over its high-water mark. */
  #full = false;
  /** The peer has finished sending. */
  #peerEnded = false;
  #endedTold = false;
  #passiveTold = false;
  #shutdownAsked = false;
  #gone = false;
  #lastFrameAt = 0;
  /** When the frame that is not yet whole began; 0 when there is none. */
  #partialSince = 0;
  #lingerUntil = Infinity;
  #exitReason: ExitReason = "normal";

  constructor(service: Service, parent: Process | undefined, pid?: Pid) {
    super(service.initial, parent, pid);
    this.#service = service;
    this.#framing = service.protocol.framing;
    this.#decoder = this.#framing.decoder();
    const active = service.protocol.active ?? "once";
    this.#credit = typeof active === "number" ? active : Infinity;
    this.#heedless = active === true;
  }

  get label(): string {
    return this.#service.protocol.name;
  }

  // -- what its protocol may ask ------------------------------------------------------------------------

  get outbound(): number {
    return this.#outlet?.outbound ?? 0;
  }

  send(frame: any): void {
    // A handler that outlives its connection may still send: nobody is there to take it.
    if (!this.#outlet || this.#phase >= LINGERING || !this.alive) return;
    this.#outlet.send(this.#framing, frame);
    this.framesSent++;
    this.#service.counters.framesSent++;
    if (this.#outlet.pending > this.#service.limits.maxOutbound) this.stop({ shutdown: "slow_consumer" });
  }

  setActive(active: Active): void {
    checkActive(active, (what) => {
      throw new TypeError(what);
    });
    this.#heedless = active === true;
    if (typeof active !== "number") this.#credit = Infinity;
    else this.#credit = (this.#credit === Infinity ? 0 : this.#credit) + active;
    this.#passiveTold = false;
    if (!this.#pumping && !this.busy) this.#service.defer(this);
  }

  // -- beginning ----------------------------------------------------------------------------------------

  /** The listener hands the socket over: from here on it is this process's, and only now is it read. */
  socketReady(socket: Socket): void {
    if (!this.alive || this.#phase !== WAITING) return socket.destroy();
    const service = this.#service;
    this.#socket = socket;
    this.#outlet = new Outlet(service, socket);
    this.#phase = RUNNING;
    this.peer = socket.peer;
    service.counters.accepted++;
    service.counters.active++;
    this.#lastFrameAt = clock.now();
    if (connectionOpened.hasSubscribers) connectionOpened.publish({ pid: this.pid, protocol: this.label, peer: this.peer });
    socket.start(this);
    try {
      this.data = service.protocol.data?.(this.peer);
    } catch (thrown) {
      return this.crash(reasonOf(thrown));
    }
    this.begin();
    service.wheel.schedule(this, this.#nextDeadline());
  }

  // -- frames in ----------------------------------------------------------------------------------------

  onChunk(chunk: Buffer): void {
    if (this.#phase !== RUNNING) return;
    this.bytesReceived += chunk.length;
    this.#service.counters.bytesReceived += chunk.length;
    if (!this.#hungry) return this.#hold(chunk);
    this.#decoder.push(chunk);
    this.#hungry = false;
    this.#pump();
  }

  #hold(chunk: Buffer): void {
    this.#held = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#service.counters.readsPaused++;
    this.#socket?.pause();
  }

  onEnd(): void {
    this.#peerEnded = true;
    if (this.#phase === RUNNING) this.#pump();
  }

  resumeTurn(): void {
    this.#deferred = false;
    this.#pump();
  }

  /** Whether a frame may be handled now. */
  #ready(): boolean {
    return this.#phase === RUNNING && !this.busy && !this.#full && this.#credit > 0 && !this.#deferred;
  }

  /** Handles frames until there is none, or something has to be waited for. */
  #pump(): void {
    if (this.#pumping) return;
    const { turn } = this.#service;
    this.#pumping = true;
    turn.handling = this.#outlet;
    try {
      this.#handleFrames();
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
    turn.handling = undefined;
    turn.flush();
    this.#pumping = false;
    if (this.#phase === RUNNING && !this.busy) this.#afterFrames();
  }

  #handleFrames(): void {
    const { counters, limits, wheel } = this.#service;
    let frames = limits.framesPerTurn;
    let before = this.#decoder.buffered;
    while (this.#ready()) {
      const frame = this.#pull();
      if (frame === undefined) {
        if (!this.#refill()) return;
        before += this.#decoder.buffered;
        continue;
      }
      this.framesReceived++;
      counters.framesReceived++;
      this.#lastFrameAt = wheel.now;
      this.#partialSince = 0;
      if (this.#credit !== Infinity) this.#credit--;
      const outcome = this.cells.frame(this, frame);
      if (outcome !== undefined) this.settle(outcome, "frame", frame);
      const { pending } = this.#outlet as Outlet;
      if (pending >= limits.highWater && !this.#heedless) this.#full = true;
      if (--frames > 0 && before - this.#decoder.buffered < limits.bytesPerTurn) continue;
      this.#deferred = true;
      this.#service.defer(this);
      return;
    }
  }

  /** The next frame; `undefined` when there is none, or when the bytes are no frame and the connection is over. */
  #pull(): any {
    try {
      return this.#decoder.pull();
    } catch (thrown) {
      if (!(thrown instanceof FramingError)) throw thrown;
      this.stop({ shutdown: thrown.code });
      return undefined;
    }
  }

  /** The decoder is empty: gives it what was held back and reads on. Returns whether there may be frames again. */
  #refill(): boolean {
    if (this.#phase !== RUNNING) return false;
    this.#hungry = true;
    const held = this.#held;
    if (!held) return false;
    this.#held = undefined;
    this.#decoder.push(held);
    this.#hungry = false;
    this.#socket?.resume();
    return true;
  }

  /** What is due when no frame can be handled: deadlines, and the events that come after the last frame. */
  #afterFrames(): void {
    const { wheel, limits } = this.#service;
    if (this.#hungry && this.#decoder.buffered > 0) {
      if (this.#partialSince === 0) {
        this.#partialSince = wheel.now;
        wheel.schedule(this, wheel.now + limits.frame + RESOLUTION);
      }
      if (this.#peerEnded) return this.stop({ shutdown: "truncated" });
    } else {
      this.#partialSince = 0;
    }
    if (this.#shutdownAsked) return this.#sayShutdown();
    if (this.#credit === 0 && !this.#passiveTold) {
      this.#passiveTold = true;
      if (this.cells.passive) return this.event("passive", undefined);
    }
    if (this.#hungry && this.#peerEnded && !this.#endedTold) {
      this.#endedTold = true;
      this.event("ended", undefined);
    }
  }

  // -- the state machine --------------------------------------------------------------------------------

  protected cellsOf(state: string): ProtocolCells {
    return this.#service.cellsOf(state);
  }

  protected handle(kind: string, content: unknown): Outcome {
    const { cells } = this;
    switch (kind) {
      case "frame":
        return cells.frame(this, content);
      case "message":
        return cells.message?.(this, content);
      case "timeout":
        return cells.timeout?.(this);
      case "idle":
        return cells.idle(this);
      case "passive":
        return cells.passive?.(this);
      case "drained":
        return cells.drained?.(this);
      case "ended":
        return cells.ended(this);
      case "shutdown":
        return stopUnlessMoved(cells.shutdown?.(this));
      default:
        throw new Error(`connections have no event "${kind}"`);
    }
  }

  protected idle(): void {
    if (this.#phase !== RUNNING || this.#pumping) return;
    if (this.#shutdownAsked) return this.#sayShutdown();
    this.#pump();
  }

  protected override changed(): void {
    if (this.#phase === RUNNING) this.#service.wheel.schedule(this, this.#lastFrameAt + this.cells.idleMs + RESOLUTION);
  }

  // -- output -------------------------------------------------------------------------------------------

  onWritten(): void {
    const outlet = this.#outlet as Outlet;
    outlet.written();
    if (this.#phase === CLOSING) return this.#finish();
    if (!this.#full || outlet.pending > this.#service.limits.lowWater) return;
    this.#full = false;
    if (this.cells.drained && !this.busy) this.event("drained", undefined);
    else this.#pump();
  }

  // -- deadlines ----------------------------------------------------------------------------------------

  onDeadline(now: number): number {
    const { limits } = this.#service;
    const outlet = this.#outlet as Outlet;
    if (outlet.inFlight > 0 && now >= outlet.progressAt + limits.send) this.#abort({ shutdown: "send_timeout" });
    else if (this.#phase === LINGERING && now >= this.#lingerUntil) this.#socket?.destroy();
    else if (this.#phase === RUNNING && this.#partialSince > 0 && now >= this.#partialSince + limits.frame + RESOLUTION) {
      this.stop({ shutdown: "frame_timeout" });
    } else if (this.#phase === RUNNING && now >= this.#lastFrameAt + this.cells.idleMs + RESOLUTION) {
      this.#lastFrameAt = now;
      if (!this.busy) this.event("idle", undefined);
    }
    return this.alive ? this.#nextDeadline() : Infinity;
  }

  /** When something may have run out, at the earliest. */
  #nextDeadline(): number {
    const { limits } = this.#service;
    const outlet = this.#outlet as Outlet;
    let at = this.#phase === RUNNING ? this.#lastFrameAt + this.cells.idleMs + RESOLUTION : this.#lingerUntil;
    if (this.#partialSince > 0) at = Math.min(at, this.#partialSince + limits.frame + RESOLUTION);
    if (outlet.inFlight > 0) at = Math.min(at, outlet.progressAt + limits.send);
    return at;
  }

  /** Milliseconds since the last whole frame from the peer. */
  get idleFor(): number {
    return Math.max(0, Math.round(clock.now() - this.#lastFrameAt));
  }

  // -- the end ------------------------------------------------------------------------------------------

  /** Signals never wait behind frames or messages. */
  override receiveExit(from: Pid, reason: ExitReason, byLink = false): void {
    if (!this.alive) return;
    if (reason === "kill" && !byLink) return this.killed();
    if (this.#phase === WAITING) return reason === "normal" ? undefined : this.die(reason);
    if (reason === "normal") return;
    if (reason !== "shutdown" || from !== this.parent?.pid) return this.stop(reason);
    this.#shutdownAsked = true;
    if (!this.busy && this.#phase === RUNNING) this.#sayShutdown();
  }

  #sayShutdown(): void {
    this.#shutdownAsked = false;
    this.event("shutdown", undefined);
  }

  protected override crash(reason: ExitReason): void {
    this.stop(reason);
  }

  /** Leaves the present state, ends the protocol, and closes: what was sent goes out, unless it crashed. */
  protected stop(reason: ExitReason): void {
    if (!this.alive || this.#phase >= CLOSING) return;
    if (this.#phase === WAITING) return this.exitWith(reason);
    this.#phase = CLOSING;
    this.stopping = true;
    this.#exitReason = reason;
    this.cancelTimer();
    try {
      this.cells.leave?.(this);
      const waiting = this.#service.protocol.terminate?.(this, reason);
      if (waiting instanceof Promise) return void waiting.then(() => this.#close(), (thrown) => this.#close(reasonOf(thrown)));
    } catch (thrown) {
      return this.#close(reasonOf(thrown));
    }
    this.#close();
  }

  #close(reason: ExitReason = this.#exitReason): void {
    if (!this.alive) return;
    this.#exitReason = reason;
    this.#service.turn.flush();
    if (this.#gone || !isNormal(reason) || closeReason(reason) === "slow_consumer") return this.#abort(reason);
    this.#service.wheel.schedule(this, this.#nextDeadline());
    this.#finish();
  }

  /** Sends FIN once all output is out, then waits a little for the peer's: a reset would destroy what is under way. */
  #finish(): void {
    const outlet = this.#outlet as Outlet;
    if (outlet.pending > 0) return;
    this.#phase = LINGERING;
    const { wheel, limits } = this.#service;
    this.#lingerUntil = clock.now() + limits.linger;
    wheel.schedule(this, this.#lingerUntil);
    this.#socket?.end();
    if (this.#held) {
      this.#held = undefined;
      this.#socket?.resume();
    }
  }

  /** Ends without waiting for anything. */
  #abort(reason: ExitReason): void {
    this.#exitReason = reason;
    this.#phase = LINGERING;
    this.exitWith(reason);
  }

  onClosed(code: string | undefined): void {
    this.#gone = true;
    if (!this.alive) return;
    if (this.#phase === LINGERING) return this.exitWith(this.#exitReason);
    if (this.#phase === CLOSING) return this.#abort(this.#exitReason);
    this.stop(code === undefined ? "normal" : { shutdown: "reset" });
  }

  protected override ended(reason: ExitReason): void {
    this.cancelTimer();
    const { wheel, counters } = this.#service;
    wheel.remove(this);
    if (!this.#outlet) return;
    this.#outlet.drop();
    this.#socket?.destroy();
    const counted = closeReason(reason);
    counters.active--;
    counters.closed[counted]++;
    this.#service.onReleased?.();
    if (counted === "crash") counters.crashes++;
    if (connectionClosed.hasSubscribers) connectionClosed.publish(this.#closedEvent(reason, counted));
  }

  #closedEvent(reason: ExitReason, counted: string) {
    const { pid, peer, state, framesReceived, framesSent, label: protocol } = this;
    return { pid, protocol, peer, reason, counted, state, framesReceived, framesSent };
  }

  // -- being looked at ----------------------------------------------------------------------------------

  /** What `info` shows. */
  inspect(): Record<string, unknown> {
    const { label, state, peer, framesReceived, framesSent, bytesReceived, outbound, idleFor, messageQueueLength, links } = this;
    const bytesSent = this.#outlet?.bytesSent ?? 0;
    const buffered = this.#decoder.buffered + (this.#held?.length ?? 0);
    return {
      protocol: label,
      state: this.#phase === WAITING ? "waiting_for_socket" : state,
      peer: `${peer.address}:${peer.port}`,
      idleFor,
      framesReceived,
      framesSent,
      bytesReceived,
      bytesSent,
      buffered,
      outbound,
      messageQueueLength,
      links: links.map(String),
    };
  }
}

/** After its goodbye a connection stops, unless it has moved to a state of its own. */
function stopUnlessMoved(outcome: Outcome): Outcome {
  if (outcome instanceof Promise) return outcome.then((step) => step ?? stop("shutdown"));
  return outcome ?? stop("shutdown");
}
