/** Sends the stats each second to all event streams: one timer, one snapshot, one JSON text for all. */
import type { Stats } from "../../control/stats.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { EventStream } from "./event-streams.js";

/** Milliseconds. */
const INTERVAL = 1_000;

export class StatsFeed {
  readonly #stats: () => Stats;
  readonly #streams = new Set<EventStream>();
  #timer: TimerRef = undefined;

  constructor(stats: () => Stats) {
    this.#stats = stats;
  }

  /** Sends the stats now, and then each second until the stream ends. */
  add(stream: EventStream): void {
    stream.event("stats", JSON.stringify(this.#stats()));
    this.#streams.add(stream);
    this.#timer ??= clock.setTimeout(() => this.#send(), INTERVAL, true);
    stream.signal.addEventListener("abort", () => this.#remove(stream));
  }

  #remove(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #send(): void {
    this.#timer = clock.setTimeout(() => this.#send(), INTERVAL, true);
    const text = JSON.stringify(this.#stats());
    for (const stream of this.#streams) stream.event("stats", text);
  }
}
