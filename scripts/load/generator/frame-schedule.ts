// The open loop's schedule. Frame n of the run is due at a time that is fixed before the first is sent, and belongs
// to connection n modulo their number; a server that stalls, or a generator that does, changes nothing about that.
import { share } from "../both-sides/even-share.js";
import type { Paced } from "./client/client-kinds.js";
import { Ticker } from "./precise-timer.js";

/**
 * Frames due closer together than this leave together: a tick costs some 50 µs of CPU time, and a write of its own for
 * each frame costs generator and server so much that both are late.
 */
const SHORTEST_TICK_MS = 0.4;

export class Pace {
  readonly #clients: readonly Paced[];
  readonly #periodMs: number;
  readonly #phase: number;
  /** Frames of the whole schedule. */
  readonly #total: number;
  readonly #ticker = new Ticker(() => this.#tick());
  #beganAt = 0;
  #due = 0;
  #nextAt = Number.POSITIVE_INFINITY;
  #sentAt = Number.NEGATIVE_INFINITY;

  /** `rate` frames a second, `total` of them; the first after `phase` of a period. */
  constructor(clients: readonly Paced[], rate: number, total: number, phase: number) {
    this.#clients = clients;
    this.#periodMs = 1_000 / rate;
    this.#total = total;
    this.#phase = phase;
  }

  ready(): Promise<void> {
    return this.#ticker.ready();
  }

  /** Frames that were due so far. */
  get due(): number {
    return this.#due;
  }

  begin(now: number): void {
    const count = this.#clients.length;
    this.#beganAt = now + this.#phase * this.#periodMs;
    this.#clients.forEach((client, i) => {
      const firstDueAt = this.#beganAt + i * this.#periodMs;
      client.schedule(share(this.#total, count, i), firstDueAt, count * this.#periodMs);
    });
    this.#nextAt = this.#beganAt;
    this.#tick();
  }

  /** Sends what is due. Called between ticks as well, whenever the loop is awake anyway. */
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
    await this.#ticker.stop();
  }

  #tick(): void {
    const now = performance.now();
    this.poll(now);
    if (this.#nextAt < Number.POSITIVE_INFINITY) {
      this.#ticker.wakeAt(Math.max(this.#nextAt, now + SHORTEST_TICK_MS));
    }
  }
}
