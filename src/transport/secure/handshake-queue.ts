/**
 * Handshakes that are about to begin. The first message of a client costs the server 0.3 to 0.6 ms of CPU at once: the
 * exchange of keys and a signature. One turn of the event loop spends at most a slice of time on that, so that a flood
 * of new clients delays the traffic of others by the slice, and not by a second for each 2,000 clients.
 */
import { cleanContext } from "../async-context.js";

export interface PendingHandshake {
  /** Listeners take turns: a flood on one does not delay the handshakes of another. */
  readonly listener: string;
  /** Its socket is closed meanwhile: nothing is spent on it. */
  readonly closed: boolean;
  begin(): void;
}

/** Milliseconds that one turn of the event loop spends on handshakes, after which the one that runs is the last. */
const SLICE = 2;

export class HandshakeQueue {
  readonly #waiting = new Map<string, PendingHandshake[]>();
  readonly #now: () => number;
  #scheduled = false;

  /** @param now clock in milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Handshakes that wait. */
  get length(): number {
    let sum = 0;
    for (const { length } of this.#waiting.values()) sum += length;
    return sum;
  }

  /** It begins in this turn of the event loop, or in one of the next: never before this returns. */
  add(handshake: PendingHandshake): void {
    const waiting = this.#waiting.get(handshake.listener);
    if (waiting === undefined) this.#waiting.set(handshake.listener, [handshake]);
    else waiting.push(handshake);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    const end = this.#now() + SLICE;
    try {
      do this.#beginOne();
      while (this.#waiting.size > 0 && this.#now() < end);
    } finally {
      this.#schedule();
    }
  };

  /** Of the listener whose turn it is. */
  #beginOne(): void {
    const [listener, waiting] = this.#waiting.entries().next().value as [string, PendingHandshake[]];
    this.#waiting.delete(listener);
    const next = takeOpen(waiting);
    if (waiting.length > 0) this.#waiting.set(listener, waiting);
    if (next) cleanContext().runInAsyncScope(next.begin, next);
  }
}

function takeOpen(waiting: PendingHandshake[]): PendingHandshake | undefined {
  for (;;) {
    const next = waiting.shift();
    if (next === undefined || !next.closed) return next;
  }
}
