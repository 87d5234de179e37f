// One of N concurrent connections that are opened again and again: when its client has closed, the next one
// connects. At a fixed rate clients are due at fixed times, and a slot that falls behind connects at once.
import type { Client } from "./client/client.js";

/** Pause after a failed client: a server that refuses would get 100,000 connects per second otherwise. */
const AFTER_FAILURE_MS = 20;

export interface Visits {
  /** When the next visit is due, in the time of performance.now(); undefined after the last. */
  next(now: number): number | undefined;
  make(dueAt: number): Client;
  /** A visit began this many ms after it was due, though a slot was free. */
  late(ms: number): void;
  /** The slot will have no more clients. */
  done(): void;
}

export class ClientSlot {
  client: Client | undefined;
  #stopped = false;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #visits: Visits;

  constructor(visits: Visits) {
    this.#visits = visits;
  }

  start(): void {
    const now = performance.now();
    const dueAt = this.#stopped ? undefined : this.#visits.next(now);
    if (dueAt === undefined) return this.#end();
    if (dueAt <= now) return this.#open(dueAt);
    this.#timer = setTimeout(
      () => {
        this.#visits.late(performance.now() - dueAt);
        this.#open(dueAt);
        // Rounded up: a timer is truncated to whole milliseconds and must not fire early.
      },
      Math.ceil(dueAt - now),
    );
  }

  /** Lets the current client finish; no other follows. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.client) this.client.leave();
    else this.#end();
  }

  #open(dueAt: number): void {
    this.client = this.#visits.make(dueAt);
    this.client.onEnd = (client) => this.#left(client.outcome.error !== undefined);
  }

  #left(failed: boolean): void {
    this.client = undefined;
    if (failed && !this.#stopped) this.#timer = setTimeout(() => this.start(), AFTER_FAILURE_MS);
    // Not synchronously: a server that closes every connection at once would cause unbounded recursion.
    else setImmediate(() => this.start());
  }

  #end(): void {
    if (!this.#ended) this.#visits.done();
    this.#ended = true;
  }
}
