/**
 * Run queue: connections that have used up their share of a turn, first in first out. They continue after the
 * event loop has polled the sockets, for one time slice, and then it polls again: a client that sends little waits
 * for one slice at most, however many clients send at full speed.
 *
 * libuv accepts one connection per poll. While clients are connecting the slice is as short as a turn, or each
 * new client would wait one whole slice for every client that connected before it.
 */
import type { AsyncResource } from "node:async_hooks";
import { clock } from "../../otp/time/clock.js";
import { captureContext } from "../../transport/async-context.js";

/** A connection that has used up its share of a turn. */
export interface Deferred {
  resumeTurn(): void;
}

/**
 * Bytes written in large pieces after which no further frame is handled before the next poll. What is sent, or given up,
 * is freed between polls: without this, 10,000 clients that are answered at once hold all of their answers.
 */
const OUTPUT_PER_POLL = 16 * 1024 * 1024;

/**
 * Bytes of unfinished frames that are read between two polls; then their connections wait for a turn each. Without this,
 * 64 clients that send large frames at full speed have 58 MB read, some 30 ms, before any other client is heard.
 */
const INPUT_PER_POLL = 1024 * 1024;

/** Milliseconds. Polling the sockets takes some microseconds, so a slice may be short. */
const SLICE = 1;
const SLICE_WHILE_ACCEPTING = 0.1;

interface Turn {
  readonly deferred: Deferred;
  readonly context: AsyncResource;
}

export class RunQueue {
  readonly #waiting: Turn[] = [];
  /** So much was written that each turn waits for the next poll. */
  full = false;
  /** So much of unfinished frames was read that each of them waits for its turn to read on. */
  inputFull = false;
  #written = 0;
  #read = 0;
  /** Connections accepted in this OS process. */
  accepted = 0;
  /** How many that were when the last slice began. */
  #acceptedBefore = 0;

  /** @param context of the connection, in which its turn continues */
  add(deferred: Deferred, context = captureContext()): void {
    if (this.#waiting.push({ deferred, context }) === 1) setImmediate(this.#run);
  }

  /** A large piece was written. */
  wrote(bytes: number): void {
    if (this.#written + this.#read === 0) setImmediate(this.#polled);
    this.#written += bytes;
    if (this.#written >= OUTPUT_PER_POLL) this.full = true;
  }

  /** So many bytes of an unfinished frame were read, or will be at the next poll. */
  reads(bytes: number): void {
    if (this.#written + this.#read === 0) setImmediate(this.#polled);
    this.#read += bytes;
    if (this.#read >= INPUT_PER_POLL) this.inputFull = true;
  }

  readonly #polled = (): void => {
    this.full = this.inputFull = false;
    this.#written = this.#read = 0;
  };

  readonly #run = (): void => {
    this.#polled();
    const waiting = this.#waiting;
    // What is added meanwhile waits for the next poll.
    const all = waiting.length;
    const { accepted } = this;
    const until = clock.now() + (accepted === this.#acceptedBefore ? SLICE : SLICE_WHILE_ACCEPTING);
    this.#acceptedBefore = accepted;
    let done = 0;
    try {
      do {
        const turn = waiting[done++];
        turn?.context.runInAsyncScope(turn.deferred.resumeTurn, turn.deferred);
      } while (done < all && !this.full && !this.inputFull && clock.now() < until);
    } finally {
      // Also when a turn throws: the rest of the queue must run.
      waiting.splice(0, done);
      if (waiting.length > 0) setImmediate(this.#run);
    }
  };
}
