// One client connection: connects, verifies the echo, closes, and counts at most one error. Its kind
// (client-kinds.ts) decides what it sends and when. Each chunk read costs one comparison and usually one write.
import type { Socket } from "node:net";
import type { Kind } from "../../both-sides/client-mix.js";
import type { Histogram } from "../../both-sides/histogram.js";
import {
  addSample,
  type ConnectionOutcome,
  type ErrorKind,
  type KindTally,
} from "../../both-sides/result.js";
import type { ClientOptions, RunContext } from "../run-context.js";
import { openSocket } from "./connect.js";
import { writerOf } from "./direct-write.js";
import { InFlightFrames } from "./in-flight-frames.js";
import { connectErrorKind, describeSocketError } from "./socket-errors.js";

export abstract class Client {
  readonly id: number;
  readonly kind: Kind;
  /** All frames were sent and echoed, or the connection has ended. */
  settled = false;
  /** The server may close this connection without that being an error. */
  mayBeCutOff = false;
  /** Called when the connection ends, before the run is notified. */
  onEnd: ((client: Client) => void) | undefined;
  /** Frames to send altogether. */
  protected quota: number;
  protected started = false;
  protected readonly frames: InFlightFrames;
  protected readonly context: RunContext<Client>;
  protected readonly createdAt = performance.now();
  protected socket: Socket;
  #state: "connecting" | "open" | "finishing" | "ended" = "connecting";
  #leaving = false;
  #lastReplyAt = 0;
  #localPort: number | undefined;
  #write: (bytes: Buffer) => void = () => {};
  #error: ErrorKind | undefined;
  readonly #latency: Histogram;
  readonly #counts: KindTally;

  constructor(
    id: number,
    quota: number,
    { kind, size, window, latency }: ClientOptions,
    context: RunContext<Client>,
  ) {
    const { framing, readBuffer, gauges, tally } = context;
    this.id = id;
    this.kind = kind;
    this.quota = quota;
    this.context = context;
    this.frames = new InFlightFrames(framing, size, window, id);
    this.#latency = latency;
    this.#counts = tally.kinds[kind];
    this.#counts.connections++;
    this.socket = openSocket(context.route, context.nextIndex(), readBuffer, {
      ready: (socket) => this.#opened(socket),
      chunk: (chunk, length) => this.#receive(chunk, length),
      failed: (error) => this.#socketError(error),
    });
    gauges.connecting++;
    gauges.unsettled++;
    gauges.alive++;
    context.began(this);
  }

