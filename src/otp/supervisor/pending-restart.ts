/** A pending restart: the message of a supervisor to itself after a failed start or a restart delay, OTP's `try_again_restart`. */
import type { TimerRef } from "../time/clock.js";

export class PendingRestart<T> {
  /** The child to restart. */
  readonly child: T;
  /** Whether the restart intensity has counted it already, or does not count it: it was only delayed. */
  readonly counted: boolean;
  timer: TimerRef = undefined;
  constructor(child: T, counted = false) {
    this.child = child;
    this.counted = counted;
  }
}
