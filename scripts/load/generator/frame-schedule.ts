// Schedule of the open loop. The time of frame n is fixed before the first is sent, and connection n modulo their
// number sends it. Neither a stalled server nor a stalled generator changes the schedule.
import { evenShare } from "../both-sides/even-share.js";
import type { OpenLoop } from "./client/client-kinds.js";
import { PreciseTimer } from "./precise-timer.js";

/**
 * Frames due within this time are sent together: a tick costs some 50 µs of CPU time, and one write per frame costs
 * generator and server so much that both are late.
 */
const SHORTEST_TICK_MS = 0.4;

export class FrameSchedule {
  readonly #clients: readonly OpenLoop[];
  readonly #periodMs: number;
  readonly #phase: number;
  /** Number of frames in the whole schedule. */
  readonly #total: number;
  readonly #timer = new PreciseTimer(() => this.#tick());
  #beganAt = 0;
  #due = 0;
  #nextAt = Number.POSITIVE_INFINITY;
  #sentAt = Number.NEGATIVE_INFINITY;

  /** `total` frames at `rate` per second; the first after `phase` (0 to 1) of a period. */
  constructor(clients: readonly OpenLoop[], rate: number, total: number, phase: number) {
    this.#clients = clients;
    this.#periodMs = 1_000 / rate;
    this.#total = total;
    this.#phase = phase;
  }

  ready(): Promise<void> {
    return this.#timer.ready();
  }

  /** Number of frames due so far. */
  get due(): number {
    return this.#due;
  }

  begin(now: number): void {
    const count = this.#clients.length;
    this.#beganAt = now + this.#phase * this.#periodMs;
    this.#clients.forEach((client, i) => {
      const firstDueAt = this.#beganAt + i * this.#periodMs;
      client.schedule(evenShare(this.#total, count, i), firstDueAt, count * this.#periodMs);
    });
    this.#nextAt = this.#beganAt;
    this.#tick();
  }

  /** Sends the frames that are due. Also called between ticks, after each read. */
  poll(now: number): void {
    if (now < this.#nextAt || now < this.#sentAt + SHORTEST_TICK_MS) return;
    this.#sentAt = now;
    const clients = this.#clients;
    const count = clients.length;
    const before = this.#due;
    this.#due = Math.min(this.#total, Math.floor((now - this.#beganAt) / this.#periodMs) + 1);
    for (let n = Math.max(before, this.#due - count); n < this.#due; n++) {
      const turn = n % count;
      clients[turn]!.pump(Math.ceil((this.#due - turn) / count), now);
    }
    this.#nextAt =
      this.#due < this.#total ? this.#beganAt + this.#due * this.#periodMs : Number.POSITIVE_INFINITY;
  }

  async stop(): Promise<void> {
    this.#nextAt = Number.POSITIVE_INFINITY;
    await this.#timer.stop();
  }

  #tick(): void {
    const now = performance.now();
    this.poll(now);
    if (this.#nextAt < Number.POSITIVE_INFINITY) {
      this.#timer.wakeAt(Math.max(this.#nextAt, now + SHORTEST_TICK_MS));
    }
  }
}
