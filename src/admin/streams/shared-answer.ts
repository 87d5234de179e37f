/** An answer that costs something, made once for all who ask at about the same time. */
import { clock } from "../../otp/time/clock.js";

/** For so long it is given to whoever asks: a flood of scrapes costs as much as one a second. */
const FRESH = 1_000;

export class Shared<T> {
  readonly #make: () => Promise<T>;
  #made: Promise<T> | undefined = undefined;
  #until = 0;

  constructor(make: () => Promise<T>) {
    this.#make = make;
  }

  get(): Promise<T> {
    if (this.#made !== undefined && clock.now() < this.#until) return this.#made;
    // Until it is there nobody else begins it again.
    this.#until = Infinity;
    const made = this.#make();
    this.#made = made;
    made.then(
      () => {
        this.#until = clock.now() + FRESH;
      },
      // A failure is nobody's answer but theirs who waited for it.
      () => {
        this.#made = undefined;
      },
    );
    return made;
  }
}
