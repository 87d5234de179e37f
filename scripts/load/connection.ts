// One client connection of a closed loop: the next frame is sent only when an earlier one was echoed. For each
// chunk read there is one comparison and one write of all the frames that it made room for.
import { createConnection, type Socket } from "node:net";
import { Exchange } from "./exchange.js";
import { connectErrorKind, describeSocketError } from "./faults.js";
import type { Framing } from "./framing.js";
import type { Histogram } from "./histogram.js";
import { addSample, type ConnectionOutcome, type ErrorKind, type Tally } from "./result.js";

/** What all connections of a run share. */
export interface Shared {
  host: string;
  port: number;
  framing: Framing;
  size: number;
  window: number;
  /** All sockets read into this one buffer: it is used up before the next read begins. */
  readBuffer: Buffer;
  tally: Tally;
  latency: Histogram;
  /** How many connections are in each of these situations now. */
  gauges: { connecting: number; unsettled: number; alive: number };
  /** A gauge has changed. */
  changed(): void;
  ended(connection: Connection): void;
}

export class Connection {
  readonly id: number;
  /** Nothing more is to come: all frames were sent and echoed, or it has ended. */
  settled = false;
  #state: "connecting" | "open" | "finishing" | "ended" = "connecting";
  #started = false;
  /** Frames to send altogether. */
  #quota: number;
  #lastReplyAt = 0;
  #localPort: number | undefined;
  #error: ErrorKind | undefined;
  readonly #createdAt = performance.now();
  readonly #shared: Shared;
  readonly #exchange: Exchange;
  readonly #socket: Socket;

  constructor(id: number, quota: number, shared: Shared) {
    const { host, port, framing, size, window, readBuffer, gauges } = shared;
    this.id = id;
    this.#quota = quota;
    this.#shared = shared;
    this.#exchange = new Exchange(framing, size, window, id);
    const callback = (length: number) => this.#receive(length);
    this.#socket = createConnection({ host, port, noDelay: true, onread: { buffer: readBuffer, callback } });
    this.#socket.on("connect", () => this.#opened());
    this.#socket.on("end", () => this.#endedByServer());
    this.#socket.on("error", (error: NodeJS.ErrnoException) => this.#socketError(error));
    gauges.connecting++;
    gauges.unsettled++;
    gauges.alive++;
  }

  get inFlight(): number {
    return this.#exchange.inFlight;
  }

  get outcome(): ConnectionOutcome {
    const { sent, echoed } = this.#exchange;
    return { id: this.id, localPort: this.#localPort, sent, echoed, error: this.#error };
  }

  start(): void {
    if (this.#state !== "open") return;
    this.#started = true;
    this.#send();
    this.#settleIfDone();
  }

  /** No further frames; those in flight are still waited for. */
  stopSending(): void {
    this.#started = true;
    this.#quota = this.#exchange.sent;
    this.#settleIfDone();
  }

  /** Half-closes, so that whatever the server still has to say is heard and verified. */
  finish(): void {
    if (this.#state === "connecting") this.destroy();
    if (this.#state !== "open") return;
    this.#state = "finishing";
    this.#socket.end();
  }

  destroy(): void {
    if (this.#state === "ended") return;
    const { gauges, tally } = this.#shared;
    if (this.#state === "connecting") gauges.connecting--;
    else tally.open--;
    gauges.alive--;
    this.#state = "ended";
    this.#socket.destroy();
    this.#settle();
    this.#shared.ended(this);
    this.#shared.changed();
  }

  fail(kind: ErrorKind, what: string): void {
    if (this.#state === "ended") return;
    const { tally } = this.#shared;
    this.#error = kind;
    tally.errors[kind]++;
    addSample(tally, { who: `connection ${this.id}`, what });
    this.destroy();
  }

  /** Ends it with an error if it has waited for longer than allowed. */
  checkDeadlines(now: number, connectMs: number, replyMs: number): void {
    if (this.#state === "connecting") {
      if (now - this.#createdAt > connectMs) this.fail("connectTimedOut", `no connection in ${connectMs} ms`);
    } else if (this.inFlight > 0) {
      const silence = now - Math.max(this.#exchange.oldestSentAt, this.#lastReplyAt);
      if (silence > replyMs) this.fail("hung", `no reply in ${replyMs} ms with ${this.inFlight} in flight`);
    }
  }

  #opened(): void {
    if (this.#state !== "connecting") return;
    const { gauges, tally } = this.#shared;
    this.#state = "open";
    this.#localPort = this.#socket.localPort;
    gauges.connecting--;
    tally.opened++;
    tally.open++;
    this.#shared.changed();
  }

  #send(): void {
    const exchange = this.#exchange;
    const before = exchange.sent;
    const frames = exchange.next(this.#quota - before, performance.now());
    if (!frames) return;
    this.#shared.tally.sent += exchange.sent - before;
    this.#socket.write(frames);
  }

  #receive(length: number): boolean {
    if (this.#state === "ended") return true;
    const { tally, latency, readBuffer } = this.#shared;
    const exchange = this.#exchange;
    const before = exchange.echoed;
    this.#lastReplyAt = performance.now();
    const mismatch = exchange.receive(readBuffer, length, this.#lastReplyAt, latency);
    tally.echoed += exchange.echoed - before;
    if (mismatch) {
      tally.wrongBytes += mismatch.wrongBytes;
      this.fail("mismatch", mismatch.detail);
    } else if (this.#started) {
      this.#send();
      this.#settleIfDone();
    }
    return true;
  }

  #settleIfDone(): void {
    if (this.settled || this.#exchange.echoed < this.#quota) return;
    this.#settle();
    this.#shared.changed();
  }

  #settle(): void {
    if (!this.settled) this.#shared.gauges.unsettled--;
    this.settled = true;
  }

  #endedByServer(): void {
    const { partial, frameLength, echoed } = this.#exchange;
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
