// The kinds of clients: what each sends, and when. They differ in `advance` and `opened`; everything else is Client.
import type { Histogram } from "../../both-sides/histogram.js";
import type { ErrorKind } from "../../both-sides/result.js";
import type { Shape, Shared } from "../run-context.js";
import { Client } from "./client.js";

/** Sends the next frame when an earlier one is back. */
export class ClosedLoop extends Client {
  protected override advance(now: number): void {
    this.send(Number.MAX_SAFE_INTEGER, now);
  }
}

/** Connected and silent. */
export class Silent extends Client {
  protected override advance(): void {}
}

/** Sends frames when they are due. Their latency counts from then, however late they could be sent. */
export class Paced extends Client {
  readonly #lateness: Histogram;
  #due = 0;
  #firstDueAt = 0;
  #step = 0;
  /** The window was full when a frame was due: that delay is the server's doing, not the generator's. */
  #blocked = false;

  constructor(id: number, quota: number, shape: Shape, shared: Shared, lateness: Histogram) {
    super(id, quota, shape, shared);
    this.#lateness = lateness;
  }

  /** Sets when the frames are due: the first at `firstDueAt`, each other `step` ms after the one before. */
  schedule(quota: number, firstDueAt: number, step: number): void {
    this.quota = quota;
    this.#firstDueAt = firstDueAt;
    this.#step = step;
    this.settleIfDone();
  }

  /** `count` frames are due by now. */
  pump(count: number, now: number): void {
    if (!this.isOpen) return;
    this.started = true;
    this.#due = count;
    this.advance(now);
  }

  /** One frame outside the schedule, to prove that the connection still serves. */
  prove(now: number): void {
    if (!this.isOpen) return;
    this.schedule(this.exchange.sent + 1, now, 0);
    this.settled = false;
    this.shared.gauges.unsettled++;
    this.#blocked = true;
    this.pump(this.quota, now);
  }

  protected override advance(now: number): void {
    const first = this.exchange.sent;
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

/** Comes, has one frame echoed if it is to, and goes. */
export class Visitor extends Client {
  /** When it should have come: what its latency counts from. */
  readonly dueAt: number;
  readonly #latency: Histogram;

  constructor(id: number, echo: boolean, shape: Shape, shared: Shared, dueAt: number, latency: Histogram) {
    super(id, echo ? 1 : 0, shape, shared);
    this.dueAt = dueAt;
    this.#latency = latency;
  }

  protected override opened(): void {
    this.started = true;
    this.advance(performance.now());
  }

  /** A visit that has begun is finished. */
  override stopSending(): void {}

  protected override advance(now: number): void {
    if (this.exchange.sent < this.quota) this.send(1, now);
    else if (this.inFlight === 0 && this.isOpen) {
      this.shared.tally.visits++;
      this.#latency.record(now - this.dueAt);
      this.settleIfDone();
      this.finish();
    }
  }
}

const HALF_PAUSE_MS = 250;
const WHOLE_FRAMES = 3;

/** Sends frames in two halves with a pause between them; the fourth it leaves unfinished and goes. */
export class HalfSender extends Client {
  #timer: NodeJS.Timeout | undefined;
  #abandoned = false;

  protected override opened(): void {
    this.started = true;
    this.advance(performance.now());
  }

  protected override advance(now: number): void {
    if (this.inFlight > 0 || this.#timer || !this.isOpen || this.exchange.sent >= this.quota) return;
    const frame = this.exchange.next(1, now);
    if (!frame) return;
    const middle = frame.length >> 1;
    this.socket.write(frame.subarray(0, middle));
    this.#timer = setTimeout(() => this.#goOn(frame.subarray(middle)), HALF_PAUSE_MS);
  }

  override stopSending(): void {
    if (!this.#timer) return super.stopSending();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.exchange.withdraw();
    this.destroy();
  }

  /** To a client that went away inside a frame the server may do as it likes. */
  override fail(kind: ErrorKind, what: string): void {
    if (this.#abandoned && kind !== "mismatch") this.destroy();
    else super.fail(kind, what);
  }

  /** The first half alone is owed nothing. */
  protected override owesReply(): boolean {
    return this.#timer === undefined && super.owesReply();
  }

  #goOn(rest: Buffer): void {
    this.#timer = undefined;
    if (!this.isOpen) return;
    if (this.exchange.sent <= WHOLE_FRAMES) {
      this.shared.tally.sent++;
      this.socket.write(rest);
      return;
    }
    this.exchange.withdraw();
    this.quota = this.exchange.sent;
    this.#abandoned = true;
    this.settleIfDone();
    this.finish();
  }
}

const SLOW_READ_MS = 200;

/** Keeps its window full, but reads one chunk every 200 ms. A server may cut it off. */
export class SlowReader extends Client {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(id: number, quota: number, shape: Shape, shared: Shared) {
    super(id, quota, shape, shared);
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

  /** Reads the rest like everybody else: what was sent is verified to its end. */
  override stopSending(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.isOpen) this.socket.resume();
    super.stopSending();
  }
}
