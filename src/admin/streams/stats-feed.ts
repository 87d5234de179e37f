/** The numbers of each second, told to all who listen: one timer, one look and one text for all of them. */
import type { Stats } from "../../control/stats.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Stream } from "./event-streams.js";

const EVERY = 1_000;

export class StatsFeed {
  readonly #stats: () => Stats;
  readonly #listeners = new Set<Stream>();
  #timer: TimerRef = undefined;

  constructor(stats: () => Stats) {
    this.#stats = stats;
  }

  /** Tells it at once, and then each second until it has gone. */
  add(stream: Stream): void {
    stream.event("stats", JSON.stringify(this.#stats()));
    this.#listeners.add(stream);
    this.#timer ??= clock.setTimeout(() => this.#tell(), EVERY, true);
    stream.signal.addEventListener("abort", () => this.#remove(stream));
  }

  #remove(stream: Stream): void {
    this.#listeners.delete(stream);
    if (this.#listeners.size > 0) return;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    this.#timer = clock.setTimeout(() => this.#tell(), EVERY, true);
    const text = JSON.stringify(this.#stats());
    for (const stream of this.#listeners) stream.event("stats", text);
  }
}