  get inFlight(): number {
    return this.frames.inFlight;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get outcome(): ConnectionOutcome {
    const { sent, echoed } = this.frames;
    return { id: this.id, localPort: this.#localPort, sent, echoed, error: this.#error };
  }

  /** The load begins. */
  start(): void {
    if (this.#state !== "open" || this.started) return;
    this.started = true;
    this.advance(performance.now());
    this.settleIfDone();
  }

  /** Sends no further frames; the echoes of those in flight are still awaited. */
  stopSending(): void {
    this.started = true;
    this.quota = this.frames.sent;
    this.settleIfDone();
  }

  /** As `stopSending`, then closes once every frame is echoed. */
  leave(): void {
    this.#leaving = true;
    this.stopSending();
    if (this.settled) this.finish();
  }

  /** Half-closes, so that what the server still sends is read and verified. */
  finish(): void {
    if (this.#state === "connecting" || this.context.reset) this.destroy();
    if (this.#state !== "open") return;
    this.#state = "finishing";
    this.socket.end();
  }

  destroy(): void {
    if (this.#state === "ended") return;
    const { gauges, tally } = this.context;
    if (this.#state === "connecting") gauges.connecting--;
    else tally.open--;
    gauges.alive--;
    if (this.context.reset && this.#state === "open") this.socket.resetAndDestroy();
    else this.socket.destroy();
    this.#state = "ended";
    this.#settle();
    this.context.ended(this);
    this.onEnd?.(this);
    this.context.changed();
  }

  fail(kind: ErrorKind, what: string): void {
    if (this.#state === "ended") return;
    const { tally } = this.context;
    if (this.mayBeCutOff && (kind === "reset" || kind === "closedEarly" || kind === "shortReply")) {
      tally.cutOff++;
      return this.destroy();
    }
    this.#error = kind;
    tally.errors[kind]++;
    this.#counts.errors++;
    addSample(tally, { who: `connection ${this.id}`, what });
    this.destroy();
  }

  /** Fails the connection if it has waited for longer than allowed. */
  checkDeadlines(now: number, connectMs: number, replyMs: number): void {
    if (this.#state === "connecting") {
      if (now - this.createdAt > connectMs) this.fail("connectTimedOut", `no connection in ${connectMs} ms`);
    } else if (this.owesReply()) {
      const silence = now - Math.max(this.frames.oldestSentAt, this.#lastReplyAt);
      if (silence > replyMs) this.fail("hung", `no reply in ${replyMs} ms with ${this.inFlight} in flight`);
    }
  }

  /** Sends the frames that are due now: at the start, and after each chunk of replies. */
  protected abstract advance(now: number): void;

  /** Connected: frames can be sent, though the load may not have begun. */
  protected opened(): void {}

  /** Whether to keep reading; if not, the socket is paused. */
  protected readsOn(): boolean {
    return true;
  }

  protected owesReply(): boolean {
    return this.inFlight > 0;
  }

  /** Sends up to `count` frames, as quota and window allow. The first was due at `at`, each further one `step` ms later. */
  protected send(count: number, at: number, step = 0): number {
    const { frames } = this;
    const before = frames.sent;
    const bytes = frames.next(Math.min(count, this.quota - before), at, step);
    if (!bytes) return 0;
    this.context.tally.sent += frames.sent - before;
    this.#write(bytes);
    return frames.sent - before;
  }

  protected settleIfDone(): void {
    if (this.settled || this.frames.echoed < this.quota) return;
    this.#settle();
    if (this.#leaving) this.finish();
    this.context.changed();
  }

  #opened(socket: Socket): void {
    if (this.#state !== "connecting") return void socket.destroy();
    const { gauges, tally, connectLatency } = this.context;
    this.#state = "open";
    this.socket = socket;
    this.#write = writerOf(socket);
    socket.on("end", () => this.#endedByServer());
    socket.on("close", () => this.#endedByServer());
    this.#localPort = socket.localPort;
    connectLatency.record(performance.now() - this.createdAt);
    gauges.connecting--;
    tally.opened++;
    tally.open++;
    this.opened();
    this.context.changed();
  }

  #receive(chunk: Buffer, length: number): boolean {
    if (this.#state === "ended") return true;
    const { tally } = this.context;
    const { frames } = this;
    const before = frames.echoed;
    const now = performance.now();
    this.#lastReplyAt = now;
    const mismatch = frames.receive(chunk, length, now, this.#latency);
    tally.echoed += frames.echoed - before;
    this.#counts.echoed += frames.echoed - before;
    if (mismatch) {
      tally.wrongBytes += mismatch.wrongBytes;
      this.fail("mismatch", mismatch.detail);
    } else if (this.started) {
      this.advance(now);
      this.settleIfDone();
    }
    this.context.received(now);
    return this.readsOn();
  }

  #settle(): void {
    if (!this.settled) this.context.gauges.unsettled--;
    this.settled = true;
  }

  #endedByServer(): void {
    const { partial, frameLength, echoed } = this.frames;
    if (partial > 0)
      this.fail("shortReply", `closed at byte ${partial} of ${frameLength} of frame ${echoed}`);
    else if (this.#state === "finishing") this.destroy();
    else this.fail("closedEarly", `closed by the server after ${echoed} frames`);
  }

  #socketError(error: NodeJS.ErrnoException): void {
    const connecting = this.#state === "connecting";
    this.fail(connecting ? connectErrorKind(error) : "reset", describeSocketError(error));
  }
}
