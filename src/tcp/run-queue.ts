/**
 * Those who have used up their share of a turn, in the order in which they did. They go on when the event loop
 * has looked at the sockets, and only for a slice of time before it looks again: so a client that asks little
 * waits for one slice, however many there are that ask much.
 */
import { clock } from "../otp/clock.js";

/** Something that has used up its share of a turn. */
export interface Deferred {
  resumeTurn(): void;
}

/** Milliseconds. Looking at the sockets takes some microseconds, so it may be short. */
const SLICE = 1;

export class RunQueue {
  readonly #waiting: Deferred[] = [];

  add(one: Deferred): void {
    if (this.#waiting.push(one) === 1) setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const waiting = this.#waiting;
    // Who comes back meanwhile stands behind a look at the sockets again.
    const all = waiting.length;
    const until = clock.now() + SLICE;
    let done = 0;
    do waiting[done++]?.resumeTurn();
    while (done < all && clock.now() < until);
    waiting.splice(0, done);
    if (waiting.length > 0) setImmediate(this.#run);
  };
}
