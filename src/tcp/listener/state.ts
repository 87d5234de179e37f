/**
 * States of a listener, and the event of each change.
 *
 *   listening ──maxConnections reached──▶ full ──room again──▶ listening
 *       ├──quota reached──▶ ahead ──other workers have caught up──▶ listening
 *       ├──accept rate used up──▶ rate_limited ──tokens again──▶ listening
 *       ├──worker overloaded──▶ overloaded ──no longer──▶ listening
 *       └──suspend──▶ suspended ──resume──▶ listening
 */
import type { Pid } from "../../otp/process/pid.js";
import { clock } from "../../otp/time/clock.js";
import type { Endpoint } from "../endpoint.js";
import { listenerEvents } from "../observe/events.js";
import type { ListenerAddress } from "./listening-socket.js";

export type ListenerState =
  | "listening"
  | "full"
  | "ahead"
  | "rate_limited"
  | "overloaded"
  | "suspended"
  | "opening";
/** States in which it does not accept, and will again by itself. */
export type WaitState = "full" | "ahead" | "rate_limited";

/** The balance changes all the time, and the worker reports an overload. */
const QUIET: readonly (ListenerState | undefined)[] = ["ahead", "overloaded"];

export function isWaiting(state: ListenerState): state is WaitState {
  return state === "full" || state === "ahead" || state === "rate_limited";
}

export class State {
  readonly #pid: Pid;
  readonly #endpoint: Endpoint;
  #now: ListenerState = "opening";
  /** Whether it is full because it may have no connection. */
  #none = false;
  /** When it began to wait for the accept rate. */
  #limitedAt = 0;

  constructor(pid: Pid, endpoint: Endpoint) {
    this.#pid = pid;
    this.#endpoint = endpoint;
  }

  get now(): ListenerState {
    return this.#now;
  }

  /** Milliseconds for which it has been waiting for the accept rate. */
  get rateLimitedMs(): number {
    return this.#now === "rate_limited" ? clock.now() - this.#limitedAt : 0;
  }

  set(state: ListenerState): void {
    this.count();
    this.#limitedAt = clock.now();
    this.#now = state;
  }

  /** Counts the time for which it has been waiting for the accept rate. */
  count(): void {
    this.#endpoint.counters.rateLimitedMs += this.rateLimitedMs;
  }

  /**
   * Publishes an event, unless it paused for balance or overload, or resumes after that: none is worth a log line.
   * @param before its last state other than `opening`, where it was opened or resumed
   * @param none whether it may have no connection at present: then it is full, but no limit has been reached
   */
  publish(
    state: ListenerState,
    before: ListenerState | undefined,
    address: ListenerAddress,
    none: boolean,
  ): void {
    const wasNone = this.#none;
    this.#none = state === "full" && none;
    if (this.#none || (before === "full" && wasNone)) return;
    if (QUIET.includes(state) || QUIET.includes(before) || !listenerEvents.hasSubscribers) return;
    listenerEvents.publish({
      pid: this.#pid,
      listener: this.#endpoint.name,
      what: state,
      ...(state === "listening" && (before === "full" || before === "rate_limited") && { resumed: true }),
      ...address,
    });
  }
}
