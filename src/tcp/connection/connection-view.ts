/**
 * What a connection is and shows: its endpoint, protocol, reader and writer, its phase, and what `drover info` and the
 * tree read of it. `Lifecycle`, `ConnectionEnd`, `FrameLoop`, `GroupMember`, `ProtocolChange` and `Connection` extend it:
 * one object in seven files, because a second one would cost memory per connection. All fields are here: a subclass with
 * fields costs a call per connection.
 */
import { StateMachine } from "../../otp/gen-statem/gen-statem.js";
import type { ExitReason } from "../../otp/process/exit-reason.js";
import { ALIVE, BUSY } from "../../otp/process/flags.js";
import type { Pid } from "../../otp/process/pid.js";
import type { Process } from "../../otp/process/process.js";
import { clock } from "../../otp/time/clock.js";
import type { ProxyHeader } from "../../proxy/header.js";
import { NO_PEER } from "../../transport/peer.js";
import type { TlsInfo } from "../../transport/secure/terms.js";
import type { Peer } from "../../transport/transport.js";
import type { Endpoint } from "../endpoint.js";
import { NO_SLOT, type TimerWheelEntry } from "../loop/timer-wheel.js";
import { inspectConnection } from "../observe/inspect.js";
import type { TraceListener } from "../observe/trace.js";
import { proxyHeaderOf } from "../opening/proxied.js";
import type { ProtocolCells } from "../protocol/compiled/compile.js";
import type { CompiledProtocol } from "../protocol/compiled/compiled-protocol.js";
import { STARTING_TLS, TLS_STARTED, UNOPENED } from "./flags.js";
import type { PostponedFrames } from "./input/postponed-frames.js";
import { NONE, type ReaderWriter } from "./input/reader.js";

/** Phases of a connection, in order. */
export const WAITING = 0;
export const OPENING = 1;
export const RUNNING = 2;
export const CLOSING = 3;
export const FLUSHING = 4;
export const LINGERING = 5;
export const GONE = 6;

/** A connection, or what is left of one. */
export interface ConnectionTraits {
  readonly pid: Pid;
  /** Name of its protocol. */
  readonly label: string;
  readonly state: string;
  readonly peer: Peer;
  readonly framesReceived: number;
}

export abstract class ConnectionView extends StateMachine<ProtocolCells> implements TimerWheelEntry {
  data: any = undefined;
  framesReceived = 0;
  framesSent = 0;
  wheelSlot = NO_SLOT;
  wheelNext: TimerWheelEntry | undefined = undefined;
  wheelPrev: TimerWheelEntry | undefined = undefined;
  readonly endpoint: Endpoint;
  /** Replaceable while the connection lives. */
  protocol: CompiledProtocol;
  protected phase = WAITING;
  protected io: ReaderWriter | undefined = undefined;
  /** Frames that were postponed and are not handled yet; `undefined` while there are none. */
  protected postponed: PostponedFrames | undefined = undefined;
  /** Deadline of the present phase, or of the running handler, in clock milliseconds. */
  protected endBy = NONE;
  protected exitReason: ExitReason = "normal";

  constructor(endpoint: Endpoint, protocol: CompiledProtocol, parent: Process | undefined, pid?: Pid) {
    super(protocol.initial, parent, pid);
    this.endpoint = endpoint;
    this.protocol = protocol;
  }

  abstract onDeadline(now: number): number;

  // Overrides that repeat the base class on purpose: its code sees five and more classes of processes, so V8 looks
  // each access up in a table (2 % of the cost of a small frame). Here it sees one class.

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

  override get maxMessages(): number {
    return this.protocol.maxMessages;
  }

  protected override messageRefused(): void {
    this.endpoint.counters.messagesDropped++;
  }

  get label(): string {
    return this.protocol.name;
  }

  override get state(): string {
    return this.hasFlag(UNOPENED) ? "opening" : this.cells.name;
  }

  /** Started, and the listener has not handed its socket over yet. */
  get waiting(): boolean {
    return this.phase === WAITING;
  }

  /** The client: as the PROXY header says, if there is one. Known to the end, also after a reset. */
  get peer(): Peer {
    return this.relayed?.source ?? this.io?.socket.peer ?? NO_PEER;
  }

  /** The proxy, if `peer` comes from its PROXY header. */
  get via(): Peer | undefined {
    return this.relayed && this.io?.socket.peer;
  }

  /** The address that the client has connected to. */
  get local(): Peer {
    return this.relayed?.destination ?? this.io?.socket.local ?? NO_PEER;
  }

  get proxy(): ProxyHeader | undefined {
    return this.endpoint.opening === undefined ? undefined : proxyHeaderOf(this);
  }

  /** Node's id of the socket, in whose callbacks frames are handled. */
  get asyncId(): number | undefined {
    return this.io?.socket.asyncId;
  }

  get options(): any {
    return this.protocol.instance.options;
  }

  get worker(): any {
    return this.protocol.instance.worker;
  }

  get metrics(): any {
    return this.protocol.source.metrics;
  }

  get tls(): TlsInfo | undefined {
    return this.io?.socket.tls;
  }

  get canStartTls(): boolean {
    return this.endpoint.startTls !== undefined && !this.hasFlag(TLS_STARTED | STARTING_TLS);
  }

  /** The PROXY header, if it names the client. */
  private get relayed(): ProxyHeader | undefined {
    const { proxy } = this;
    return proxy?.relays ? proxy : undefined;
  }

  override get crashDetails(): Readonly<Record<string, unknown>> | undefined {
    if (this.io === undefined) return undefined;
    const { state, peer, via } = this;
    return via === undefined ? { state, peer } : { state, peer, via };
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

  /** Bytes received and not yet handled. */
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

  /** What it is known by, also after its end. */
  get traits(): ConnectionTraits {
    const { pid, label, state, peer, framesReceived } = this;
    return { pid, label, state, peer, framesReceived };
  }

  inspect(): Record<string, unknown> {
    return inspectConnection(this);
  }

  /** Reports all that it does to `listener`. @returns what ends the trace */
  trace(listener: TraceListener): () => void {
    return this.endpoint.trace(this, listener);
  }
}
