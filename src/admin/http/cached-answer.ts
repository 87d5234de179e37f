/** Cache of an expensive answer, shared by all requests while it is made and, by default, for a second. */
import { clock } from "../../otp/time/clock.js";

/** Milliseconds: any number of scrapes costs as much as one per second. */
const MAX_AGE = 1_000;

export class CachedAnswer<T> {
  readonly #render: () => Promise<T>;
  readonly #maxAge: number;
  #answer: Promise<T> | undefined = undefined;
  #until = 0;

  /** @param maxAge in milliseconds */
  constructor(render: () => Promise<T>, maxAge = MAX_AGE) {
    this.#render = render;
    this.#maxAge = maxAge;
  }

  get(): Promise<T> {
    if (this.#answer !== undefined && clock.now() < this.#until) return this.#answer;
    // While it is being made, all requests wait for this one.
    this.#until = Infinity;
    const answer = this.#render();
    this.#answer = answer;
    answer.then(
      () => {
        this.#until = clock.now() + this.#maxAge;
      },
      // A failure is not cached.
      () => {
        this.#answer = undefined;
      },
    );
    return answer;
  }
}
