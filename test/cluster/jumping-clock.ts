/** A manual clock that can jump: the whole OS process was stopped, or its event loop was blocked. */
import { ManualClock } from "../../src/otp/time/clock.js";

export class JumpingClock extends ManualClock {
  #skipped = 0;
  override now(): number {
    return super.now() + this.#skipped;
  }
  skip(ms: number): void {
    this.#skipped += ms;
  }
}
