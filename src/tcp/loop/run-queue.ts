/**
 * Those who have used up their share of a turn, in the order in which they did. They go on when the event loop
 * has looked at the sockets, and only for a slice of time before it looks again: so a client that asks little
 * waits for one slice, however many there are that ask much.
 *
 * The event loop accepts one connection each time that it looks. While there are any to accept, the slice is as
 * short as a turn: who has just come would otherwise wait a whole one for each that came before.
 */
import { clock } from "../../otp/time/clock.js";

/** Something that has used up its share of a turn. */
export interface Deferred {
  resumeTurn(): void;
}

/** Milliseconds. Looking at the sockets takes some microseconds, so it may be short. */
const SLICE = 1;
const SLICE_WHILE_ACCEPTING = 0.1;

export class RunQueue {
  readonly #waiting: Deferred[] = [];
  /** Connections accepted in this OS process. */
  accepted = 0;
  /** How many that were when the last slice began. */
  #acceptedBefore = 0;

  add(one: Deferred): void {
    if (this.#waiting.push(one) === 1) setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const waiting = this.#waiting;
    // Who comes back meanwhile stands behind a look at the sockets again.
    const all = waiting.length;
    const { accepted } = this;
    const until = clock.now() + (accepted === this.#acceptedBefore ? SLICE : SLICE_WHILE_ACCEPTING);
    this.#acceptedBefore = accepted;
    let done = 0;
    try {
      do waiting[done++]?.resumeTurn();
      while (done < all && clock.now() < until);
    } finally {
      // Whatever happens, the others are not to stand still for ever.
      waiting.splice(0, done);
      if (waiting.length > 0) setImmediate(this.#run);
    }
  };
}
