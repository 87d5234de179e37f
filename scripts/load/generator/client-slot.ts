// A place in the run that is never empty: when its client has gone, another one comes. At a fixed rate, the clients
// have times at which they are due, and a place that falls behind makes up for it at once.
import type { Client } from "./client/client.js";

/** After a client that failed, so that a server that refuses is not asked a hundred thousand times a second. */
const AFTER_FAILURE_MS = 20;

export interface Visits {
  /** When the next visit is due, in the time of performance.now(); undefined when there are no more. */
  next(now: number): number | undefined;
  make(dueAt: number): Client;
  /** A visit began so many ms after it was due, though a place for it was free. */
  late(ms: number): void;
  /** The slot will have no more clients. */
  done(): void;
}

export class Slot {
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
        // Rounded up, because a timer is cut to whole milliseconds and must not come early.
      },
      Math.ceil(dueAt - now),
    );
  }

  /** The present client finishes, as after the end of a load; no other follows. */
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
    // Not from inside the end of the one before: a server that ends every client at once would nest them.
    else setImmediate(() => this.start());
  }

  #end(): void {
    if (!this.#ended) this.#visits.done();
    this.#ended = true;
  }
}
