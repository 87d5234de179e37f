// The kinds of clients: what each sends, and when. They override `advance` and `opened` of Client.
import type { Histogram } from "../../both-sides/histogram.js";
import type { ErrorKind } from "../../both-sides/result.js";
import type { ClientOptions, RunContext } from "../run-context.js";
import { Client } from "./client.js";

/** Closed loop: sends the next frame when an earlier one is echoed. */
export class ClosedLoop extends Client {
  protected override advance(now: number): void {
    this.send(Number.MAX_SAFE_INTEGER, now);
  }
}

/** Connected and silent. */
export class Silent extends Client {
  protected override advance(): void {}
}

/** Open loop: sends frames at fixed times. Latency counts from the time a frame was due, however late it was sent. */
export class OpenLoop extends Client {
  readonly #lateness: Histogram;
  #due = 0;
  #firstDueAt = 0;
  #step = 0;
  /** The window was full when a frame was due: the server caused that delay, not the generator. */
  #blocked = false;

  constructor(
    id: number,
    quota: number,
    options: ClientOptions,
    context: RunContext<Client>,
    lateness: Histogram,
  ) {
    super(id, quota, options, context);
    this.#lateness = lateness;
  }

  /** Sets when frames are due: the first at `firstDueAt`, each further one `step` ms after the one before. */
  schedule(quota: number, firstDueAt: number, step: number): void {
    this.quota = quota;
    this.#firstDueAt = firstDueAt;
    this.#step = step;
    this.settleIfDone();
  }

  /** Sends up to the `count`th frame: so many are due by now. */
  pump(count: number, now: number): void {
    if (!this.isOpen) return;
    this.started = true;
    this.#due = count;
    this.advance(now);
  }

  /** Sends one frame outside the schedule, to prove that the server still serves this connection. */
  prove(now: number): void {
    if (!this.isOpen) return;
    this.schedule(this.frames.sent + 1, now, 0);
    this.settled = false;
    this.context.gauges.unsettled++;
    this.#blocked = true;
    this.pump(this.quota, now);
  }

  protected override advance(now: number): void {
    const first = this.frames.sent;
    const wanted = this.#due - first;
    if (wanted <= 0) return;
    const dueAt = this.#firstDueAt + first * this.#step;
    const sent = this.send(wanted, dueAt, this.#step);
    if (!this.#blocked) {
      for (let i = 0; i < sent; i++) this.#lateness.record(now - dueAt - i * this.#step);
    }
    this.#blocked = sent < wanted;
  }
}

/** Connects, has one frame echoed unless `echo` is false, and closes. */
export class Visitor extends Client {
  /** When the connect was due: latency counts from here. */
  readonly dueAt: number;
  readonly #latency: Histogram;

  constructor(
    id: number,
    echo: boolean,
    options: ClientOptions,
    context: RunContext<Client>,
    dueAt: number,
    latency: Histogram,
  ) {
    super(id, echo ? 1 : 0, options, context);
    this.dueAt = dueAt;
    this.#latency = latency;
  }

  protected override opened(): void {
    this.started = true;
    this.advance(performance.now());
  }

  /** Does nothing: a visit that has begun is finished. */
  override stopSending(): void {}

  protected override advance(now: number): void {
    if (this.frames.sent < this.quota) this.send(1, now);
    else if (this.inFlight === 0 && this.isOpen) {
      this.context.tally.visits++;
      this.#latency.record(now - this.dueAt);
      this.settleIfDone();
      this.finish();
    }
  }
}

const HALF_PAUSE_MS = 250;
const WHOLE_FRAMES = 3;

/** Sends each frame in two halves with a pause between them; closes in the middle of the fourth frame. */
export class HalfSender extends Client {
  #timer: NodeJS.Timeout | undefined;
  #abandoned = false;

  protected override opened(): void {
    this.started = true;
    this.advance(performance.now());
  }

  protected override advance(now: number): void {
    if (this.inFlight > 0 || this.#timer || !this.isOpen || this.frames.sent >= this.quota) return;
    const frame = this.frames.next(1, now);
    if (!frame) return;
    const middle = frame.length >> 1;
    this.socket.write(frame.subarray(0, middle));
    this.#timer = setTimeout(() => this.#goOn(frame.subarray(middle)), HALF_PAUSE_MS);
  }

  override stopSending(): void {
    if (!this.#timer) return super.stopSending();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.frames.withdraw();
    this.destroy();
  }

  /** After this client has closed inside a frame, only a wrong echo counts as an error. */
  override fail(kind: ErrorKind, what: string): void {
    if (this.#abandoned && kind !== "mismatch") this.destroy();
    else super.fail(kind, what);
  }

  /** No reply is due while only the first half was sent. */
  protected override owesReply(): boolean {
    return this.#timer === undefined && super.owesReply();
  }

  #goOn(rest: Buffer): void {
    this.#timer = undefined;
    if (!this.isOpen) return;
    if (this.frames.sent <= WHOLE_FRAMES) {
      this.context.tally.sent++;
      this.socket.write(rest);
      return;
    }
    this.frames.withdraw();
    this.quota = this.frames.sent;
    this.#abandoned = true;
    this.settleIfDone();
    this.finish();
  }
}

const SLOW_READ_MS = 200;

/** Keeps its window full, but reads one chunk every 200 ms. The server may close the connection. */
export class SlowReader extends Client {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(id: number, quota: number, options: ClientOptions, context: RunContext<Client>) {
    super(id, quota, options, context);
    this.mayBeCutOff = true;
  }

  protected override opened(): void {
    this.started = true;
    this.advance(performance.now());
  }

  protected override advance(now: number): void {
    this.send(Number.MAX_SAFE_INTEGER, now);
  }

  protected override readsOn(): boolean {
    if (this.#stopped) return true;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.isOpen) this.socket.resume();
    }, SLOW_READ_MS);
    return false;
  }

  /** Reads the rest at full speed, so that every frame sent is verified. */
  override stopSending(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.isOpen) this.socket.resume();
    super.stopSending();
  }
}
