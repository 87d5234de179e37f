/** A restart that a supervisor asks itself for: of a start that has failed, or of one that has to wait. */
import type { TimerRef } from "../time/clock.js";

export class TryAgain<T> {
  /** What is to be started again. */
  readonly what: T;
  /** Whether it was counted already, and has only waited. */
  readonly counted: boolean;
  timer: TimerRef = undefined;
  constructor(what: T, counted = false) {
    this.what = what;
    this.counted = counted;
  }
}
