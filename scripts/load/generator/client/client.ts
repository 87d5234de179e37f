// One client connection: opened, verified, ended, and counted once if it goes wrong. What it sends and when is
// decided by its kind (clients.ts). For each chunk read there is one comparison and, as a rule, one write.
import type { Socket } from "node:net";
import type { Kind } from "../../both-sides/client-mix.js";
import type { Histogram } from "../../both-sides/histogram.js";
import {
  addSample,
  type ConnectionOutcome,
  type ErrorKind,
  type KindTally,
} from "../../both-sides/result.js";
import type { Shape, Shared } from "../run-context.js";
import { dial } from "./connect.js";
import { writerOf } from "./direct-write.js";
import { Exchange } from "./echo-check.js";
import { connectErrorKind, describeSocketError } from "./socket-errors.js";

export abstract class Client {
  readonly id: number;
  readonly kind: Kind;
  /** Nothing more is to come: all frames were sent and echoed, or it has ended. */
  settled = false;
  /** How the server may end it without that being an error. */
  mayBeCutOff = false;
  /** Who is told of its end, besides the run. */
  onEnd: ((client: Client) => void) | undefined;
  /** Frames to send altogether. */
  protected quota: number;
  protected started = false;
  protected readonly exchange: Exchange;
  protected readonly shared: Shared;
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

  constructor(id: number, quota: number, { kind, size, window, latency }: Shape, shared: Shared) {
    const { framing, readBuffer, gauges, tally } = shared;
    this.id = id;
    this.kind = kind;
    this.quota = quota;
    this.shared = shared;
    this.exchange = new Exchange(framing, size, window, id);
    this.#latency = latency;
    this.#counts = tally.kinds[kind];
    this.#counts.connections++;
    this.socket = dial(shared.route, shared.nextTurn(), readBuffer, {
      ready: (socket) => this.#opened(socket),
      chunk: (chunk, length) => this.#receive(chunk, length),
      failed: (error) => this.#socketError(error),
    });
    gauges.connecting++;
    gauges.unsettled++;
    gauges.alive++;
    shared.began(this);
  }

  get inFlight(): number {
    return this.exchange.inFlight;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get outcome(): ConnectionOutcome {
    const { sent, echoed } = this.exchange;
    return { id: this.id, localPort: this.#localPort, sent, echoed, error: this.#error };
  }

  /** The load begins. */
  start(): void {
    if (this.#state !== "open" || this.started) return;
    this.started = true;
    this.advance(performance.now());
    this.settleIfDone();
  }

  /** No further frames; those in flight are still waited for. */
  stopSending(): void {
    this.started = true;
    this.quota = this.exchange.sent;
    this.settleIfDone();
  }

  /** As `stopSending`, and goes when all is answered. */
  leave(): void {
    this.#leaving = true;
    this.stopSending();
    if (this.settled) this.finish();
  }

  /** Half-closes, so that whatever the server still has to say is heard and verified. */
  finish(): void {
    if (this.#state === "connecting" || this.shared.reset) this.destroy();
    if (this.#state !== "open") return;
    this.#state = "finishing";
    this.socket.end();
  }

  destroy(): void {
    if (this.#state === "ended") return;
    const { gauges, tally } = this.shared;
    if (this.#state === "connecting") gauges.connecting--;
    else tally.open--;
    gauges.alive--;
    if (this.shared.reset && this.#state === "open") this.socket.resetAndDestroy();
    else this.socket.destroy();
    this.#state = "ended";
    this.#settle();
    this.shared.ended(this);
    this.onEnd?.(this);
    this.shared.changed();
  }

  fail(kind: ErrorKind, what: string): void {
    if (this.#state === "ended") return;
    const { tally } = this.shared;
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

  /** Ends it with an error if it has waited for longer than allowed. */
  checkDeadlines(now: number, connectMs: number, replyMs: number): void {
    if (this.#state === "connecting") {
      if (now - this.createdAt > connectMs) this.fail("connectTimedOut", `no connection in ${connectMs} ms`);
    } else if (this.owesReply()) {
      const silence = now - Math.max(this.exchange.oldestSentAt, this.#lastReplyAt);
      if (silence > replyMs) this.fail("hung", `no reply in ${replyMs} ms with ${this.inFlight} in flight`);
    }
  }

  /** Sends whatever is to be sent now: at the start, and after each chunk of replies. */
  protected abstract advance(now: number): void;

  /** Frames can be sent, though the load need not have begun. */
  protected opened(): void {}

  /** Whether more may be read at once; if not, the socket is paused. */
  protected readsOn(): boolean {
    return true;
  }

  protected owesReply(): boolean {
    return this.inFlight > 0;
  }

  /** Sends as many frames as quota and window allow, of which the first was due at `at` and each other `step` ms later. */
  protected send(count: number, at: number, step = 0): number {
    const { exchange } = this;
    const before = exchange.sent;
    const frames = exchange.next(Math.min(count, this.quota - before), at, step);
    if (!frames) return 0;
    this.shared.tally.sent += exchange.sent - before;
    this.#write(frames);
    return exchange.sent - before;
  }

  protected settleIfDone(): void {
    if (this.settled || this.exchange.echoed < this.quota) return;
    this.#settle();
    if (this.#leaving) this.finish();
    this.shared.changed();
  }

  #opened(socket: Socket): void {
    if (this.#state !== "connecting") return void socket.destroy();
    const { gauges, tally, connectLatency } = this.shared;
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
    this.shared.changed();
  }

  #receive(chunk: Buffer, length: number): boolean {
    if (this.#state === "ended") return true;
    const { tally } = this.shared;
    const { exchange } = this;
    const before = exchange.echoed;
    const now = performance.now();
    this.#lastReplyAt = now;
    const mismatch = exchange.receive(chunk, length, now, this.#latency);
    tally.echoed += exchange.echoed - before;
    this.#counts.echoed += exchange.echoed - before;
    if (mismatch) {
      tally.wrongBytes += mismatch.wrongBytes;
      this.fail("mismatch", mismatch.detail);
    } else if (this.started) {
      this.advance(now);
      this.settleIfDone();
    }
    this.shared.received(now);
    return this.readsOn();
  }

  #settle(): void {
    if (!this.settled) this.shared.gauges.unsettled--;
    this.settled = true;
  }

  #endedByServer(): void {
    const { partial, frameLength, echoed } = this.exchange;
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
