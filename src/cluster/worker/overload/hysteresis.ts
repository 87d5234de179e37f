/**
 * Switch with hysteresis: on at or above one mark, off below a lower one, and each only after the readings have stood
 * there for some time. What it switches (accepting, closing connections) changes the readings, so without both it would
 * switch with each of them. Pure: the caller gives time and reading.
 */
export interface Marks {
  /** Readings from which on it switches on. */
  readonly enter: number;
  /** Readings below which it switches off; at most `enter`. */
  readonly leave: number;
  /** Milliseconds that all readings are at or above `enter` before it switches on; 0: the first one does. */
  readonly enterAfter: number;
  /** Milliseconds that all readings are below `leave` before it switches off. */
  readonly leaveAfter: number;
}

export class Hysteresis {
  on = false;
  readonly #marks: Marks;
  /** First of the present readings that are on the other side. */
  #since: number | undefined = undefined;

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  /**
   * @param now milliseconds, never less than before
   * @returns whether it has switched
   */
  read(now: number, value: number): boolean {
    const { enter, leave, enterAfter, leaveAfter } = this.#marks;
    const beyond = this.on ? value < leave : value >= enter;
    if (!beyond) {
      this.#since = undefined;
      return false;
    }
    this.#since ??= now;
    if (now - this.#since < (this.on ? leaveAfter : enterAfter)) return false;
    this.on = !this.on;
    this.#since = undefined;
    return true;
  }
}
